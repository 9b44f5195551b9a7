// SPDX-License-Identifier: Apache-2.0
//
// Exponential, σ, tanh, logarithm and powers: one text for host and device. Every operation is an IEEE operation of its own or
// an explicit fused multiply-add, so with contraction off (nvcc -fmad=false, g++ -ffp-contract=off) a CPU computes the
// very bits a GPU computes. The polynomials are those of the simd backend, whose tests state their error in ULP.
//
//   e^−a = 2^n · e^−s with n = round(−a·log2 e), s = a + n·ln 2 in ±0.347; e^−s ≈ 1 − s + s²·Q(−s). Q has degree 4 and
//   is fitted by Lawson's algorithm to the least worst relative error: of e^−s for the exponential (3.1e−9), of
//   e^−s − 1 for tanh (1.4e−8).
#pragma once

#include "gru_device.cuh"

#include <string.h>

GRU4J_HOST_DEVICE unsigned gru_bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

GRU4J_HOST_DEVICE float gru_from_bits(unsigned bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// a = −n·ln 2 + s; `shifted` holds n in its low bits.
struct GruReduced {
    float shifted;
    float s;
};

GRU4J_HOST_DEVICE GruReduced gru_reduce_exponent(float a) {
    // Adding 1.5 · 2^23 rounds to an integer and leaves it in the low bits.
    const float magic = 0x1.8p23f;
    const float shifted = fmaf(a, -0x1.715476p0f, magic);
    const float n = shifted - magic;
    return {shifted, fmaf(n, -0x1.bd0106p-13f, fmaf(n, 0x1.63p-1f, a))};
}

/// 2^(n + bias − 127) from what gru_reduce_exponent returned.
GRU4J_HOST_DEVICE float gru_power(float shifted, unsigned bias) {
    return gru_from_bits((gru_bits(shifted) + bias) << 23);
}

/// e^−a for a ≥ 0, subnormal results included; NaN stays NaN.
GRU4J_HOST_DEVICE float gru_exp_negated(float a) {
    // Beyond 104, e^−a rounds to 0 even among the subnormal floats.
    const GruReduced reduced = gru_reduce_exponent(a > 104.0f ? 104.0f : a);
    const float s = reduced.s;
    float q = fmaf(s, 0.0013814467f, -0.008368781f);
    q = fmaf(q, s, 0.041668393f);
    q = fmaf(q, s, -0.1666652f);
    q = fmaf(q, s, 0.49999994f);
    const float mantissa = fmaf(fmaf(q, s, -1.0f), s, 1.0f);
    // The exponent is built 64 too large and scaled back, which rounds subnormal results once.
    return mantissa * gru_power(reduced.shifted, 127 + 64) * 0x1p-64f;
}

/// σ(x) = 1/(1 + e^−x) for x ≥ 0, e^x/(1 + e^x) below: no overflow, full precision in both tails.
GRU4J_HOST_DEVICE float gru_sigmoid(float x) {
    const float e = gru_exp_negated(fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (e + 1.0f);
}

/**
 * With e = e^(−2|x|): tanh|x| = (1 − e)/(1 + e) from expm1 while that is below ½, so that nothing cancels near 0, and
 * 1 − 2e/(1 + e) above, where what is taken from 1 is small and its error with it. There, the gradient's 1 − tanh²
 * depends on the last bit. ±0 keeps its sign.
 */
GRU4J_HOST_DEVICE float gru_tanh(float x) {
    const float twice = fabsf(x) * 2.0f;
    // Beyond 20 = 40 / 2, tanh is 1 to the last bit.
    const float clamped = twice > 40.0f ? 40.0f : twice;
    const GruReduced reduced = gru_reduce_exponent(clamped);
    const float s = reduced.s;
    float q = fmaf(s, 0.001388251f, -0.00836658f);
    q = fmaf(q, s, 0.0416672f);
    q = fmaf(q, s, -0.16666543f);
    q = fmaf(q, s, 0.49999997f);
    const float minus_one = fmaf(q * s, s, -s); // e^−s − 1
    const float power = gru_power(reduced.shifted, 127);
    const float e = fmaf(minus_one, power, power);
    // tanh(ln 3 / 2) = ½.
    if (clamped > 1.0986123f) {
        const float size = 1.0f - (e + e) / (e + 1.0f);
        return gru_from_bits((gru_bits(x) & 0x80000000u) | gru_bits(size));
    }
    const float size = fabsf(fmaf(minus_one, power, power - 1.0f)) / (e + 1.0f);
    return gru_from_bits((gru_bits(x) & 0x80000000u) | gru_bits(size));
}

/// ln x in double for finite x ≥ 1; infinity and NaN stay. Within 1e−15 of ln x relative to max(1, ln x).
GRU4J_HOST_DEVICE double gru_log(double x) {
    unsigned long long bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = static_cast<int>(bits >> 52) - 1023;
    if (exponent >= 1024 || x != x) {
        return x;
    }
    bits = (bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof mantissa);
    if (mantissa > 0x1.6a09e667f3bcdp0) { // √2
        mantissa *= 0.5;
        exponent++;
    }
    // ln m = 2·artanh s = 2·(s + s³/3 + s⁵/5 + …); |s| ≤ 0.172, so that the first term left out is below 2^−60.
    const double s = (mantissa - 1.0) / (mantissa + 1.0);
    const double square = s * s;
    double series = 0.0;
    for (int i = 21; i >= 3; i -= 2) {
        series = fma(series, square, 1.0 / i);
    }
    const double log_mantissa = 2.0 * fma(s * square, series, s);
    return fma(static_cast<double>(exponent), 0x1.62e42fefa39efp-1, log_mantissa);
}

/// base^exponent by repeated squaring, the very products of TrainingKernels.power: the same bits on host and device.
GRU4J_HOST_DEVICE double gru_integer_power(double base, long long exponent) {
    double result = 1.0;
    for (double square = base; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) {
            result = result * square;
        }
        square = square * square;
    }
    return result;
}
