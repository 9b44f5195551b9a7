// SPDX-License-Identifier: Apache-2.0
#include "gemm_product.h"

#include <math.h>

const char* const kOps[] = {"nt", "nn", "tn"};
const char* const kPrecisions[] = {"f32", "tf32", "3xtf32", "bf16", "fp16"};
const Precision kReduced[4] = {Precision::TF32, Precision::TF32X3, Precision::BF16, Precision::FP16};

namespace {

bool is_padding(const Product& p, int row) {
    const int batch = static_cast<int>(p.lengths.size());
    return batch != 0 && p.first_step + row / batch >= p.lengths[row % batch];
}

/// The nearest number of so many significant bits and of exponents from least to most: subnormal below, infinite beyond.
double nearest(double value, int significant_bits, int least, int most, bool ties_are_even) {
    if (!isfinite(value) || value == 0) {
        return value;
    }
    int exponent = 0;
    frexp(value, &exponent); // value = ±[0.5, 1) · 2^exponent
    const int unit = (exponent - 1 < least ? least : exponent - 1) - (significant_bits - 1);
    const double units = ldexp(fabs(value), -unit);
    const double rounded = ldexp(ties_are_even ? rint(units) : floor(units + 0.5), unit);
    return copysign(rounded < ldexp(1, most + 1) ? rounded : INFINITY, value);
}

std::vector<Rounded> rounded(Precision precision, const std::vector<float>& values) {
    std::vector<Rounded> all;
    for (float value : values) {
        all.emplace_back(precision, value);
    }
    return all;
}

size_t shared_bytes(int tile, Precision precision) {
    if (precision == Precision::F32) {
        return tile == GRU_GEMM_SMALL_TILE ? GRU_GEMM_SMALL_SHARED : GRU_GEMM_LARGE_SHARED;
    }
    if (tile == GRU_GEMM_SMALL_TILE) {
        return GRU_GEMM_SMALL_MMA_SHARED;
    }
    return precision == Precision::BF16 || precision == Precision::FP16 ? GRU_GEMM_LARGE_HALF_SHARED
                                                                        : GRU_GEMM_LARGE_TF32_SHARED;
}

} // namespace

Rounded::Rounded(Precision precision, float value) : parts{value, 0}, is_split(precision == Precision::TF32X3) {
    switch (precision) {
    case Precision::F32:
        break;
    case Precision::TF32:
        parts[0] = nearest(value, 11, -126, 127, false);
        break;
    case Precision::TF32X3:
        parts[0] = nearest(value, 11, -126, 127, false);
        parts[1] = isfinite(parts[0]) ? nearest(value - parts[0], 11, -126, 127, false) : 0;
        break;
    case Precision::BF16:
        parts[0] = nearest(value, 8, -126, 127, true);
        break;
    case Precision::FP16:
        parts[0] = nearest(value, 11, -14, 15, true);
        break;
    }
}

double Rounded::times(const Rounded& other) const {
    const double big = parts[0] * other.parts[0];
    return is_split ? big + (parts[1] * other.parts[0] + parts[0] * other.parts[1]) : big;
}

void launch_product(Op op, int tile, Precision precision, const GruGemm& args, int splits) {
    launch(std::string("gru_gemm_") + kOps[static_cast<int>(op)] + (tile == 32 ? "_32x32_" : "_128x128_") +
               kPrecisions[static_cast<int>(precision)],
           &args, sizeof args, static_cast<unsigned>((args.m + tile - 1) / tile),
           static_cast<unsigned>((args.n + tile - 1) / tile), static_cast<unsigned>(splits), GRU_GEMM_THREADS,
           shared_bytes(tile, precision));
}

