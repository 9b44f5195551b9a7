// SPDX-License-Identifier: Apache-2.0
#include "gru_math.cuh"
#include "gru_philox.cuh"
#include "kernel_test.h"

#include <algorithm>
#include <math.h>
#include <string.h>

namespace {

/// The distance of two neighbouring floats at |expected|.
double ulp(double expected) {
    const float size = fabsf(static_cast<float>(expected));
    return isinf(size) ? INFINITY : static_cast<double>(nextafterf(size, INFINITY)) - size;
}

/// The function at every 997th float from first_bits on, and at the last: at most 3 ULP off, as in the simd backend.
void expect_within_three_ulp(const char* name, float (*found)(float), double (*expected)(double), uint32_t first_bits,
                             uint32_t last_bits) {
    for (uint64_t bits = first_bits; bits < uint64_t{last_bits} + 997; bits += 997) {
        const float x = gru_from_bits(static_cast<uint32_t>(std::min<uint64_t>(bits, last_bits)));
        const double error = fabs(found(x) - expected(x)) / ulp(expected(x));
        if (!(error <= 3)) {
            fail(std::string(name) + " of " + std::to_string(x) + " is " + std::to_string(error) + " ulp off; bound 3");
        }
    }
}

double sigmoid(double x) {
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

double exp_negated(double x) {
    return exp(-x);
}

void expect_equal(const char* what, float found, float expected) {
    if (gru_bits(found) != gru_bits(expected)) {
        fail(std::string(what) + " is " + std::to_string(found) + "; " + std::to_string(expected) + " expected");
    }
}

constexpr uint32_t kInfinity = 0x7f800000;
constexpr uint32_t kMinus = 0x80000000;

} // namespace

TEST(exp_sigmoid_and_tanh_are_within_three_ulp) {
    expect_within_three_ulp("exp_negated", gru_exp_negated, exp_negated, 0, kInfinity);
    expect_within_three_ulp("sigmoid", gru_sigmoid, sigmoid, 0, kInfinity);
    expect_within_three_ulp("sigmoid", gru_sigmoid, sigmoid, kMinus, kMinus | kInfinity);
    expect_within_three_ulp("tanh", gru_tanh, tanh, 0, kInfinity);
    expect_within_three_ulp("tanh", gru_tanh, tanh, kMinus, kMinus | kInfinity);
}

TEST(activations_keep_nan_signed_zero_and_the_limits) {
    expect_equal("tanh(-0)", gru_tanh(-0.0f), -0.0f);
    expect_equal("tanh(infinity)", gru_tanh(INFINITY), 1.0f);
    expect_equal("sigmoid(infinity)", gru_sigmoid(INFINITY), 1.0f);
    expect_equal("sigmoid(-infinity)", gru_sigmoid(-INFINITY), 0.0f);
    expect_equal("sigmoid(0)", gru_sigmoid(0.0f), 0.5f);
    if (!isnan(gru_tanh(NAN)) || !isnan(gru_sigmoid(NAN)) || !isnan(gru_exp_negated(NAN)) || !isnan(gru_log(NAN))) {
        fail("a function of NaN is a number");
    }
}

TEST(log_is_within_its_bound) {
    for (double x = 1; x < 1e9; x *= 1.0001) {
        if (!(fabs(gru_log(x) - log(x)) <= 1e-15 * fmax(1, log(x)))) {
            fail("log(" + std::to_string(x) + ") is " + std::to_string(gru_log(x)));
        }
    }
    if (!isinf(gru_log(INFINITY))) {
        fail("log(infinity) is finite");
    }
}

/// The known answers that the generator's authors publish with it.
TEST(philox_gives_its_published_answers) {
    const struct {
        GruPhiloxWords counter;
        unsigned long long key;
        GruPhiloxWords expected;
    } answers[] = {
        {{{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
        {{{~0u, ~0u, ~0u, ~0u}}, ~0ull, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
        {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         0x299f31d0a4093822,
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
    };
    for (const auto& answer : answers) {
        const GruPhiloxWords found = gru_philox(answer.counter, answer.key);
        if (memcmp(&found, &answer.expected, sizeof found) != 0) {
            fail("philox is wrong for key " + std::to_string(answer.key));
        }
    }
}
