// SPDX-License-Identifier: Apache-2.0
//
// A fiber: a stack of its own and the place where it goes on. x86-64 only, as is the one build of JCuda for Linux.
#pragma once

#include <stddef.h>

namespace gru4j::emulator {

class Fiber {
public:
    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    // Makes the next switch to this fiber call entry, on an empty stack. What the fiber did before is forgotten.
    void start(void (*entry)());

    // Leaves off here, in the fiber `from`, and goes on in the fiber `to`; returns when somebody switches back.
    // A Fiber that was never started stands for the caller's own stack.
    static void change(Fiber& from, Fiber& to);

private:
    void* stack_pointer_ = nullptr;
    unsigned char* stack_ = nullptr;
    const void* asan_bottom_ = nullptr;
    size_t asan_bytes_ = 0;
    void* asan_fake_stack_ = nullptr;

    static void first_steps();
    static void arrive(Fiber& self);
    void (*entry_)() = nullptr;
};

} // namespace gru4j::emulator
