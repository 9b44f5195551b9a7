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

namespace {

/// The state of a step in one tile.
struct GruForwardTile {
    int first_row;   // of the tile, in the batch
    int rows;        // of the tile
    bool active;     // whether any of its rows has this step
    const float* h_prev; // (B,H)
    float* h_next;       // (B,H)
    float* gates;        // (B,4H), or null
};

/// Where unit j of row b lies.
struct GruForwardElement {
    int row; // of the tile
    int unit; // of the block
    int j;
    bool valid; // not in padding
    long long at;       // in (B,H)
    long long at_gates; // of block r in (B,4H)
    long long position; // t·B + b
    long long at_gx;    // of block r in (T,B,3H)
};

/// Calls body for every element of the tile that is this thread's.
template <int UNITS, int ROWS, typename Body>
GRU4J_DEVICE void gru_forward_elements(const GruPersistentForward& p, const GruPersistentPart& part,
                                       const GruForwardTile& tile, int step, const Body& body) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
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
        e.at = row * p.H + e.j;
        e.at_gates = row * GRU_KEPT_GATES * p.H + e.j;
        e.position = gru_position(step, length, p.reverse, p.B, b);
        e.at_gx = e.position * GRU_GATES * p.H + e.j;
        body(e);
    }
}

GRU4J_DEVICE void gru_forward_gates(const GruPersistentForward& p, const GruForwardTile& tile,
                                    const GruForwardElement& e, float r, float z, float n, float kept) {
    if (tile.gates != nullptr) {
        float* gates = tile.gates + e.at_gates; // gates[b,:,j]
        gates[static_cast<long long>(GRU_RESET) * p.H] = r;
        gates[static_cast<long long>(GRU_UPDATE) * p.H] = z;
        gates[static_cast<long long>(GRU_CANDIDATE) * p.H] = n;
        gates[static_cast<long long>(GRU_KEPT) * p.H] = kept;
    }
}

GRU4J_DEVICE void gru_forward_state(const GruPersistentForward& p, const GruForwardTile& tile,
                                    const GruForwardElement& e, float h, float y) {
    tile.h_next[e.at] = h;
    if (p.y != nullptr) {
        p.y[e.position * p.y_stride + e.j] = y;
    }
}

/// Padding: the state stays and y is 0.
GRU4J_DEVICE void gru_forward_pass(const GruPersistentForward& p, const GruForwardTile& tile,
                                   const GruForwardElement& e) {
    gru_forward_state(p, tile, e, gru4j::load_l2(tile.h_prev + e.at), 0.0f);
}

/// W_hh·v + b_hh of gate g at element e; the product's lines began with gate first.
template <int UNITS, int ROWS, int LINES>
GRU4J_DEVICE float gru_forward_gh(const GruPersistentForward& p, const float* s_stages, const GruForwardElement& e, int g,
                                  int first) {
    const float sum = gru_persistent_sum<UNITS, ROWS, LINES>(s_stages, g - first, e.unit, e.row);
    return p.b_hh == nullptr ? sum : sum + p.b_hh[static_cast<long long>(g) * p.H + e.j];
}

/// r, z, n and h of one tile, reset-after.
template <int UNITS, int ROWS>
GRU4J_DEVICE void gru_forward_reset_after(const GruPersistentForward& p, const GruPersistentPart& part,
                                          const GruPersistentWeights& weights, const GruForwardTile& tile, int step,
                                          float* s_stages) {
    if (tile.active) {
        gru_persistent_product<UNITS, ROWS, GRU_GATES>(tile.h_prev + static_cast<long long>(tile.first_row) * p.H, p.H,
                                                       tile.rows, p.H, weights, GRU_RESET, s_stages);
    }
    gru_forward_elements<UNITS, ROWS>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, tile, e, 0.0f, 0.0f, 0.0f, 0.0f);
            gru_forward_pass(p, tile, e);
            return;
        }
        const float* gx = p.gx + e.at_gx; // gx[t,b,:,j]
        const float gh_n = gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_CANDIDATE, GRU_RESET);
        const float r = gru_gate(gx[0], gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_RESET, GRU_RESET));
        const float z =
            gru_gate(gx[p.H], gru_forward_gh<UNITS, ROWS, GRU_GATES>(p, s_stages, e, GRU_UPDATE, GRU_RESET));
        const float n = gru_candidate_reset_after(gx[2 * static_cast<long long>(p.H)], gh_n, r);
        const float h = gru_blend(z, n, gru4j::load_l2(tile.h_prev + e.at));
        gru_forward_state(p, tile, e, h, h);
        gru_forward_gates(p, tile, e, r, z, n, gh_n);
    });
}

