// SPDX-License-Identifier: Apache-2.0
#include "tensor_core_test.h"

#include "emulator_test.h"
#include "tensor_core.h"

#include <float.h>
#include <math.h>
#include <string.h>

namespace gru4j::emulator {

namespace {

// A format by its numbers, for arithmetic that knows nothing of bits.
struct Format {
    const char* name;
    MmaFormat format;
    int depth;                  // k of a multiply-add
    int significant_bits;       // the leading one among them
    int least_exponent;         // of a normal number
    int most_exponent;          // of a finite number
    bool ties_are_even;         // else away from zero
    int exponent_bits_at, bits; // where a number's exponent lies, and its size
};

const Format kFormats[] = {
    {"tf32", MmaFormat::TF32, 8, 11, -126, 127, false, 23, 32},
    {"bf16", MmaFormat::BF16, 16, 8, -126, 127, true, 7, 16},
    {"fp16", MmaFormat::FP16, 16, 11, -14, 15, true, 10, 16},
};

// The number of the format nearest to value.
double nearest(const Format& format, double value) {
    if (!isfinite(value) || value == 0) {
        return value;
    }
    int exponent = 0;
    frexp(value, &exponent); // value = ±[0.5, 1) · 2^exponent
    const int unit =
        (exponent - 1 < format.least_exponent ? format.least_exponent : exponent - 1) - (format.significant_bits - 1);
    const double units = ldexp(fabs(value), -unit);
    const double rounded = ldexp(format.ties_are_even ? rint(units) : floor(units + 0.5), unit);
    const double largest = ldexp(2 - ldexp(1, 1 - format.significant_bits), format.most_exponent);
    return copysign(rounded > largest ? INFINITY : rounded, value);
}

// A small integer as the format has it.
uint32_t encode(const Format& format, int value) {
    if (value == 0) {
        return 0;
    }
    const int size = value < 0 ? -value : value;
    const int exponent = 31 - __builtin_clz(static_cast<unsigned>(size));
    const uint32_t fraction = static_cast<uint32_t>(size - (1 << exponent)) << (format.exponent_bits_at - exponent);
    const uint32_t biased = static_cast<uint32_t>(exponent + format.most_exponent);
    return (value < 0 ? 1u << (format.bits - 1) : 0u) | biased << format.exponent_bits_at | fraction;
}

std::string hex(uint32_t bits) {
    char text[16];
    snprintf(text, sizeof text, "%08x", bits);
    return text;
}

// What test_mma_* of planted.cu reads of each lane: a, b and d.
constexpr int kWords = 10;

// "The matrix fragments for mma.m16n8k8" and "… m16n8k16" of the PTX manual, its conditions one by one.
void set_fragments(const Format& format, const int (&a)[16][16], const int (&b)[16][8], const int (&c)[16][8],
                   std::vector<uint32_t>& words) {
    for (int lane = 0; lane < kMmaLanes; lane++) {
        uint32_t* of_lane = &words[static_cast<size_t>(lane * kWords)];
        const int group = lane >> 2;
        const int thread = lane % 4;
        if (format.depth == 8) {
            for (int i = 0; i < 4; i++) {
                const int row = i == 0 || i == 2 ? group : group + 8;
                const int column = i == 0 || i == 1 ? thread : thread + 4;
                of_lane[i] = encode(format, a[row][column]) | 0x1abcu; // the low 13 bits are not read
            }
            for (int i = 0; i < 2; i++) {
                of_lane[4 + i] = encode(format, b[i == 0 ? thread : thread + 4][group]) | 0x1fffu;
            }
        } else {
            for (int i = 0; i < 8; i++) {
                const int row = (0 <= i && i < 2) || (4 <= i && i < 6) ? group : group + 8;
                const int column = i < 4 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
                of_lane[i / 2] |= encode(format, a[row][column]) << (16 * (i % 2));
            }
            for (int i = 0; i < 4; i++) {
                const int row = i < 2 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
                of_lane[4 + i / 2] |= encode(format, b[row][group]) << (16 * (i % 2));
            }
        }
        for (int i = 0; i < 4; i++) {
            of_lane[6 + i] = bits_of(static_cast<float>(c[i < 2 ? group : group + 8][thread * 2 + (i & 1)]));
        }
    }
}

void expect_float(float found, float expected, const std::string& what) {
    expect(found == expected || (isnan(found) && isnan(expected)),
           what + " is " + std::to_string(found) + " (" + hex(bits_of(found)) + "); " + std::to_string(expected) +
               " (" + hex(bits_of(expected)) + ") expected");
}

} // namespace

void fragments_lie_in_the_lanes_as_ptx_has_them() {
    for (const Format& format : kFormats) {
        // Small integers, no two rows or columns alike, so that sums are exact and a wrong place shows.
        int a[16][16], b[16][8], c[16][8];
        for (int i = 0; i < 16; i++) {
            for (int k = 0; k < 16; k++) {
                a[i][k] = (i * 37 + k * 11 + i * k) % 63 - 31;
            }
            for (int j = 0; j < 8; j++) {
                b[i][j] = (i * 23 + j * 17 + i * j * 5) % 61 - 30;
                c[i][j] = 1000 * i + 100 * j;
            }
        }
        std::vector<uint32_t> words(kMmaLanes * kWords);
        set_fragments(format, a, b, c, words);
        // Two warps with the same fragments: the second shows that warps do not mix.
        words.insert(words.end(), words.begin(), words.end());
        Device device(static_cast<int>(words.size()));
        OK(cuMemcpyHtoD_v2(device.vector.x, words.data(), device.bytes()));
        gru4j_emulator_set("seed", 3);
        OK(device.launch((std::string("test_mma_") + format.name).c_str(), 1, 2 * kMmaLanes));
        const std::vector<float> y = device.y();
        for (int lane = 0; lane < 2 * kMmaLanes; lane++) {
            for (int i = 0; i < 4; i++) {
                const int row = (lane % kMmaLanes >> 2) + (i < 2 ? 0 : 8);
                const int column = lane % 4 * 2 + (i & 1);
                int expected = c[row][column];
                for (int k = 0; k < format.depth; k++) {
                    expected += a[row][k] * b[k][column];
                }
                expect_float(y[static_cast<size_t>(lane * 4 + i)], static_cast<float>(expected),
                             std::string(format.name) + ": d[" + std::to_string(i) + "] of lane " +
                                 std::to_string(lane));
            }
        }
    }
}

void a_multiply_add_adds_exactly_and_truncates() {
    // c + a0·b0 + a1·b1
    const struct {
        float c, a0, b0, a1, b1, expected;
    } sums[] = {
        {1, 0x1p-12f, 0x1p-12f, 0x1p-12f, 0x1p-13f, 1},                  // 0.75 units in the last place are dropped
        {1, 0x1p-12f, 0x1p-12f, 0x1p-12f, 0x1p-12f, 1.0f + FLT_EPSILON}, // but added up before
        {-1, -0x1p-12f, 0x1p-12f, -0x1p-12f, 0x1p-13f, -1},
        {1, -0x1p-13f, 0x1p-13f, 0, 0, 1 - FLT_EPSILON / 2}, // the next one towards zero
        {0x1p40f, -0x1p20f, 0x1p20f, 1, 1, 1},
        {FLT_MAX, 0x1p51f, 0x1p52f, 0, 0, FLT_MAX},
        {FLT_MAX, 0x1p52f, 0x1p52f, 0, 0, INFINITY},
        {-FLT_MAX, -0x1p52f, 0x1p52f, 0, 0, -INFINITY},
        {FLT_MAX, 0x1p64f, 0x1p64f, -0x1p64f, 0x1p64f, FLT_MAX}, // no sum on the way overflows
        {0, 0x1p-75f, 0x1p-74f, 0x1p-76f, 0x1p-74f, 0x1p-149f},  // 1.5 of the smallest number
        {0, 0x1p-75f, 0x1p-75f, 0, 0, 0},
        {0, INFINITY, 1, 1, 1, INFINITY},
        {0, INFINITY, 0, 1, 1, NAN},
        {0, INFINITY, 1, -INFINITY, 1, NAN},
        {1, NAN, 0, 0, 0, NAN},
        {NAN, 0, 0, 0, 0, NAN},
    };
    for (const auto& sum : sums) {
        for (MmaFormat format : {MmaFormat::TF32, MmaFormat::BF16}) {
            MmaLane lanes[kMmaLanes] = {};
            lanes[0].d[0] = sum.c;
            if (format == MmaFormat::TF32) {
                lanes[0].a[0] = round_to_tf32(sum.a0); // A[0,0], A[0,1], B[0,0], B[1,0]
                lanes[1].a[0] = round_to_tf32(sum.a1);
                lanes[0].b[0] = round_to_tf32(sum.b0);
                lanes[1].b[0] = round_to_tf32(sum.b1);
            } else {
                lanes[0].a[0] = round_to_bf16(sum.a0) | static_cast<uint32_t>(round_to_bf16(sum.a1)) << 16;
                lanes[0].b[0] = round_to_bf16(sum.b0) | static_cast<uint32_t>(round_to_bf16(sum.b1)) << 16;
            }
            multiply_add(format, lanes);
            expect_float(lanes[0].d[0], sum.expected,
                         std::to_string(sum.c) + " + " + std::to_string(sum.a0) + "·" + std::to_string(sum.b0) + " + " +
                             std::to_string(sum.a1) + "·" + std::to_string(sum.b1));
        }
    }
}

void operands_are_rounded_to_nearest() {
    // Every 9973rd float, and around it what lies at, below and above the middle between two numbers of each format.
    const uint32_t middles[][2] = {{0, 0}, {0x1fffu, 0x1000u}, {0xffffu, 0x8000u}};
    for (uint64_t sample = 0; sample < 1ULL << 32; sample += 9973) {
        for (const auto& [low, middle] : middles) {
            for (int step = low == 0 ? 0 : -1; step <= (low == 0 ? 0 : 1); step++) {
                const uint32_t bits = ((static_cast<uint32_t>(sample) & ~low) | middle) + static_cast<uint32_t>(step);
                const float value = float_of(bits);
                const float found[] = {float_of(round_to_tf32(value)), from_bf16(round_to_bf16(value)),
                                       from_fp16(round_to_fp16(value))};
                for (int i = 0; i < 3; i++) {
                    const double expected = nearest(kFormats[i], value);
                    const bool same =
                        isnan(value) ? isnan(found[i]) : found[i] == expected && signbit(found[i]) == signbit(expected);
                    expect(same, hex(bits) + " in " + kFormats[i].name + " is " + hex(bits_of(found[i])) + "; " +
                                     hex(bits_of(static_cast<float>(expected))) + " expected");
                }
            }
        }
    }
    for (float infinity : {INFINITY, -INFINITY}) {
        expect(float_of(round_to_tf32(infinity)) == infinity && from_bf16(round_to_bf16(infinity)) == infinity &&
                   from_fp16(round_to_fp16(infinity)) == infinity,
               "infinity does not stay");
    }
    // Every binary16 number is one of its own.
    for (uint32_t half = 0; half < 0x10000u; half++) {
        const uint16_t bits = static_cast<uint16_t>(half);
        const float value = from_fp16(bits);
        expect(isnan(value) ? (half & 0x7fffu) > 0x7c00u : round_to_fp16(value) == bits,
               "fp16 " + hex(half) + " comes back as " + hex(round_to_fp16(value)));
    }
}

void kernels_round_pairs_and_split_numbers() {
    const float values[] = {1.0f + 0x1p-11f, -3.1415927f, 70000, -0x1p-25f, FLT_MAX, -INFINITY, NAN, 0x1.8p-140f};
    constexpr int count = sizeof values / sizeof *values;
    Device device(5 * 32);
    OK(cuMemcpyHtoD_v2(device.vector.x, values, sizeof values));
    OK(device.launch("test_round", 1, count));
    const std::vector<float> y = device.y();
    for (int i = 0; i < count; i++) {
        const float first = values[i];
        const float second = values[(i + 1) % count];
        const float big = float_of(round_to_tf32(first));
        const uint32_t expected[] = {
            round_to_tf32(first),
            round_to_bf16(first) | static_cast<uint32_t>(round_to_bf16(second)) << 16,
            round_to_fp16(first) | static_cast<uint32_t>(round_to_fp16(second)) << 16,
            round_to_tf32(first),
            isinf(big) ? 0 : round_to_tf32(first - big),
        };
        for (int word = 0; word < 5; word++) {
            const uint32_t found = bits_of(y[static_cast<size_t>(5 * i + word)]);
            expect(found == expected[word], "word " + std::to_string(word) + " of " + std::to_string(first) + " is " +
                                                hex(found) + "; " + hex(expected[word]) + " expected");
        }
    }
    // Big and small together are within 2^−22 of the number.
    const float pi = 3.1415927f;
    const float big = float_of(round_to_tf32(pi));
    const float both = big + float_of(round_to_tf32(pi - big));
    expect(fabsf(both - pi) <= 0x1p-22f * pi && big != pi, "π is split into " + std::to_string(both));
}

} // namespace gru4j::emulator
