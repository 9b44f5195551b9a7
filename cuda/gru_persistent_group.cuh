// SPDX-License-Identifier: Apache-2.0
//
// What all persistent kernels share, whatever multiplies: which rows and units a block has, the meetings of the blocks of
// a group, and the step after which nobody needs them. gru_kernels.h has arguments and launches.
#pragma once

#include "gru_device.cuh"
#include "gru_kernels.h"
#include "gru_rows.cuh"

/// Rows of a group of blocks, and what a block owns of them. All blocks of the group agree on all but first_unit, units.
struct GruPersistentPart {
    int first_unit;
    int units;
    int first_row;
    int rows;
    int blocks; // of the group

    GRU4J_DEVICE GruPersistentPart(int B, int H, int units_of_block, int rows_of_group) {
        first_unit = gru4j::block_x() * units_of_block;
        units = H - first_unit < units_of_block ? H - first_unit : units_of_block;
        first_row = gru4j::block_y() * rows_of_group;
        rows = B - first_row < rows_of_group ? B - first_row : rows_of_group;
        blocks = gru4j::grid_x();
    }
};

/// The meetings of the blocks of a group. What one writes before arrive() the others may read, with load_l2, after wait().
class GruPersistentExchange {
public:
    GRU4J_DEVICE GruPersistentExchange(unsigned* flags, int blocks)
        : flag_(flags + static_cast<long long>(gru4j::block_y()) * GRU_FLAG_STRIDE), blocks_(blocks), expected_(0) {}

    GRU4J_DEVICE void arrive() {
        gru4j::block_sync();
        if (gru4j::thread_x() == 0) {
            gru4j::signal(flag_);
        }
        expected_ += static_cast<unsigned>(blocks_);
    }

    GRU4J_DEVICE void wait() {
        if (gru4j::thread_x() == 0) {
            gru4j::wait_at_least(flag_, expected_);
        }
        gru4j::block_sync();
    }

private:
    unsigned* flag_;
    int blocks_;
    unsigned expected_;
};

/// One past the last step of any row in each tile, and of the group. Ends with a barrier.
GRU4J_DEVICE int gru_persistent_steps(int* s_steps, const int* lengths, int T, const GruPersistentPart& part,
                                      int tile_rows) {
    const int tiles = (part.rows + tile_rows - 1) / tile_rows;
    for (int tile = gru4j::thread_x(); tile < tiles; tile += GRU_PERSISTENT_THREADS) {
        const int first = tile * tile_rows;
        const int end = part.rows - first < tile_rows ? part.rows : first + tile_rows;
        int steps = 0;
        for (int row = first; row < end; row++) {
            const int length = gru_length(lengths, T, part.first_row + row);
            steps = length > steps ? length : steps;
        }
        s_steps[tile] = steps;
    }
    gru4j::block_sync();
    int steps = 0;
    for (int tile = 0; tile < tiles; tile++) {
        steps = s_steps[tile] > steps ? s_steps[tile] : steps;
    }
    return steps;
}
