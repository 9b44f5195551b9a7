// SPDX-License-Identifier: Apache-2.0
//
// Persistent kernels, forward: one launch for all steps of a layer and direction. gru_persistent.cuh has the division of
// work, gru_cell.cuh the equations, gru_kernels.h the arguments.
//
// Element (row, unit) of a tile belongs to one thread in all steps. So what it wrote in the step before, its own h and
// gates, needs no exchange; the rows of h, and for reset-before of r ⊙ h, that the products read do.
//
// Memory reused while others may still read it: with two blocks of states a block writes the one that was read a step
// ago, and with one block of gates the rh of a step ago; both only after an exchange that all blocks entered when they
// were done with it.

#include "gru_cell.cuh"
#include "gru_persistent.cuh"
#include "gru_persistent_registers.cuh"

namespace {

/// A tile of rows in one step.
struct GruForwardTile {
    int step;
    int first_row; // of the tile, in the batch
    int rows;      // of the tile
    bool active;   // whether any of its rows has this step
};

/// What a step reads and writes at (0, 0) of the batch.
struct GruForwardStep {
    const float* h_prev; // (B,H)
    float* h_next;       // (B,H)
    float* gates;        // (B,4H), or null

    GRU4J_DEVICE GruForwardStep(const GruPersistentForward& p, int step) {
        const long long state = static_cast<long long>(p.B) * p.H;
        h_prev = p.states + step % p.state_blocks * state;
        h_next = p.states + (step + 1) % p.state_blocks * state;
        gates = p.gates == nullptr ? nullptr : p.gates + step % p.gate_blocks * GRU_KEPT_GATES * state;
    }
};

/// Where unit j of row b lies.
struct GruForwardElement {
    int row; // of the tile
    int unit; // of the block
    int j;
    bool valid; // not in padding
    const float* h_prev;
    float* h_next;
    float* gates;       // gates[b,:,j], H apart; or null
    long long position; // t·B + b
    const float* gx;    // gx[t,b,:,j], H apart
};

/// Calls body for every element of the tile that is this thread's.
template <int UNITS, int ROWS, typename Weights, typename Body>
GRU4J_DEVICE void gru_forward_elements(const GruPersistentForward& p, const GruForwardTile& tile, const Body& body) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    const int step = Weights::again(tile.step);
    const GruForwardStep of_step(p, step);
    const GruPersistentPart part(p.B, p.H, Weights::again(p.units), p.rows);
    for (int i = gru4j::thread_x(); i < Tile::ELEMENTS; i += GRU_PERSISTENT_THREADS) {
        GruForwardElement e;
        e.unit = i % Tile::MAX_UNITS;
        e.row = i / Tile::MAX_UNITS;
        if (e.unit >= part.units || e.row >= tile.rows) {
            continue;
        }
        const int b = tile.first_row + e.row;
        const long long row = b;
        const int length = gru_length(p.lengths, p.T, b);
        e.j = part.first_unit + e.unit;
        e.valid = step < length;
        e.h_prev = of_step.h_prev + row * p.H + e.j;
        e.h_next = of_step.h_next + row * p.H + e.j;
        e.gates = of_step.gates == nullptr ? nullptr : of_step.gates + row * GRU_KEPT_GATES * p.H + e.j;
        e.position = gru_position(step, length, p.reverse, p.B, b);
        e.gx = p.gx + e.position * GRU_GATES * p.H + e.j;
        body(e);
    }
}

GRU4J_DEVICE void gru_forward_gates(const GruPersistentForward& p, const GruForwardElement& e, float r, float z, float n,
                                    float kept) {
    if (e.gates != nullptr) {
        e.gates[static_cast<long long>(GRU_RESET) * p.H] = r;
        e.gates[static_cast<long long>(GRU_UPDATE) * p.H] = z;
        e.gates[static_cast<long long>(GRU_CANDIDATE) * p.H] = n;
        e.gates[static_cast<long long>(GRU_KEPT) * p.H] = kept;
    }
}

GRU4J_DEVICE void gru_forward_state(const GruPersistentForward& p, const GruForwardElement& e, float h, float y) {
    *e.h_next = h;
    if (p.y != nullptr) {
        p.y[e.position * p.y_stride + e.j] = y;
    }
}

/// Padding: the state stays and y is 0.
GRU4J_DEVICE void gru_forward_pass(const GruPersistentForward& p, const GruForwardElement& e) {
    gru_forward_state(p, e, gru4j::load_l2(e.h_prev), 0.0f);
}

