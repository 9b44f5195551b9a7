// SPDX-License-Identifier: Apache-2.0
//
// Persistent kernels, backward: one launch for all steps of a layer and direction, whatever multiplies: `Products` is
// GruPersistentBackwardProducts of gru_persistent.cuh or GruMmaBackwardProducts of gru_persistent_mma.cuh. gru_cell.cuh
// has the equations, gru_kernels.h the arguments.
//
// A block owns columns of W_hh, so it carries dh of its units and reads the gates' gradients, dgh, of all. Element
// (row, unit) belongs to one thread in all steps; dgh of a step is written once, so nothing is reused. Gradients of
// weights, biases and input are products over dgx and dgh after the launch.

#pragma once

#include "gru_cell.cuh"
#include "gru_persistent_group.cuh"

namespace {

/// A tile of rows in one step.
struct GruBackwardTile {
    int first_row; // of the tile, in the batch
    int rows;      // of the tile
    bool active;   // whether any of its rows has this step
};

/// Where unit j of row b lies.
struct GruBackwardElement {
    int row;  // of the tile
    int unit; // of the block
    int j;
    bool valid;         // not in padding
    long long at;       // in (B,H)
    long long at_state; // in (T,B,H)
    long long at_gates; // of block r in (T,B,4H), in step order
    long long at_dgh;   // of block r in (T,B,3H), in step order
    long long position; // t·B + b
    long long at_dgx;   // of block r in (T,B,3H), in time order
};

/// Calls body for every element of the tile that is this thread's.
template <typename Products, typename Body>
GRU4J_DEVICE void gru_backward_elements(const GruPersistentBackward& p, const GruPersistentPart& part,
                                        const GruBackwardTile& tile, int step, const Body& body) {
    for (int i = gru4j::thread_x(); i < Products::MAX_UNITS * Products::MAX_ROWS; i += GRU_PERSISTENT_THREADS) {
        GruBackwardElement e;
        e.unit = i % Products::MAX_UNITS;
        e.row = i / Products::MAX_UNITS;
        if (e.unit >= part.units || e.row >= tile.rows) {
            continue;
        }
        const int b = tile.first_row + e.row;
        const long long row = b;
        const long long of_step = static_cast<long long>(step) * p.B + b;
        const int length = gru_length(p.lengths, p.T, b);
        e.j = part.first_unit + e.unit;
        e.valid = step < length;
        e.at = row * p.H + e.j;
        e.at_state = of_step * p.H + e.j;
        e.at_gates = of_step * GRU_KEPT_GATES * p.H + e.j;
        e.at_dgh = of_step * GRU_GATES * p.H + e.j;
        e.position = gru_position(step, length, p.reverse, p.B, b);
        e.at_dgx = e.position * GRU_GATES * p.H + e.j;
        body(e);
    }
}

GRU4J_DEVICE void gru_backward_store(const GruPersistentBackward& p, const GruBackwardElement& e, int g, float dgx,
                                     float dgh) {
    const long long block = static_cast<long long>(g) * p.H;
    p.dgx[e.at_dgx + block] = dgx;
    p.dgh[e.at_dgh + block] = dgh;
}

/// Gate g of the forward pass at element e.
GRU4J_DEVICE float gru_backward_gate(const GruPersistentBackward& p, const GruBackwardElement& e, int g) {
    return p.gates[e.at_gates + static_cast<long long>(g) * p.H];
}

/// dh of element e with the gradient that arrives at y.
GRU4J_DEVICE float gru_backward_arriving(const GruPersistentBackward& p, const GruBackwardElement& e) {
    const float dh = p.dh[e.at];
    return p.dy == nullptr ? dh : p.dy[e.position * p.dy_stride + e.j] + dh;
}

/// Rows of a tile in dgh of a step, from block g on; rows are 3H apart.
GRU4J_DEVICE const float* gru_backward_dgh(const GruPersistentBackward& p, const GruBackwardTile& tile, int step,
                                           int g) {
    return p.dgh + (static_cast<long long>(step) * p.B + tile.first_row) * GRU_GATES * p.H +
           static_cast<long long>(g) * p.H;
}

/// dh += dgh·W_hh, of reset-before only blocks r and z; padding keeps its gradient.
template <typename Products>
GRU4J_DEVICE void gru_backward_through_state(const GruPersistentBackward& p, const GruPersistentPart& part,
                                             const Products& products, const GruBackwardTile& tile, int step) {
    if (!tile.active) {
        return;
    }
    products.multiply_gates(gru_backward_dgh(p, tile, step, GRU_RESET), static_cast<long long>(GRU_GATES) * p.H,
                            tile.rows);
    gru_backward_elements<Products>(p, part, tile, step, [&](const GruBackwardElement& e) {
        if (e.valid) {
            p.dh[e.at] = p.dh[e.at] + products.sum(e.unit, e.row);
        }
    });
}

/// dgx = [drPre, dzPre, dnPre]    dgh = [drPre, dzPre, dnPre ⊙ r]    dh = dh ⊙ z
template <typename Products>
GRU4J_DEVICE void gru_backward_cell_reset_after(const GruPersistentBackward& p, const GruPersistentPart& part,
                                                const GruBackwardTile& tile, int step) {
    gru_backward_elements<Products>(p, part, tile, step, [&](const GruBackwardElement& e) {
        if (!e.valid) {
            for (int g = 0; g < GRU_GATES; g++) {
                gru_backward_store(p, e, g, 0.0f, 0.0f);
            }
            return;
        }
        const GruCellGradient d =
            gru_backward_reset_after(gru_backward_gate(p, e, GRU_RESET), gru_backward_gate(p, e, GRU_UPDATE),
                                     gru_backward_gate(p, e, GRU_CANDIDATE), gru_backward_gate(p, e, GRU_KEPT),
                                     p.states[e.at_state], gru_backward_arriving(p, e));
        gru_backward_store(p, e, GRU_RESET, d.drPre, d.drPre);
        gru_backward_store(p, e, GRU_UPDATE, d.dzPre, d.dzPre);
        gru_backward_store(p, e, GRU_CANDIDATE, d.dnPre, d.dghN);
        p.dh[e.at] = d.dhPrev;
    });
}

/// Blocks z and n of dgx = dgh    dh = dh ⊙ z
template <typename Products>
GRU4J_DEVICE void gru_backward_cell_candidate(const GruPersistentBackward& p, const GruPersistentPart& part,
                                              const GruBackwardTile& tile, int step) {
    gru_backward_elements<Products>(p, part, tile, step, [&](const GruBackwardElement& e) {
        if (!e.valid) {
            gru_backward_store(p, e, GRU_UPDATE, 0.0f, 0.0f);
            gru_backward_store(p, e, GRU_CANDIDATE, 0.0f, 0.0f);
            return;
        }
        const GruCandidateGradient d = gru_backward_reset_before_candidate(
            gru_backward_gate(p, e, GRU_UPDATE), gru_backward_gate(p, e, GRU_CANDIDATE), p.states[e.at_state],
            gru_backward_arriving(p, e));
        gru_backward_store(p, e, GRU_UPDATE, d.dzPre, d.dzPre);
        gru_backward_store(p, e, GRU_CANDIDATE, d.dnPre, d.dnPre);
        p.dh[e.at] = d.dhPrev;
    });
}

/// drh = dgh_n·W_hn    block r of dgx = dgh    dh += drh ⊙ r
template <typename Products>
GRU4J_DEVICE void gru_backward_cell_reset(const GruPersistentBackward& p, const GruPersistentPart& part,
                                          const Products& products, const GruBackwardTile& tile, int step) {
    if (tile.active) {
        products.multiply_candidate(gru_backward_dgh(p, tile, step, GRU_CANDIDATE),
                                    static_cast<long long>(GRU_GATES) * p.H, tile.rows);
    }
    gru_backward_elements<Products>(p, part, tile, step, [&](const GruBackwardElement& e) {
        if (!e.valid) {
            gru_backward_store(p, e, GRU_RESET, 0.0f, 0.0f);
            return;
        }
        const float drh = products.sum(e.unit, e.row);
        const GruResetGradient d =
            gru_backward_reset_before_reset(gru_backward_gate(p, e, GRU_RESET), p.states[e.at_state], drh, p.dh[e.at]);
        gru_backward_store(p, e, GRU_RESET, d.drPre, d.drPre);
        p.dh[e.at] = d.dhPrev;
    });
}

template <typename Products, bool RESET_BEFORE>
GRU4J_DEVICE void gru_persistent_backward(const GruPersistentBackward& p) {
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    const Products products(s_memory, p.w_hh, p.H, p.units, part);
    int* s_steps = products.s_end();
    const int group_steps = gru_persistent_steps(s_steps, p.lengths, p.T, part, Products::MAX_ROWS);
    GruPersistentExchange exchange(p.flags, part.blocks);

    for (int step = p.T - 1; step >= 0; step--) {
        GruBackwardTile tile;
        auto for_each_tile = [&](auto body) {
            for (int first = 0; first < part.rows; first += Products::MAX_ROWS) {
                tile.first_row = part.first_row + first;
                tile.rows = part.rows - first < Products::MAX_ROWS ? part.rows - first : Products::MAX_ROWS;
                tile.active = step < s_steps[first / Products::MAX_ROWS];
                body();
            }
        };
        auto meet = [&] {
            // Steps that no row of the group has read nothing of the others.
            if (step < group_steps) {
                exchange.arrive();
                exchange.wait();
            }
        };
        if (RESET_BEFORE) {
            for_each_tile([&] { gru_backward_cell_candidate<Products>(p, part, tile, step); });
            meet();
            for_each_tile([&] { gru_backward_cell_reset(p, part, products, tile, step); });
        } else {
            for_each_tile([&] { gru_backward_cell_reset_after<Products>(p, part, tile, step); });
        }
        meet();
        for_each_tile([&] { gru_backward_through_state(p, part, products, tile, step); });
    }
}

} // namespace
