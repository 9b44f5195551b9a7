// SPDX-License-Identifier: Apache-2.0
//
// What ThreadSanitizer is told, in the build with it; nothing in other builds.
//
// Every CUDA thread is a thread to it, and the emulator is one more: a strand. Kernels are instrumented, the emulator is
// not, so the only order it knows is what is told here: a launch comes after what was before it, and a barrier orders what
// is before and after it. Blocks of one launch have no order. Hence a missing barrier is reported even where the
// emulator's own order happens to hide it.
#pragma once

#ifdef GRU4J_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace gru4j::emulator {

#ifdef GRU4J_TSAN

constexpr bool kStrands = true;
using Strand = void*;

inline Strand current_strand() {
    return __tsan_get_current_fiber();
}
inline Strand new_strand() {
    return __tsan_create_fiber(0);
}
// Without an order between the two: that is the flag.
inline void follow(Strand strand) {
    __tsan_switch_to_fiber(strand, __tsan_switch_to_fiber_no_sync);
}
inline void publish(void* token) {
    __tsan_release(token);
}
inline void observe(void* token) {
    __tsan_acquire(token);
}

#else

constexpr bool kStrands = false;
struct Strand {};

inline Strand current_strand() {
    return {};
}
inline Strand new_strand() {
    return {};
}
inline void follow(Strand) {
}
inline void publish(void*) {
}
inline void observe(void*) {
}

#endif

} // namespace gru4j::emulator