void check(const Product& p) {
    Random random(static_cast<uint64_t>(p.m * 10007 + p.n * 101 + p.k));
    const bool a_is_transposed = p.op == Op::TN;
    const bool b_is_transposed = p.op == Op::NT;
    const int lda = (a_is_transposed ? p.m : p.k) + p.spare;
    const int ldb = (b_is_transposed ? p.k : p.n) + p.spare;
    const int ldc = p.n + p.spare;
    const int a_rows = a_is_transposed ? p.k : p.m;
    const int b_rows = b_is_transposed ? p.n : p.k;
    std::vector<float> a = random.normals(static_cast<size_t>(a_rows) * lda);
    std::vector<float> b = random.normals(static_cast<size_t>(b_rows) * ldb);
    const std::vector<float> bias = random.normals(static_cast<size_t>(p.n));
    const std::vector<float> before = random.normals(static_cast<size_t>(p.m) * ldc);
    // What is not read holds NaN: the space between rows, and padding.
    for (int i = 0; i < a_rows * lda; i++) {
        const bool between = i % lda >= lda - p.spare;
        a[static_cast<size_t>(i)] = between || is_padding(p, i / lda) ? NAN : a[static_cast<size_t>(i)];
    }
    for (int i = 0; p.op == Op::TN && i < b_rows * ldb; i++) {
        b[static_cast<size_t>(i)] = is_padding(p, i / ldb) ? NAN : b[static_cast<size_t>(i)];
    }

    const std::vector<Rounded> rounded_a = rounded(p.precision, a);
    const std::vector<Rounded> rounded_b = rounded(p.precision, b);
    std::vector<double> expected(before.begin(), before.end());
    std::vector<double> bound(expected.size(), 0);
    for (int i = 0; i < p.m; i++) {
        for (int j = 0; j < p.n; j++) {
            const size_t at = static_cast<size_t>(i) * ldc + j;
            double sum = 0;
            double sizes = 0;
            for (int k = 0; k < p.k; k++) {
                if (p.op == Op::TN && is_padding(p, k)) {
                    continue;
                }
                const Rounded& of_a = rounded_a[static_cast<size_t>(a_is_transposed ? k * lda + i : i * lda + k)];
                const Rounded& of_b = rounded_b[static_cast<size_t>(b_is_transposed ? j * ldb + k : k * ldb + j)];
                const double product = of_a.times(of_b);
                sum += product;
                sizes += fabs(product);
            }
            if (p.op != Op::TN && is_padding(p, i)) {
                expected[at] = p.accumulate ? before[at] : 0;
                continue;
            }
            const double added = (p.bias ? bias[static_cast<size_t>(j)] : 0) + (p.accumulate ? before[at] : 0);
            expected[at] = sum + added;
            // Higham's bound of a sum: k roundings of the products' sizes, then those of what is added last. Tensor cores
            // truncate, which costs up to a whole unit; in 3xtf32 a product is three.
            const double unit = p.precision == Precision::F32 ? 0x1p-24 : 0x1p-23;
            bound[at] = (p.k + 3) * unit * (sizes + fabs(added));
        }
    }

    const std::vector<float> found = in_any_order([&] {
        const Tensor<float> a_dev(a);
        const Tensor<float> b_dev(b);
        const Tensor<float> bias_dev(bias);
        const Tensor<float> c_dev(before);
        const Tensor<int> lengths_dev(p.lengths);
        const Tensor<float> partial(static_cast<size_t>(p.splits) * p.m * p.n);
        GruGemm args = {};
        args.a = a_dev.at();
        args.b = b_dev.at();
        args.bias = p.bias ? bias_dev.at() : nullptr;
        args.c = p.splits > 1 ? partial.at() : c_dev.at();
        args.lengths = p.lengths.empty() ? nullptr : lengths_dev.at();
        args.lda = lda;
        args.ldb = ldb;
        args.ldc = p.splits > 1 ? p.n : ldc;
        args.split_stride = p.splits > 1 ? static_cast<long long>(p.m) * p.n : 0;
        args.m = p.m;
        args.n = p.n;
        args.k = p.k;
        args.k_per_split = p.splits > 1 ? (p.k + p.splits - 1) / p.splits : p.k;
        args.batch = static_cast<int>(p.lengths.size());
        args.first_step = p.first_step;
        args.accumulate = p.splits > 1 ? 0 : p.accumulate;
        launch_product(p.op, p.tile, p.precision, args, p.splits);
        if (p.splits > 1) {
            const GruSumSplits sum = {partial.at(), c_dev.at(), ldc,      args.split_stride,
                                      p.m,          p.n,        p.splits, p.accumulate};
            launch_by_row("gru_sum_splits_f32", sum, p.m, p.n);
        }
        return c_dev.values();
    });
    expect_close({std::string(kOps[static_cast<int>(p.op)]) + " in " + kPrecisions[static_cast<int>(p.precision)] +
                      " of tile " + std::to_string(p.tile) + ", m " + std::to_string(p.m) + " n " +
                      std::to_string(p.n) + " k " + std::to_string(p.k) + ": C",
                  {{'m', p.m}, {'n', ldc}}},
                 found, expected, bound);
}
