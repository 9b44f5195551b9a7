// SPDX-License-Identifier: Apache-2.0
//
// Sizes that the checked memories share. Both end at a page that nobody may touch, so that what reads or writes past the
// end is noticed at once; the few bytes between a size and its rounded one are looked at after every launch.
#pragma once

#include <stddef.h>

namespace gru4j::emulator {

constexpr size_t kPageBytes = 4096;

// What fresh memory holds, and what lies around it: as floats NaN, as ints -1.
constexpr unsigned char kPoison = 0xff;

constexpr size_t round_up(size_t bytes, size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

// The first of `bytes` bytes that no longer holds the poison, or null.
inline const unsigned char* first_written(const unsigned char* memory, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (memory[i] != kPoison) {
            return memory + i;
        }
    }
    return nullptr;
}

} // namespace gru4j::emulator
