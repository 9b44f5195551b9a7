// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of tensor cores: the formats of their operands, and one matrix multiply-add of a warp.
//
// Rounding is that of the instructions cvt.rna.tf32.f32, cvt.rn.bf16x2.f32 and cvt.rn.f16x2.f32; a NaN becomes the NaN
// that they give.
#pragma once

#include <stdint.h>
#include <string.h>

namespace gru4j::emulator {

constexpr int kMmaLanes = 32;

enum class MmaFormat { TF32, BF16, FP16 };

// What one lane brings to a multiply-add D = A·B + D, and takes from it.
struct MmaLane {
    uint32_t a[4];
    uint32_t b[2];
    float d[4];
};

// D += A·B with A (16,k), B (k,8), D (16,8); k is 8 in tf32, else 16. Fragments lie in the lanes as PTX has it for
// mma.m16n8k8 and mma.m16n8k16.
//
// Products are exact, an element and its k products are added up in double, and the sum is rounded towards zero. Hardware
// adds less exactly than that where the terms differ much in size, and truncates likewise.
void multiply_add(MmaFormat format, MmaLane (&lanes)[kMmaLanes]);

inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

constexpr uint32_t kMagnitude = 0x7fffffffu;
constexpr uint32_t kInfinity = 0x7f800000u;

// The bits of the nearest number of 11 significant bits, of two equally near ones the larger: adding half a unit in the
// last place carries into the next one, of the exponent at last, where it has to.
inline uint32_t round_to_tf32(float value) {
    const uint32_t bits = bits_of(value);
    const uint32_t magnitude = bits & kMagnitude;
    return magnitude > kInfinity ? 0x7fffe000u : magnitude == kInfinity ? bits : (bits + 0x1000u) & 0xffffe000u;
}

// The nearest number of 8 significant bits, of two equally near ones the even one.
inline uint16_t round_to_bf16(float value) {
    const uint32_t bits = bits_of(value);
    const bool is_nan = (bits & kMagnitude) > kInfinity;
    return static_cast<uint16_t>(is_nan ? 0x7fffu : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// The nearest binary16 number, of two equally near ones the even one; infinity from 65520 on.
inline uint16_t round_to_fp16(float value) {
    const uint32_t bits = bits_of(value);
    const uint32_t magnitude = bits & kMagnitude;
    const uint32_t sign = (bits >> 16) & 0x8000u;
    if (magnitude > kInfinity) {
        return 0x7fffu;
    }
    if (magnitude >= 0x477ff000u) {
        return static_cast<uint16_t>(sign | 0x7c00u);
    }
    if (magnitude < 0x38800000u) {
        // Below 2^−14 the unit in the last place is 2^−24, that of fp32 numbers from 1/2 to 1: the addition rounds.
        return static_cast<uint16_t>(sign | (bits_of(float_of(magnitude) + 0.5f) - 0x3f000000u));
    }
    // 13 bits go, and the exponent's bias changes from 127 to 15.
    return static_cast<uint16_t>(sign | ((magnitude + 0xfffu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13));
}

inline float from_bf16(uint16_t value) {
    return float_of(static_cast<uint32_t>(value) << 16);
}

float from_fp16(uint16_t value);

} // namespace gru4j::emulator