/// hPrev of the tile.
GRU4J_DEVICE const float* gru_forward_rows(const GruPersistentForward& p, const GruForwardTile& tile) {
    return GruForwardStep(p, tile.step).h_prev + static_cast<long long>(tile.first_row) * p.H;
}

/// W_hh·v + b_hh of gate g at element e; the product's lines began with gate first.
template <int UNITS, int ROWS, int LINES>
GRU4J_DEVICE float gru_forward_gh(const GruPersistentForward& p, const float* s_stages, const GruForwardElement& e, int g,
                                  int first) {
    const float sum = gru_persistent_sum<UNITS, ROWS, LINES>(s_stages, g - first, e.unit, e.row);
    return p.b_hh == nullptr ? sum : sum + p.b_hh[static_cast<long long>(g) * p.H + e.j];
}

/// r, z, n and h of one tile, reset-after.
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_forward_reset_after(const GruPersistentForward& p, const Weights& weights,
                                          const GruForwardTile& tile, float* s_stages) {
    if (tile.active) {
        gru_persistent_product<UNITS, ROWS, GRU_GATES>(gru_forward_rows(p, tile), p.H,
                                                       tile.rows, p.H, weights, GRU_RESET, s_stages);
    }
    gru_forward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, e, 0.0f, 0.0f, 0.0f, 0.0f);
            gru_forward_pass(p, e);
            return;
        }
        const float gh_n = gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_CANDIDATE, GRU_RESET);
        const float r = gru_gate(e.gx[0], gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_RESET, GRU_RESET));
        const float z =
            gru_gate(e.gx[p.H], gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_UPDATE, GRU_RESET));
        const float n = gru_candidate_reset_after(e.gx[2 * static_cast<long long>(p.H)], gh_n, r);
        const float h = gru_blend(z, n, gru4j::load_l2(e.h_prev));
        gru_forward_state(p, e, h, h);
        gru_forward_gates(p, e, r, z, n, gh_n);
    });
}

/// r, z and rh = r ⊙ h of one tile, reset-before.
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_forward_reset_before_gates(const GruPersistentForward& p, const Weights& weights,
                                          const GruForwardTile& tile, float* s_stages) {
    constexpr int LINES = GRU_CANDIDATE - GRU_RESET;
    if (tile.active) {
        gru_persistent_product<UNITS, ROWS, LINES>(gru_forward_rows(p, tile), p.H,
                                                   tile.rows, p.H, weights, GRU_RESET, s_stages);
    }
    gru_forward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, e, 0.0f, 0.0f, 0.0f, 0.0f);
            return;
        }
        const float r = gru_gate(e.gx[0], gru_forward_gh<UNITS, ROWS, LINES>(p, s_stages, e, GRU_RESET, GRU_RESET));
        const float z = gru_gate(e.gx[p.H], gru_forward_gh<UNITS, ROWS, LINES>(p, s_stages, e, GRU_UPDATE, GRU_RESET));
        gru_forward_gates(p, e, r, z, 0.0f, r * gru4j::load_l2(e.h_prev));
    });
}

/// n and h of one tile, reset-before.
template <int UNITS, int ROWS, typename Weights>
GRU4J_DEVICE void gru_forward_reset_before_candidate(const GruPersistentForward& p, const Weights& weights,
                                          const GruForwardTile& tile, float* s_stages) {
    if (tile.active) {
        const long long stride = static_cast<long long>(GRU_KEPT_GATES) * p.H;
        const float* rh = GruForwardStep(p, tile.step).gates + tile.first_row * stride + static_cast<long long>(GRU_KEPT) * p.H;
        gru_persistent_product<UNITS, ROWS, 1>(rh, stride, tile.rows, p.H, weights, GRU_CANDIDATE, s_stages);
    }
    gru_forward_elements<UNITS, ROWS, Weights>(p, tile, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_pass(p, e);
            return;
        }
        const long long candidate = static_cast<long long>(GRU_CANDIDATE) * p.H;
        const float gh_n = gru_forward_gh<UNITS, ROWS, 1>(p, s_stages, e, GRU_CANDIDATE, GRU_CANDIDATE);
        const float z = e.gates[static_cast<long long>(GRU_UPDATE) * p.H];
        const float n = gru_candidate_reset_before(e.gx[candidate], gh_n);
        const float h = gru_blend(z, n, gru4j::load_l2(e.h_prev));
        gru_forward_state(p, e, h, h);
        e.gates[candidate] = n;
    });
}