/// r, z and rh = r ⊙ h of one tile, reset-before.
template <int UNITS, int ROWS>
GRU4J_DEVICE void gru_forward_reset_before_gates(const GruPersistentForward& p, const GruPersistentPart& part,
                                                 const GruPersistentWeights& weights, const GruForwardTile& tile,
                                                 int step, float* s_stages) {
    constexpr int LINES = GRU_CANDIDATE - GRU_RESET;
    if (tile.active) {
        gru_persistent_product<UNITS, ROWS, LINES>(tile.h_prev + static_cast<long long>(tile.first_row) * p.H, p.H,
                                                   tile.rows, p.H, weights, GRU_RESET, s_stages);
    }
    gru_forward_elements<UNITS, ROWS>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, tile, e, 0.0f, 0.0f, 0.0f, 0.0f);
            return;
        }
        const float* gx = p.gx + e.at_gx; // gx[t,b,:,j]
        const float r = gru_gate(gx[0], gru_forward_gh<UNITS, ROWS, LINES>(p, s_stages, e, GRU_RESET, GRU_RESET));
        const float z = gru_gate(gx[p.H], gru_forward_gh<UNITS, ROWS, LINES>(p, s_stages, e, GRU_UPDATE, GRU_RESET));
        gru_forward_gates(p, tile, e, r, z, 0.0f, r * gru4j::load_l2(tile.h_prev + e.at));
    });
}

/// n and h of one tile, reset-before.
template <int UNITS, int ROWS>
GRU4J_DEVICE void gru_forward_reset_before_candidate(const GruPersistentForward& p, const GruPersistentPart& part,
                                                     const GruPersistentWeights& weights, const GruForwardTile& tile,
                                                     int step, float* s_stages) {
    if (tile.active) {
        const long long stride = static_cast<long long>(GRU_KEPT_GATES) * p.H;
        const float* rh = tile.gates + tile.first_row * stride + static_cast<long long>(GRU_KEPT) * p.H;
        gru_persistent_product<UNITS, ROWS, 1>(rh, stride, tile.rows, p.H, weights, GRU_CANDIDATE, s_stages);
    }
    gru_forward_elements<UNITS, ROWS>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_pass(p, tile, e);
            return;
        }
        float* gates = tile.gates + e.at_gates; // gates[b,:,j]
        const long long candidate = static_cast<long long>(GRU_CANDIDATE) * p.H;
        const float gh_n = gru_forward_gh<UNITS, ROWS, 1>(p, s_stages, e, GRU_CANDIDATE, GRU_CANDIDATE);
        const float z = gates[static_cast<long long>(GRU_UPDATE) * p.H];
        const float n = gru_candidate_reset_before(p.gx[e.at_gx + candidate], gh_n);
        const float h = gru_blend(z, n, gru4j::load_l2(tile.h_prev + e.at));
        gru_forward_state(p, tile, e, h, h);
        gates[candidate] = n;
    });
}

template <int UNITS, int ROWS, bool RESET_BEFORE> GRU4J_DEVICE void gru_persistent_forward(const GruPersistentForward& p) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    float* s_stages = s_memory;
    float* s_weights = s_stages + 2 * Tile::STAGE;
    int* s_steps = reinterpret_cast<int*>(s_weights + GRU_GATES * p.units * gru_persistent_row(p.H));
    const GruPersistentWeights weights = gru_persistent_load(s_weights, p.w_hh, p.H, part);
    const int group_steps = gru_persistent_steps(s_steps, p.lengths, p.T, part, Tile::MAX_ROWS);
    GruPersistentExchange exchange(p.flags, part.blocks);

    const long long state = static_cast<long long>(p.B) * p.H;
    for (int step = 0; step < p.T; step++) {
        GruForwardTile tile;
        tile.h_prev = p.states + step % p.state_blocks * state;
        tile.h_next = p.states + (step + 1) % p.state_blocks * state;
        tile.gates = p.gates == nullptr ? nullptr : p.gates + step % p.gate_blocks * GRU_KEPT_GATES * state;
        auto for_each_tile = [&](auto body) {
            for (int first = 0; first < part.rows; first += Tile::MAX_ROWS) {
                tile.first_row = part.first_row + first;
                tile.rows = part.rows - first < Tile::MAX_ROWS ? part.rows - first : Tile::MAX_ROWS;
                tile.active = step < s_steps[first / Tile::MAX_ROWS];
                body();
            }
        };
        if (RESET_BEFORE) {
            for_each_tile([&] { gru_forward_reset_before_gates<UNITS, ROWS>(p, part, weights, tile, step, s_stages); });
            if (step < group_steps) {
                exchange.arrive();
                exchange.wait();
            }
            for_each_tile([&] { gru_forward_reset_before_candidate<UNITS, ROWS>(p, part, weights, tile, step, s_stages); });
        } else {
            for_each_tile([&] { gru_forward_reset_after<UNITS, ROWS>(p, part, weights, tile, step, s_stages); });
        }
        // Steps that no row of the group has read nothing of the others; but the first of them may write what the step
        // before it read.
        if (step < group_steps && step + 1 < p.T) {
            exchange.arrive();
            exchange.wait();
        }
    }
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
