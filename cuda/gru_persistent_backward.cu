// SPDX-License-Identifier: Apache-2.0
//
// Persistent kernels, backward: one launch for all steps of a layer and direction. gru_persistent.cuh has the division of
// work, gru_cell.cuh the equations, gru_kernels.h the arguments.
//
// A block owns columns of W_hh, so it carries dh of its units and reads the gates' gradients, dgh, of all. Element
// (row, unit) belongs to one thread in all steps; dgh of a step is written once, so nothing is reused. Gradients of
// weights, biases and input are products over dgx and dgh after the launch.

#include "gru_cell.cuh"
#include "gru_persistent.cuh"
#include "gru_persistent_registers.cuh"

namespace {

/// A tile of rows in one step.
struct GruBackwardTile {
    int step;
    int first_row; // of the tile, in the batch
    int rows;      // of the tile
    bool active;   // whether any of its rows has this step
};

/// Where unit j of row b lies.
struct GruBackwardElement {
    int row;  // of the tile
    int unit; // of the block
    int j;
    bool valid; // not in padding
    long long at;       // in (B,H)
    long long at_state; // in (T,B,H)
    long long at_gates; // of block r in (T,B,4H), in step order
    long long at_dgh;   // of block r in (T,B,3H), in step order
    long long position; // t·B + b
    long long at_dgx;   // of block r in (T,B,3H), in time order
};

/// Calls body for every element of the tile that is this thread's.
template <int UNITS, int ROWS, typename Weights, typename Body>
GRU4J_DEVICE void gru_backward_elements(const GruPersistentBackward& p, const GruBackwardTile& tile, const Body& body) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    const int step = Weights::again(tile.step);
    const GruPersistentPart part(p.B, p.H, Weights::again(p.units), p.rows);
    for (int i = gru4j::thread_x(); i < Tile::ELEMENTS; i += GRU_PERSISTENT_THREADS) {
        GruBackwardElement e;
        e.unit = i % Tile::MAX_UNITS;
        e.row = i / Tile::MAX_UNITS;
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
GRU4J_DEVICE const float* gru_backward_dgh(const GruPersistentBackward& p, const GruBackwardTile& tile, int g) {
    return p.dgh + (static_cast<long long>(tile.step) * p.B + tile.first_row) * GRU_GATES * p.H
         + static_cast<long long>(g) * p.H;
}

/// k of the product that leads through the state: dgh of all gates, reset-before of all but the candidate.
GRU4J_DEVICE int gru_backward_depth(bool reset_before, int H) {
    return (reset_before ? GRU_CANDIDATE : GRU_GATES) * H;
}

/// dh += dgh[blocks from r on, `depth` wide]·W_hh of the same rows; padding keeps its gradient.
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_backward_through_state(const GruPersistentBackward& p, const Weights& weights,
                                             const GruBackwardTile& tile, int depth, float* s_stages) {
    if (!tile.active) {
        return;
    }
    gru_persistent_product<UNITS, ROWS, 1>(gru_backward_dgh(p, tile, GRU_RESET),
                                           static_cast<long long>(GRU_GATES) * p.H, tile.rows, depth, weights, 0, s_stages);
    gru_backward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruBackwardElement& e) {
        if (e.valid) {
            p.dh[e.at] = p.dh[e.at] + gru_persistent_sum<UNITS, ROWS, 1>(s_stages, 0, e.unit, e.row);
        }
    });
}

/// dgx = [drPre, dzPre, dnPre]    dgh = [drPre, dzPre, dnPre ⊙ r]    dh = dh ⊙ z
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_backward_cell_reset_after(const GruPersistentBackward& p, const GruBackwardTile& tile) {
    gru_backward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruBackwardElement& e) {
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
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_backward_cell_candidate(const GruPersistentBackward& p, const GruBackwardTile& tile) {
    gru_backward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruBackwardElement& e) {
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
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_backward_cell_reset(const GruPersistentBackward& p, const Weights& weights,
                                          const GruBackwardTile& tile, float* s_stages) {
    if (tile.active) {
        gru_persistent_product<UNITS, ROWS, 1>(gru_backward_dgh(p, tile, GRU_CANDIDATE),
                                               static_cast<long long>(GRU_GATES) * p.H, tile.rows, p.H, weights, 0,
                                               s_stages);
    }
    gru_backward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruBackwardElement& e) {
        if (!e.valid) {
            gru_backward_store(p, e, GRU_RESET, 0.0f, 0.0f);
            return;
        }
        const float drh = gru_persistent_sum<UNITS, ROWS, 1>(s_stages, 0, e.unit, e.row);
        const GruResetGradient d = gru_backward_reset_before_reset(gru_backward_gate(p, e, GRU_RESET),
                                                                   p.states[e.at_state], drh, p.dh[e.at]);
        gru_backward_store(p, e, GRU_RESET, d.drPre, d.drPre);
        p.dh[e.at] = d.dhPrev;
    });
}

