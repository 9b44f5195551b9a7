// SPDX-License-Identifier: Apache-2.0
#include "tensor_core.h"

#include <math.h>

namespace gru4j::emulator {

namespace {

constexpr int kRows = 16;
constexpr int kColumns = 8;
constexpr int kMostDepth = 16;

// The operands, decoded: every number of the three formats is a float.
struct Operands {
    double a[kRows][kMostDepth];
    double b[kMostDepth][kColumns];
};

uint16_t half(uint32_t pair, int which) {
    return static_cast<uint16_t>(pair >> (16 * which));
}

// Hardware does not read the 13 low bits.
float from_tf32(uint32_t bits) {
    return float_of(bits & 0xffffe000u);
}

// One number to a register: k = lane % 4 in the first register of a row, 4 more in the second.
void decode_singles(const MmaLane (&lanes)[kMmaLanes], Operands& operands) {
    for (int lane = 0; lane < kMmaLanes; lane++) {
        const int row = lane / 4;
        for (int i = 0; i < 4; i++) {
            operands.a[row + 8 * (i % 2)][lane % 4 + 4 * (i / 2)] = from_tf32(lanes[lane].a[i]);
        }
        for (int i = 0; i < 2; i++) {
            operands.b[lane % 4 + 4 * i][row] = from_tf32(lanes[lane].b[i]);
        }
    }
}

// Two numbers to a register, the first in its low half: k = 2·(lane % 4) and the next in the first register of a row, 8
// more in the second.
template <typename Decode> void decode_pairs(const MmaLane (&lanes)[kMmaLanes], Operands& operands, Decode decode) {
    for (int lane = 0; lane < kMmaLanes; lane++) {
        const int row = lane / 4;
        const int k = 2 * (lane % 4);
        for (int which = 0; which < 2; which++) {
            for (int i = 0; i < 4; i++) {
                operands.a[row + 8 * (i % 2)][k + which + 8 * (i / 2)] = decode(half(lanes[lane].a[i], which));
            }
            for (int i = 0; i < 2; i++) {
                operands.b[k + which + 8 * i][row] = decode(half(lanes[lane].b[i], which));
            }
        }
    }
}

// Towards zero, but beyond the largest float to infinity. A NaN is the one that hardware gives.
float truncate(double sum) {
    if (isnan(sum)) {
        return float_of(0x7fffffffu);
    }
    const float nearest = static_cast<float>(sum);
    if (fabs(sum) >= 0x1p128 || fabs(static_cast<double>(nearest)) <= fabs(sum)) {
        return nearest;
    }
    return float_of(bits_of(nearest) - 1);
}

} // namespace

float from_fp16(uint16_t value) {
    const uint32_t sign = static_cast<uint32_t>(value & 0x8000u) << 16;
    const uint32_t magnitude = value & 0x7fffu;
    if (magnitude >= 0x7c00u) {
        return float_of(sign | kInfinity | (magnitude & 0x3ffu) << 13);
    }
    // As the bits of a float, 13 places up, it is the number times 2^−112: subnormal ones too.
    return float_of(sign | bits_of(float_of(magnitude << 13) * 0x1p112f));
}

void multiply_add(MmaFormat format, MmaLane (&lanes)[kMmaLanes]) {
    Operands operands;
    const int depth = format == MmaFormat::TF32 ? 8 : 16;
    switch (format) {
    case MmaFormat::TF32:
        decode_singles(lanes, operands);
        break;
    case MmaFormat::BF16:
        decode_pairs(lanes, operands, from_bf16);
        break;
    case MmaFormat::FP16:
        decode_pairs(lanes, operands, from_fp16);
        break;
    }
    for (int row = 0; row < kRows; row++) {
        // Columns 2c and 2c + 1 of a row lie in lane 4·(row % 8) + c.
        MmaLane* of_row = lanes + 4 * (row % 8);
        const int first = 2 * (row / 8);
        double sums[kColumns];
        for (int column = 0; column < kColumns; column++) {
            sums[column] = of_row[column / 2].d[first + column % 2];
        }
        for (int k = 0; k < depth; k++) {
            for (int column = 0; column < kColumns; column++) {
                sums[column] += operands.a[row][k] * operands.b[k][column];
            }
        }
        for (int column = 0; column < kColumns; column++) {
            of_row[column / 2].d[first + column % 2] = truncate(sums[column]);
        }
    }
}

} // namespace gru4j::emulator
