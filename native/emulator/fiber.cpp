// SPDX-License-Identifier: Apache-2.0
#include "fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef GRU4J_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#ifndef __x86_64__
#error "the emulator switches stacks with x86-64 instructions; JCuda has natives for no other Linux either"
#endif

// Saves the registers that a call preserves on the present stack, its top in *save, and takes those of another stack.
extern "C" void gru4j_change_stack(void** save, void* next) __attribute__((visibility("hidden")));
asm(R"(
    .text
    .globl gru4j_change_stack
    .hidden gru4j_change_stack
    .type gru4j_change_stack, @function
gru4j_change_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size gru4j_change_stack, . - gru4j_change_stack
)");

namespace gru4j::emulator {

namespace {

constexpr size_t kGuardBytes = 4096;
#ifdef GRU4J_ASAN
constexpr size_t kStackBytes = 256 * 1024; // red zones around every local variable
#else
constexpr size_t kStackBytes = 64 * 1024;
#endif

// The fiber that was left, and the one that goes on: what the other side of a change needs to know.
thread_local Fiber* left = nullptr;
thread_local Fiber* arriving = nullptr;

// Stacks come sixteen at a time, with one guard page below them: a cooperative launch has tens of thousands, and with a
// guard for each, which takes a mapping of its own, a process would run out of its 65530 mappings. They are never given
// back, since the fibers of one launch serve the next.
unsigned char* new_stack() {
    constexpr size_t kStacks = 16;
    static unsigned char* next = nullptr;
    static size_t left = 0;
    if (left == 0) {
        void* memory = mmap(nullptr, kGuardBytes + kStacks * kStackBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            perror("gru4j emulator: stacks for the threads of a kernel");
            abort();
        }
        mprotect(memory, kGuardBytes, PROT_NONE);
        next = static_cast<unsigned char*>(memory) + kGuardBytes;
        left = kStacks;
    }
    left--;
    unsigned char* stack = next;
    next += kStackBytes;
    return stack;
}

} // namespace

void Fiber::start(void (*entry)()) {
    if (stack_ == nullptr) {
        stack_ = new_stack();
    }
    entry_ = entry;
    asan_bottom_ = stack_;
    asan_bytes_ = kStackBytes;
    asan_fake_stack_ = nullptr;
    // Tops are staggered, since equal offsets in every stack would share the same few sets of the L1 cache.
    size_t stagger = (reinterpret_cast<uintptr_t>(stack_) / kStackBytes) % 61 * 64;
    void** top = reinterpret_cast<void**>(stack_ + kStackBytes - 128 - stagger);
    *--top = nullptr; // where first_steps would return to; keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(&Fiber::first_steps);
    for (int saved_register = 0; saved_register < 6; saved_register++) {
        *--top = nullptr;
    }
    stack_pointer_ = top;
}

// Never returns: an entry ends by changing to another fiber.
void Fiber::first_steps() {
    Fiber* self = arriving;
    arrive(*self);
    self->entry_();
    abort();
}

void Fiber::arrive([[maybe_unused]] Fiber& self) {
#ifdef GRU4J_ASAN
    __sanitizer_finish_switch_fiber(self.asan_fake_stack_, &left->asan_bottom_, &left->asan_bytes_);
#endif
}

void Fiber::change(Fiber& from, Fiber& to) {
    left = &from;
    arriving = &to;
#ifdef GRU4J_ASAN
    __sanitizer_start_switch_fiber(&from.asan_fake_stack_, to.asan_bottom_, to.asan_bytes_);
#endif
    gru4j_change_stack(&from.stack_pointer_, to.stack_pointer_);
    arrive(from);
}

} // namespace gru4j::emulator
