// SPDX-License-Identifier: Apache-2.0
//
// Rows of a table by id, forward and backward.

#include "gru_kernels.h"
#include "gru_rows.cuh"

namespace {

/// Whether an id names a row; anything but GRU_NONE that does not is a fault of the caller.
GRU4J_DEVICE bool gru_names_row(int id, int rows, int* fault) {
    if (id >= 0 && id < rows) {
        return true;
    }
    if (id != GRU_NONE && fault != nullptr) {
        *fault = 1; // all writers write the same
    }
    return false;
}

} // namespace

/// positions[k,:] = table[ids[k],:], 0 without an id.
GRU4J_KERNEL(gru_embedding_forward_f32, GRU_ROW_THREADS, GruEmbedding, p) {
    const GruElement e = gru_element(p.width);
    if (e.row >= p.n || e.column >= p.width) {
        return;
    }
    const int id = p.ids[e.row];
    const bool exists = gru_names_row(id, p.rows, p.fault);
    p.positions[static_cast<long long>(e.row) * p.width + e.column] =
        exists ? p.table[static_cast<long long>(id) * p.width + e.column] : 0.0f;
}

/**
 * table[row,:] = (accumulate ? table[row,:] : 0) + Σ positions[k,:] over the k with ids[k] = row, in the order of k.
 * Each row of the table reads all ids itself: rows · n · 4 bytes from the L1 and L2 caches instead of a sort, no
 * atomics, and the very bits of the reference.
 */
GRU4J_KERNEL(gru_embedding_backward_f32, GRU_ROW_THREADS, GruEmbedding, p) {
    if (gru4j::block_x() == 0) {
        for (int k = gru4j::thread_x(); k < p.n; k += GRU_ROW_THREADS) {
            gru_names_row(p.ids[k], p.rows, p.fault);
        }
    }
    const GruElement e = gru_element(p.width);
    if (e.row >= p.rows || e.column >= p.width) {
        return;
    }
    float* target = p.table + static_cast<long long>(e.row) * p.width + e.column;
    float sum = p.accumulate != 0 ? *target : 0.0f;
    for (int k = 0; k < p.n; k++) {
        if (p.ids[k] == e.row) {
            sum = sum + p.positions[static_cast<long long>(k) * p.width + e.column];
        }
    }
    *target = sum;
}
