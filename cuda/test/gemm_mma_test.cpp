// SPDX-License-Identifier: Apache-2.0
//
// The products on tensor cores. Their edges are those of gemm_test.cpp, which tests the same in fp32; here fewer shapes, in
// every precision.
#include "gemm_product.h"

#include <float.h>
#include <math.h>

namespace {

/// One element; edges of a quad, a chunk of 16 k, the tile, and in the small tile a second turn of the 8 warps.
struct Shape {
    int m, n, k;
};
const std::vector<Shape> kShapes = {{1, 1, 1}, {15, 9, 17}, {33, 31, 150}};
const std::vector<Shape> kLargeShapes = {{2, 3, 16}, {129, 127, 37}};

/// Multiples of 2^−22 below 1: sums of products of their parts are exact in double, whatever their order.
std::vector<float> fractions(Random& random, size_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
        value = static_cast<float>(random.below(1 << 23) - (1 << 22)) * 0x1p-22f;
    }
    return values;
}

/// sum + Σ terms, exact, then towards zero: one multiply-add.
float truncated(float sum, const double* terms, int count) {
    double exact = sum;
    for (int i = 0; i < count; i++) {
        exact += terms[i];
    }
    const float nearest = static_cast<float>(exact);
    return fabs(static_cast<double>(nearest)) > fabs(exact) ? nextafterf(nearest, 0) : nearest;
}

/// A row of a and a column of b as gru_kernels.h tells the order of their sum.
float in_the_stated_order(Precision precision, int tile, const std::vector<Rounded>& a, const std::vector<Rounded>& b) {
    const int k = static_cast<int>(a.size());
    float sums[GRU_GEMM_WARPS] = {};
    for (int chunk = 0; chunk * GRU_GEMM_CHUNK < k; chunk++) {
        float& sum = sums[tile == GRU_GEMM_SMALL_TILE ? chunk % GRU_GEMM_WARPS : 0];
        double terms[3][GRU_GEMM_CHUNK] = {}; // small(A)·big(B), big(A)·small(B), big·big
        for (int i = 0; i < GRU_GEMM_CHUNK && chunk * GRU_GEMM_CHUNK + i < k; i++) {
            const Rounded& of_a = a[static_cast<size_t>(chunk * GRU_GEMM_CHUNK + i)];
            const Rounded& of_b = b[static_cast<size_t>(chunk * GRU_GEMM_CHUNK + i)];
            terms[0][i] = of_a.parts[1] * of_b.parts[0];
            terms[1][i] = of_a.parts[0] * of_b.parts[1];
            terms[2][i] = of_a.parts[0] * of_b.parts[0];
        }
        switch (precision) {
        case Precision::TF32X3: {
            float of_chunk = 0;
            for (int first = 0; first < GRU_GEMM_CHUNK; first += 8) {
                for (const auto& of_parts : terms) {
                    of_chunk = truncated(of_chunk, of_parts + first, 8);
                }
            }
            sum = sum + of_chunk;
            break;
        }
        case Precision::TF32:
            sum = truncated(sum, terms[2], 8);
            sum = truncated(sum, terms[2] + 8, 8);
            break;
        default:
            sum = truncated(sum, terms[2], GRU_GEMM_CHUNK);
            break;
        }
    }
    float sum = sums[0];
    for (int warp = 1; warp < GRU_GEMM_WARPS; warp++) {
        sum = sum + sums[warp];
    }
    return sum;
}

GruGemm args_of(const Tensor<float>& a, const Tensor<float>& b, const Tensor<float>& c, Op op, int m, int n, int k) {
    GruGemm args = {};
    args.a = a.at();
    args.b = b.at();
    args.c = c.at();
    args.lda = op == Op::TN ? m : k;
    args.ldb = op == Op::NT ? k : n;
    args.ldc = n;
    args.m = m;
    args.n = n;
    args.k = args.k_per_split = k;
    return args;
}

} // namespace

TEST(reduced_products_of_every_shape_are_right) {
    for (Precision precision : kReduced) {
        for (Op op : {Op::NT, Op::NN, Op::TN}) {
            Product p = {};
            p.op = op;
            p.precision = precision;
            for (int tile : {32, 128}) {
                p.tile = tile;
                for (const auto& [m, n, k] : tile == 32 ? kShapes : kLargeShapes) {
                    p.m = m;
                    p.n = n;
                    p.k = k;
                    check(p);
                }
            }
        }
    }
}

TEST(reduced_products_take_bias_and_what_c_held_and_rows_apart) {
    for (Precision precision : kReduced) {
        for (int tile : {32, 128}) {
            for (int spare : {2, 3, 4}) { // aligned for two, for none, for four
                for (Op op : {Op::NT, Op::NN, Op::TN}) {
                    Product p = {op, tile, 17, 38, 22};
                    p.bias = true;
                    p.accumulate = spare != 2;
                    p.spare = spare;
                    p.precision = precision;
                    check(p);
                }
            }
            Product empty = {Op::NT, tile, 5, 6, 0};
            empty.bias = true;
            empty.precision = precision;
            check(empty);
        }
    }
}

