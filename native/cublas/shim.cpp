// SPDX-License-Identifier: Apache-2.0
//
// A libcublas.so.12 that has every function JCublas2 links to and hands each call on to a cuBLAS of another major
// version. README.md says why and how it is built.
#include <dlfcn.h>
#include <string_view>

namespace {

constexpr int kNotSupported = 15; // CUBLAS_STATUS_NOT_SUPPORTED

// What a function does that the library behind lacks, and every function before one was named.
int missing() {
    return kNotSupported;
}

// The same for cublasGetStatusName and cublasGetStatusString.
const char* missing_text() {
    return "CUBLAS_STATUS_NOT_SUPPORTED";
}

constexpr bool returns_text(std::string_view name) {
    return name.substr(0, 15) == "cublasGetStatus";
}

} // namespace

// One jump a function, through a pointer of its own: the arguments stay where the caller put them, whatever they are.
#define GRU4J_SYMBOL(name)                                                                                             \
    extern "C" {                                                                                                       \
    __attribute__((visibility("hidden"))) void* gru4j_to_##name =                                                      \
        returns_text(#name) ? reinterpret_cast<void*>(&missing_text) : reinterpret_cast<void*>(&missing);              \
    __attribute__((naked, visibility("default"))) void name() {                                                        \
        __asm__("jmp *gru4j_to_" #name "(%rip)");                                                                      \
    }                                                                                                                  \
    }
#include "symbols.inc"
#undef GRU4J_SYMBOL

namespace {

struct Symbol {
    const char* name;
    void** target;
};

const Symbol kSymbols[] = {
#define GRU4J_SYMBOL(name) {#name, &gru4j_to_##name},
#include "symbols.inc"
#undef GRU4J_SYMBOL
};

} // namespace

// Hands all further calls on to this library. Returns how many of the functions it lacks; they return NOT_SUPPORTED.
// Where the library cannot be opened, returns -1 and changes nothing. To be called once, before any other function.
extern "C" __attribute__((visibility("default"))) int gru4j_cublas_forward_to(const char* library) {
    void* opened = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (opened == nullptr) {
        return -1;
    }
    int lacking = 0;
    for (const Symbol& symbol : kSymbols) {
        void* found = dlsym(opened, symbol.name);
        if (found == nullptr) {
            lacking++;
        } else {
            *symbol.target = found;
        }
    }
    return lacking;
}