/// All steps. s_memory: two stages, `weight_floats` of weights, which lie there already, and an int for each tile.
template <int UNITS, int ROWS, bool RESET_BEFORE, typename Weights, typename Candidate>
GRU4J_DEVICE void gru_persistent_backward_steps(const GruPersistentBackward& p, const GruPersistentPart& part,
                                                const Weights& weights, const Candidate& candidate, float* s_memory,
                                                long long weight_floats) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    const int depth = gru_backward_depth(RESET_BEFORE, p.H);
    float* s_stages = s_memory;
    int* s_steps = reinterpret_cast<int*>(s_stages + 2 * Tile::STAGE + weight_floats);
    const int group_steps = gru_persistent_steps(s_steps, p.lengths, p.T, part, Tile::MAX_ROWS);
    GruPersistentExchange<Weights> exchange(p.flags);

    for (int step = p.T - 1; step >= 0; step--) {
        auto own = [&] { return GruPersistentPart(p.B, p.H, p.units, Weights::again(p.rows)); };
        auto for_each_tile = [&](auto body) {
            for (int first = 0; first < own().rows; first += Tile::MAX_ROWS) {
                const GruPersistentPart part = own();
                GruBackwardTile tile;
                tile.step = step;
                tile.first_row = part.first_row + first;
                tile.rows = part.rows - first < Tile::MAX_ROWS ? part.rows - first : Tile::MAX_ROWS;
                tile.active = step < s_steps[first / Tile::MAX_ROWS];
                body(tile);
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
            for_each_tile([&](const GruBackwardTile& tile) { gru_backward_cell_candidate<UNITS, ROWS, Weights>(p, tile); });
            meet();
            for_each_tile([&](const GruBackwardTile& tile) { gru_backward_cell_reset<UNITS, ROWS>(p, candidate, tile, s_stages); });
        } else {
            for_each_tile([&](const GruBackwardTile& tile) { gru_backward_cell_reset_after<UNITS, ROWS, Weights>(p, tile); });
        }
        meet();
        for_each_tile([&](const GruBackwardTile& tile) { gru_backward_through_state<UNITS, ROWS>(p, weights, tile, depth, s_stages); });
    }
}

template <int UNITS, int ROWS, bool RESET_BEFORE>
GRU4J_DEVICE void gru_persistent_backward(const GruPersistentBackward& p) {
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    const int depth = gru_backward_depth(RESET_BEFORE, p.H);
    float* s_weights = s_memory + 2 * GruPersistentTile<UNITS, ROWS>::STAGE;
    const long long floats = p.units * gru_persistent_row(depth);
    const GruPersistentWeights weights = gru_persistent_load_transposed(s_weights, p.w_hh, p.H, 0, depth, part);
    if (RESET_BEFORE) {
        const GruPersistentWeights candidate =
            gru_persistent_load_transposed(s_weights + floats, p.w_hh, p.H, depth, p.H, part);
        gru_persistent_backward_steps<UNITS, ROWS, true>(p, part, weights, candidate, s_memory,
                                                         floats + p.units * gru_persistent_row(p.H));
    } else {
        gru_persistent_backward_steps<UNITS, ROWS, false>(p, part, weights, weights, s_memory, floats);
    }
}

template <int UNITS, int ROWS, bool RESET_BEFORE>
GRU4J_DEVICE void gru_persistent_backward(const GruPersistentBackwardRegisters& registers) {
    constexpr int PANELS = RESET_BEFORE ? GRU_CANDIDATE : GRU_GATES;
    const GruPersistentBackward& p = registers.layer;
    const int panel = registers.panel;
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    const int depth = gru_backward_depth(RESET_BEFORE, p.H);
    float* s_weights = s_memory + 2 * GruPersistentTile<UNITS, ROWS>::STAGE;
    const long long floats = p.units * gru_persistent_row(depth - gru_persistent_held(depth, PANELS * panel));
    const GruPersistentRegisters<1, PANELS> weights =
        gru_persistent_load_registers_transposed<PANELS>(s_weights, p.w_hh, p.H, 0, depth, panel, part);
    if (RESET_BEFORE) {
        const GruPersistentRegisters<1, 1> candidate =
            gru_persistent_load_registers_transposed<1>(s_weights + floats, p.w_hh, p.H, depth, p.H, panel, part);
        gru_persistent_backward_steps<UNITS, ROWS, true>(
            p, part, weights, candidate, s_memory,
            floats + p.units * gru_persistent_row(p.H - candidate.held()));
    } else {
        gru_persistent_backward_steps<UNITS, ROWS, false>(p, part, weights, weights, s_memory, floats);
    }
}

} // namespace

#define GRU_PERSISTENT_BACKWARD(units, rows)                                                                           \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,                   \
                 GruPersistentBackward, p) {                                                                           \
        gru_persistent_backward<units / 8, rows / 8, false>(p);                                                        \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,                  \
                 GruPersistentBackward, p) {                                                                           \
        gru_persistent_backward<units / 8, rows / 8, true>(p);                                                         \
    }

GRU_PERSISTENT_BACKWARD(8, 8)
GRU_PERSISTENT_BACKWARD(8, 32)
GRU_PERSISTENT_BACKWARD(16, 8)
GRU_PERSISTENT_BACKWARD(16, 32)

#undef GRU_PERSISTENT_BACKWARD

#define GRU_PERSISTENT_BACKWARD_REGISTERS(units, rows)                                                                 \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_registers_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,   \
                 GruPersistentBackwardRegisters, p) {                                                                  \
        gru_persistent_backward<units / 8, rows / 8, false>(p);                                                        \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_registers_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,  \
                 GruPersistentBackwardRegisters, p) {                                                                  \
        gru_persistent_backward<units / 8, rows / 8, true>(p);                                                         \
    }

GRU_PERSISTENT_BACKWARD_REGISTERS(16, 16)

#undef GRU_PERSISTENT_BACKWARD_REGISTERS