TEST(padding_takes_no_part_in_a_reduced_product) {
    for (Precision precision : kReduced) {
        for (Op op : {Op::NT, Op::NN, Op::TN}) {
            for (int tile : {32, 128}) {
                Product p = {op, tile, op == Op::TN ? 19 : 35, 23, op == Op::TN ? 35 : 19};
                p.accumulate = tile == 32;
                p.bias = op == Op::NT;
                p.lengths = {3, 0, 7, 5, 1};
                p.precision = precision;
                check(p);
                p.accumulate = !p.accumulate;
                p.first_step = 2;
                check(p);
            }
        }
    }
}

TEST(splits_add_up_to_the_reduced_product) {
    for (Precision precision : kReduced) {
        for (int tile : {32, 128}) {
            Product p = {Op::TN, tile, 33, 17, 70};
            p.splits = 3; // of 24 k: a chunk and a half
            p.lengths = {6, 0, 3, 7, 2, 5, 1, 4, 7, 7};
            p.precision = precision;
            check(p);
        }
    }
}

/// What Java's plans and the persistent kernels build upon: not only close, but the very order.
TEST(a_reduced_sum_has_the_stated_order) {
    for (Precision precision : kReduced) {
        for (Op op : {Op::NT, Op::NN, Op::TN}) {
            for (int tile : {32, 128}) {
                // 20 chunks, the last one short: some warps have three of them, some two.
                const int m = 18, n = 11, k = 309;
                Random random(7);
                const std::vector<float> a = fractions(random, m * k);
                const std::vector<float> b = fractions(random, n * k);
                std::vector<float> expected;
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        std::vector<Rounded> row;
                        std::vector<Rounded> column;
                        for (int x = 0; x < k; x++) {
                            row.emplace_back(precision, a[static_cast<size_t>(op == Op::TN ? x * m + i : i * k + x)]);
                            column.emplace_back(precision,
                                                b[static_cast<size_t>(op == Op::NT ? j * k + x : x * n + j)]);
                        }
                        expected.push_back(in_the_stated_order(precision, tile, row, column));
                    }
                }
                const Tensor<float> a_dev(a);
                const Tensor<float> b_dev(b);
                const Tensor<float> c_dev(m * n);
                launch_product(op, tile, precision, args_of(a_dev, b_dev, c_dev, op, m, n, k));
                expect_same_bits({std::string(kOps[static_cast<int>(op)]) + " in " +
                                      kPrecisions[static_cast<int>(precision)] + " of tile " + std::to_string(tile) +
                                      ": C",
                                  {{'m', m}, {'n', n}}},
                                 c_dev.values(), expected);
            }
        }
    }
}

/// A row's bits must not depend on the rows around it, whatever these hold, or on its place in a tile.
TEST(reduced_rows_do_not_depend_on_their_neighbours) {
    for (Precision precision : kReduced) {
        for (int tile : {32, 128}) {
            const int m = 40, n = 9, k = 50;
            Random random(3);
            std::vector<float> a = random.normals(m * k);
            const Tensor<float> b_dev(random.normals(n * k));
            const auto multiply = [&] {
                std::copy(a.begin(), a.begin() + k, a.end() - k);
                const Tensor<float> a_dev(a);
                const Tensor<float> c_dev(m * n);
                launch_product(Op::NT, tile, precision, args_of(a_dev, b_dev, c_dev, Op::NT, m, n, k));
                return c_dev.values();
            };
            const std::vector<float> c = multiply();
            a[k] = NAN; // rows 1 and 2
            a[2 * k + 1] = INFINITY;
            const std::vector<float> beside = multiply();
            const std::vector<float> first(c.begin(), c.begin() + n);
            expect_same_bits({"the last row, equal to the first", {{'n', n}}}, {c.end() - n, c.end()}, first);
            expect_same_bits({"the first row beside NaN", {{'n', n}}}, {beside.begin(), beside.begin() + n}, first);
            expect_same_bits({"the rows behind NaN", {{'m', m - 3}, {'n', n}}}, {beside.begin() + 3 * n, beside.end()},
                             {c.begin() + 3 * n, c.end()});
            for (int i = n; i < 3 * n; i++) {
                // In 3xtf32 infinity times the small part of B, which may have the other sign, makes a NaN too.
                if (isfinite(beside[static_cast<size_t>(i)])) {
                    fail("NaN and infinity of an operand do not reach their rows of C");
                }
            }
        }
    }
}

/// From 65520 on in fp16, and where rounding up leaves fp32's range in the others. In 3xtf32 infinity times a small part of 0
/// makes that a NaN.
TEST(operands_beyond_a_precision_become_infinite) {
    for (Precision precision : kReduced) {
        for (int tile : {32, 128}) {
            const Tensor<float> a_dev(std::vector<float>{70000, 65519, FLT_MAX});
            const Tensor<float> b_dev(std::vector<float>{1});
            const Tensor<float> c_dev(3);
            launch_product(Op::NT, tile, precision, args_of(a_dev, b_dev, c_dev, Op::NT, 3, 1, 1));
            std::vector<double> expected;
            for (float value : a_dev.values()) {
                expected.push_back(Rounded(precision, value).times(Rounded(precision, 1)));
            }
            expect_close({std::string("C in ") + kPrecisions[static_cast<int>(precision)], {{'m', 3}}}, c_dev.values(),
                         expected, std::vector<double>(3, 0));
        }
    }
}
