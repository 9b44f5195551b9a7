// SPDX-License-Identifier: Apache-2.0
//
// Sums over the threads of a block, always in the same order.
#pragma once

#include "gru_device.cuh"

/**
 * Σ value over the THREADS threads of the block (a power of two), returned to all of them: thread i adds what thread
 * i + THREADS/2 holds, then i + THREADS/4 and so on. s_values: THREADS doubles, free again after the call.
 */
template <int THREADS> GRU4J_DEVICE double gru_block_sum(double* s_values, double value) {
    const int thread = gru4j::thread_x();
    s_values[thread] = value;
    gru4j::block_sync();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half) {
            s_values[thread] = s_values[thread] + s_values[thread + half];
        }
        gru4j::block_sync();
    }
    const double sum = s_values[0];
    gru4j::block_sync(); // before the next use of s_values
    return sum;
}

/// Σ values by one block, returned to all its threads: thread i sums the values i, i + THREADS, …, then as above.
template <int THREADS> GRU4J_DEVICE double gru_sum_row(double* s_values, const double* values, long long count) {
    double sum = 0.0;
    for (long long i = gru4j::thread_x(); i < count; i += THREADS) {
        sum = sum + values[i];
    }
    return gru_block_sum<THREADS>(s_values, sum);
}

/// The largest value of the block; NaN counts as −∞ and is left to whoever reads the values again.
template <int THREADS> GRU4J_DEVICE float gru_block_max(double* s_values, float value) {
    const int thread = gru4j::thread_x();
    s_values[thread] = value;
    gru4j::block_sync();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half && s_values[thread + half] > s_values[thread]) {
            s_values[thread] = s_values[thread + half];
        }
        gru4j::block_sync();
    }
    const float largest = static_cast<float>(s_values[0]);
    gru4j::block_sync();
    return largest;
}
