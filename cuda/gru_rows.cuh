// SPDX-License-Identifier: Apache-2.0
//
// Which element a thread of a kernel "by row" owns, and where a row's steps lie in time; see gru_kernels.h.
#pragma once

#include "gru_device.cuh"
#include "gru_kernels.h"

/// Element (row, column) of a thread; column may lie beyond the width.
struct GruElement {
    int row;
    int column;
};

/// The grid is 1-D because a row count may exceed what its other dimensions hold.
GRU4J_DEVICE GruElement gru_element(int width) {
    const int blocks_a_row = (width + GRU_ROW_THREADS - 1) / GRU_ROW_THREADS;
    const int row = gru4j::block_x() / blocks_a_row;
    return {row, (gru4j::block_x() - row * blocks_a_row) * GRU_ROW_THREADS + gru4j::thread_x()};
}

/// Valid steps of row b.
GRU4J_DEVICE int gru_length(const int* lengths, int T, int b) {
    return lengths == nullptr ? T : lengths[b];
}

/// The position t·B + b at which row b of this length lies at its step; itself in padding.
GRU4J_DEVICE long long gru_position(int step, int length, int reverse, int B, int b) {
    const int t = reverse != 0 && step < length ? length - 1 - step : step;
    return static_cast<long long>(t) * B + b;
}

/// Whether row `row` of a (steps,batch) tensor that begins with first_step is padding.
GRU4J_DEVICE bool gru_is_padding(const int* lengths, int batch, int first_step, int row) {
    // Unsigned, because its division is the cheaper one.
    const unsigned steps = static_cast<unsigned>(row) / static_cast<unsigned>(batch);
    const unsigned b = static_cast<unsigned>(row) - steps * static_cast<unsigned>(batch);
    return first_step + static_cast<int>(steps) >= lengths[b];
}
