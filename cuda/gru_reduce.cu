// SPDX-License-Identifier: Apache-2.0
//
// Sums with a fixed order and no atomics: the splits of a product, the columns of a matrix, a row of doubles.

#include "gru_device.cuh"
#include "gru_kernels.h"
#include "gru_rows.cuh"
#include "gru_sums.cuh"

/// c[i,j] = (accumulate ? c[i,j] : 0) + Σ_s partial[s,i,j]. One thread an element, s in order.
GRU4J_KERNEL(gru_sum_splits_f32, GRU_ROW_THREADS, GruSumSplits, p) {
    const GruElement e = gru_element(p.columns);
    if (e.row >= p.rows || e.column >= p.columns) {
        return;
    }
    const float* partial = p.partial + static_cast<long long>(e.row) * p.columns + e.column;
    float sum = 0.0f;
    for (int s = 0; s < p.splits; s++) {
        sum = sum + partial[s * p.split_stride];
    }
    float* c = p.c + e.row * p.ldc + e.column;
    *c = p.accumulate != 0 ? *c + sum : sum;
}

/**
 * out[j] = (accumulate ? out[j] : 0) + Σ_row a[row,j] over the rows of one split. A warp reads 32 columns of a row at
 * once; the eight warps take rows in turn, and their sums are added in order.
 */
GRU4J_KERNEL(gru_column_sums_f32, GRU_COLUMN_THREADS, GruColumnSums, p) {
    GRU4J_SHARED(float, s_sums); // [warps][GRU_COLUMN_TILE]
    constexpr int WARPS = GRU_COLUMN_THREADS / GRU_COLUMN_TILE;
    const int lane = gru4j::thread_x() % GRU_COLUMN_TILE;
    const int warp = gru4j::thread_x() / GRU_COLUMN_TILE;
    const int column = gru4j::block_x() * GRU_COLUMN_TILE + lane;
    const long long first = static_cast<long long>(gru4j::block_y()) * p.rows_per_split;
    const long long end = first + p.rows_per_split < p.rows ? first + p.rows_per_split : p.rows;
    float sum = 0.0f;
    if (column < p.columns) {
        for (long long row = first + warp; row < end; row += WARPS) {
            const bool padding =
                p.lengths != nullptr && gru_is_padding(p.lengths, p.batch, p.first_step, static_cast<int>(row));
            if (!padding) {
                sum = sum + p.a[row * p.lda + column];
            }
        }
    }
    s_sums[gru4j::thread_x()] = sum;
    gru4j::block_sync();
    if (warp == 0 && column < p.columns) {
        for (int w = 1; w < WARPS; w++) {
            sum = sum + s_sums[w * GRU_COLUMN_TILE + lane];
        }
        float* out = p.out + static_cast<long long>(gru4j::block_y()) * p.columns + column;
        *out = p.accumulate != 0 ? *out + sum : sum;
    }
}

/// result[0] = scale · Σ values.
GRU4J_KERNEL(gru_sum_f64, GRU_ELEMENT_THREADS, GruSum, p) {
    GRU4J_SHARED(double, s_values);
    const double sum = gru_sum_row<GRU_ELEMENT_THREADS>(s_values, p.values, p.count);
    if (gru4j::thread_x() == 0) {
        p.result[0] = static_cast<float>(p.scale * sum);
    }
}
