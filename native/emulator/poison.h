// SPDX-License-Identifier: Apache-2.0
//
// What AddressSanitizer is told, in the build with it: which bytes around the checked memories kernels must not touch. So
// it names the line of an access that the emulator alone would notice only when the launch is over, or not at all.
#pragma once

#include <stddef.h>

#ifdef GRU4J_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace gru4j::emulator {

#ifdef GRU4J_ASAN

inline void forbid(const void* memory, size_t bytes) {
    __asan_poison_memory_region(memory, bytes);
}
inline void permit(const void* memory, size_t bytes) {
    __asan_unpoison_memory_region(memory, bytes);
}

#else

inline void forbid(const void*, size_t) {
}
inline void permit(const void*, size_t) {
}

#endif

} // namespace gru4j::emulator
