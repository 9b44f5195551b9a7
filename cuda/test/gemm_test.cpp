// SPDX-License-Identifier: Apache-2.0
#include "gemm_product.h"

#include <math.h>

namespace {

/// One element; one short of, at, and one past a quad, a stage and a tile.
const int kShapes[][3] = {{1, 1, 1}, {3, 5, 2}, {31, 33, 32}, {32, 32, 33}, {33, 31, 65}, {1, 70, 40}};
const int kLargeShapes[][3] = {{1, 1, 1}, {127, 129, 9}, {128, 128, 8}, {129, 127, 17}};

} // namespace

TEST(products_of_every_shape_are_right) {
    for (Op op : {Op::NT, Op::NN, Op::TN}) {
        for (const auto& s : kShapes) {
            check({op, 32, s[0], s[1], s[2]});
        }
        for (const auto& s : kLargeShapes) {
            check({op, 128, s[0], s[1], s[2]});
        }
    }
}

TEST(products_take_bias_and_what_c_held_and_rows_apart) {
    for (Op op : {Op::NT, Op::NN, Op::TN}) {
        for (int tile : {32, 128}) {
            Product p = {op, tile, 37, 45, 21};
            p.bias = true;
            check(p);
            p.accumulate = true;
            check(p);
            p.spare = 3; // unaligned rows
            check(p);
            p.spare = 4;
            check(p);
        }
    }
}

TEST(an_empty_sum_is_bias_and_what_c_held) {
    for (int tile : {32, 128}) {
        Product p = {Op::NT, tile, 5, 6, 0};
        check(p);
        p.bias = true;
        p.accumulate = true;
        check(p);
    }
}

TEST(padding_takes_no_part_in_a_product) {
    for (Op op : {Op::NT, Op::NN, Op::TN}) {
        for (int tile : {32, 128}) {
            for (bool accumulate : {false, true}) {
                Product p = {op, tile, op == Op::TN ? 19 : 35, 23, op == Op::TN ? 35 : 19};
                p.accumulate = accumulate;
                p.bias = op == Op::NT;
                p.lengths = {3, 0, 7, 5, 1};
                check(p);
                p.first_step = 2;
                check(p);
            }
        }
    }
}

TEST(splits_add_up_to_the_product) {
    for (int tile : {32, 128}) {
        for (int splits : {2, 3, 7}) {
            Product p = {Op::TN, tile, 33, 17, 70};
            p.splits = splits;
            p.accumulate = splits == 3;
            check(p);
            p.lengths = {6, 0, 3, 7, 2, 5, 1, 4, 7, 7};
            check(p);
        }
    }
}

/// A row's bits must not depend on the rows around it, or on its place in a tile.
TEST(rows_do_not_depend_on_their_neighbours) {
    for (int tile : {32, 128}) {
        const int m = 40, n = 9, k = 50;
        Random random(3);
        std::vector<float> a = random.normals(m * k);
        std::copy(a.begin(), a.begin() + k, a.end() - k);
        const Tensor<float> a_dev(a);
        const Tensor<float> b_dev(random.normals(n * k));
        const Tensor<float> c_dev(m * n);
        GruGemm args = {};
        args.a = a_dev.at();
        args.b = b_dev.at();
        args.c = c_dev.at();
        args.lda = args.ldb = k;
        args.ldc = n;
        args.m = m;
        args.n = n;
        args.k = args.k_per_split = k;
        launch_product(Op::NT, tile, Precision::F32, args);
        const std::vector<float> c = c_dev.values();
        expect_same_bits({"the last row, equal to the first", {{'n', n}}}, {c.end() - n, c.end()},
                         {c.begin(), c.begin() + n});
    }
}

TEST(column_sums_leave_padding_out) {
    for (const std::vector<int>& lengths : {std::vector<int>(), std::vector<int>{9, 0, 4, 12, 1}}) {
        for (int splits : {1, 4}) {
            for (bool accumulate : {false, true}) {
                const int rows = 60, columns = 37, lda = 40;
                Random random(11);
                std::vector<float> a = random.normals(rows * lda);
                const std::vector<float> before = random.normals(columns);
                std::vector<double> expected(columns);
                std::vector<double> bound(columns);
                for (int j = 0; j < columns; j++) {
                    double sizes = 0;
                    expected[static_cast<size_t>(j)] = accumulate ? before[static_cast<size_t>(j)] : 0;
                    for (int row = 0; row < rows; row++) {
                        float& value = a[static_cast<size_t>(row * lda + j)];
                        if (!lengths.empty() && row / 5 >= lengths[static_cast<size_t>(row % 5)]) {
                            value = NAN;
                            continue;
                        }
                        expected[static_cast<size_t>(j)] += value;
                        sizes += fabs(value);
                    }
                    bound[static_cast<size_t>(j)] =
                        (rows + 1) * 0x1p-24 * (sizes + fabs(before[static_cast<size_t>(j)]));
                }
                const std::vector<float> found = in_any_order([&] {
                    const Tensor<float> a_dev(a);
                    const Tensor<int> lengths_dev(lengths);
                    const Tensor<float> out(before);
                    const Tensor<float> partial(static_cast<size_t>(splits) * columns);
                    const GruColumnSums args = {a_dev.at(),
                                                splits == 1 ? out.at() : partial.at(),
                                                lengths.empty() ? nullptr : lengths_dev.at(),
                                                lda,
                                                rows,
                                                columns,
                                                (rows + splits - 1) / splits,
                                                5,
                                                0,
                                                splits == 1 && accumulate};
                    launch("gru_column_sums_f32", &args, sizeof args, (columns + GRU_COLUMN_TILE - 1) / GRU_COLUMN_TILE,
                           static_cast<unsigned>(splits), 1, GRU_COLUMN_THREADS, GRU_COLUMN_SHARED);
                    if (splits > 1) {
                        const GruSumSplits sum = {partial.at(), out.at(), columns,   columns, 1,
                                                  columns,      splits,   accumulate};
                        launch_by_row("gru_sum_splits_f32", sum, 1, columns);
                    }
                    return out.values();
                });
                expect_close({"column sums", {{'j', columns}}}, found, expected, bound);
            }
        }
    }
}