/// All steps. s_memory: two stages, `weight_floats` of weights, which lie there already, and an int for each tile.
template <int UNITS, int ROWS, bool RESET_BEFORE, typename Weights>
GRU4J_DEVICE void gru_persistent_forward_steps(const GruPersistentForward& p, const GruPersistentPart& part,
                                               const Weights& weights, float* s_memory, long long weight_floats) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    float* s_stages = s_memory;
    int* s_steps = reinterpret_cast<int*>(s_stages + 2 * Tile::STAGE + weight_floats);
    const int group_steps = gru_persistent_steps(s_steps, p.lengths, p.T, part, Tile::MAX_ROWS);
    GruPersistentExchange<Weights> exchange(p.flags);

    for (int step = 0; step < p.T; step++) {
        auto own = [&] { return GruPersistentPart(p.B, p.H, p.units, Weights::again(p.rows)); };
        auto for_each_tile = [&](auto body) {
            for (int first = 0; first < own().rows; first += Tile::MAX_ROWS) {
                const GruPersistentPart part = own();
                GruForwardTile tile;
                tile.step = step;
                tile.first_row = part.first_row + first;
                tile.rows = part.rows - first < Tile::MAX_ROWS ? part.rows - first : Tile::MAX_ROWS;
                tile.active = step < s_steps[first / Tile::MAX_ROWS];
                body(tile);
            }
        };
        if (RESET_BEFORE) {
            for_each_tile([&](const GruForwardTile& tile) { gru_forward_reset_before_gates<UNITS, ROWS>(p, weights, tile, s_stages); });
            if (step < group_steps) {
                exchange.arrive();
                exchange.wait();
            }
            for_each_tile([&](const GruForwardTile& tile) { gru_forward_reset_before_candidate<UNITS, ROWS>(p, weights, tile, s_stages); });
        } else {
            for_each_tile([&](const GruForwardTile& tile) { gru_forward_reset_after<UNITS, ROWS>(p, weights, tile, s_stages); });
        }
        // Steps that no row of the group has read nothing of the others; but the first of them may write what the step
        // before it read.
        if (step < group_steps && step + 1 < p.T) {
            exchange.arrive();
            exchange.wait();
        }
    }
}

template <int UNITS, int ROWS, bool RESET_BEFORE> GRU4J_DEVICE void gru_persistent_forward(const GruPersistentForward& p) {
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    float* s_weights = s_memory + 2 * GruPersistentTile<UNITS, ROWS>::STAGE;
    const GruPersistentWeights weights = gru_persistent_load(s_weights, p.w_hh, p.H, 0, part);
    gru_persistent_forward_steps<UNITS, ROWS, RESET_BEFORE>(p, part, weights, s_memory,
                                                            GRU_GATES * p.units * gru_persistent_row(p.H));
}

template <int UNITS, int ROWS, bool RESET_BEFORE>
GRU4J_DEVICE void gru_persistent_forward(const GruPersistentForwardRegisters& registers) {
    const GruPersistentForward& p = registers.layer;
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    float* s_weights = s_memory + 2 * GruPersistentTile<UNITS, ROWS>::STAGE;
    const GruPersistentRegisters<GRU_GATES, 1> weights =
        gru_persistent_load_registers(s_weights, p.w_hh, p.H, registers.panel, part);
    gru_persistent_forward_steps<UNITS, ROWS, RESET_BEFORE>(
        p, part, weights, s_memory, GRU_GATES * p.units * gru_persistent_row(p.H - weights.held()));
}

} // namespace

#define GRU_PERSISTENT_FORWARD(units, rows)                                                                            \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,                    \
                 GruPersistentForward, p) {                                                                            \
        gru_persistent_forward<units / 8, rows / 8, false>(p);                                                         \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,                   \
                 GruPersistentForward, p) {                                                                            \
        gru_persistent_forward<units / 8, rows / 8, true>(p);                                                          \
    }

GRU_PERSISTENT_FORWARD(8, 8)
GRU_PERSISTENT_FORWARD(8, 32)
GRU_PERSISTENT_FORWARD(16, 8)
GRU_PERSISTENT_FORWARD(16, 32)

#undef GRU_PERSISTENT_FORWARD

#define GRU_PERSISTENT_FORWARD_REGISTERS(units, rows)                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_registers_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,    \
                 GruPersistentForwardRegisters, p) {                                                                   \
        gru_persistent_forward<units / 8, rows / 8, false>(p);                                                         \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_registers_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,   \
                 GruPersistentForwardRegisters, p) {                                                                   \
        gru_persistent_forward<units / 8, rows / 8, true>(p);                                                          \
    }

GRU_PERSISTENT_FORWARD_REGISTERS(16, 16)

#undef GRU_PERSISTENT_FORWARD_REGISTERS
