// SPDX-License-Identifier: Apache-2.0
//
// Persistent kernels, forward: one launch for all steps of a layer and direction, whatever multiplies: `Products` is
// GruPersistentForwardProducts of gru_persistent.cuh or GruMmaForwardProducts of gru_persistent_mma.cuh. gru_cell.cuh has
// the equations, gru_kernels.h the arguments.
//
// Element (row, unit) of a tile belongs to one thread in all steps. So what it wrote in the step before, its own h and
// gates, needs no exchange; the rows of h, and for reset-before of r ⊙ h, that the products read do.
//
// Memory reused while others may still read it: with two blocks of states a block writes the one that was read a step
// ago, and with one block of gates the rh of a step ago; both only after an exchange that all blocks entered when they
// were done with it.

#pragma once

#include "gru_cell.cuh"
#include "gru_persistent_group.cuh"

namespace {

/// The state of a step in one tile.
struct GruForwardTile {
    int first_row;       // of the tile, in the batch
    int rows;            // of the tile
    bool active;         // whether any of its rows has this step
    const float* h_prev; // (B,H)
    float* h_next;       // (B,H)
    float* gates;        // (B,4H), or null
};

/// Where unit j of row b lies.
struct GruForwardElement {
    int row;  // of the tile
    int unit; // of the block
    int j;
    bool valid;         // not in padding
    long long at;       // in (B,H)
    long long at_gates; // of block r in (B,4H)
    long long position; // t·B + b
    long long at_gx;    // of block r in (T,B,3H)
};

/// Calls body for every element of the tile that is this thread's.
template <typename Products, typename Body>
GRU4J_DEVICE void gru_forward_elements(const GruPersistentForward& p, const GruPersistentPart& part,
                                       const GruForwardTile& tile, int step, const Body& body) {
    for (int i = gru4j::thread_x(); i < Products::MAX_UNITS * Products::MAX_ROWS; i += GRU_PERSISTENT_THREADS) {
        GruForwardElement e;
        e.unit = i % Products::MAX_UNITS;
        e.row = i / Products::MAX_UNITS;
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
template <typename Products, int LINES>
GRU4J_DEVICE float gru_forward_gh(const GruPersistentForward& p, const Products& products, const GruForwardElement& e,
                                  int g, int first) {
    const float sum = products.template sum<LINES>(g - first, e.unit, e.row);
    return p.b_hh == nullptr ? sum : sum + p.b_hh[static_cast<long long>(g) * p.H + e.j];
}

/// r, z, n and h of one tile, reset-after.
template <typename Products>
GRU4J_DEVICE void gru_forward_reset_after(const GruPersistentForward& p, const GruPersistentPart& part,
                                          const Products& products, const GruForwardTile& tile, int step) {
    if (tile.active) {
        products.template multiply<GRU_RESET, GRU_GATES>(tile.h_prev + static_cast<long long>(tile.first_row) * p.H,
                                                         p.H, tile.rows);
    }
    gru_forward_elements<Products>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, tile, e, 0.0f, 0.0f, 0.0f, 0.0f);
            gru_forward_pass(p, tile, e);
            return;
        }
        const float* gx = p.gx + e.at_gx; // gx[t,b,:,j]
        const float gh_n = gru_forward_gh<Products, GRU_GATES>(p, products, e, GRU_CANDIDATE, GRU_RESET);
        const float r = gru_gate(gx[0], gru_forward_gh<Products, GRU_GATES>(p, products, e, GRU_RESET, GRU_RESET));
        const float z = gru_gate(gx[p.H], gru_forward_gh<Products, GRU_GATES>(p, products, e, GRU_UPDATE, GRU_RESET));
        const float n = gru_candidate_reset_after(gx[2 * static_cast<long long>(p.H)], gh_n, r);
        const float h = gru_blend(z, n, gru4j::load_l2(tile.h_prev + e.at));
        gru_forward_state(p, tile, e, h, h);
        gru_forward_gates(p, tile, e, r, z, n, gh_n);
    });
}

/// r, z and rh = r ⊙ h of one tile, reset-before.
template <typename Products>
GRU4J_DEVICE void gru_forward_reset_before_gates(const GruPersistentForward& p, const GruPersistentPart& part,
                                                 const Products& products, const GruForwardTile& tile, int step) {
    constexpr int LINES = GRU_CANDIDATE - GRU_RESET;
    if (tile.active) {
        products.template multiply<GRU_RESET, LINES>(tile.h_prev + static_cast<long long>(tile.first_row) * p.H, p.H,
                                                     tile.rows);
    }
    gru_forward_elements<Products>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_gates(p, tile, e, 0.0f, 0.0f, 0.0f, 0.0f);
            return;
        }
        const float* gx = p.gx + e.at_gx; // gx[t,b,:,j]
        const float r = gru_gate(gx[0], gru_forward_gh<Products, LINES>(p, products, e, GRU_RESET, GRU_RESET));
        const float z = gru_gate(gx[p.H], gru_forward_gh<Products, LINES>(p, products, e, GRU_UPDATE, GRU_RESET));
        gru_forward_gates(p, tile, e, r, z, 0.0f, r * gru4j::load_l2(tile.h_prev + e.at));
    });
}

/// n and h of one tile, reset-before.
template <typename Products>
GRU4J_DEVICE void gru_forward_reset_before_candidate(const GruPersistentForward& p, const GruPersistentPart& part,
                                                     const Products& products, const GruForwardTile& tile, int step) {
    if (tile.active) {
        const long long stride = static_cast<long long>(GRU_KEPT_GATES) * p.H;
        const float* rh = tile.gates + tile.first_row * stride + static_cast<long long>(GRU_KEPT) * p.H;
        products.template multiply<GRU_CANDIDATE, 1>(rh, stride, tile.rows);
    }
    gru_forward_elements<Products>(p, part, tile, step, [&](const GruForwardElement& e) {
        if (!e.valid) {
            gru_forward_pass(p, tile, e);
            return;
        }
        float* gates = tile.gates + e.at_gates; // gates[b,:,j]
        const long long candidate = static_cast<long long>(GRU_CANDIDATE) * p.H;
        const float gh_n = gru_forward_gh<Products, 1>(p, products, e, GRU_CANDIDATE, GRU_CANDIDATE);
        const float z = gates[static_cast<long long>(GRU_UPDATE) * p.H];
        const float n = gru_candidate_reset_before(p.gx[e.at_gx + candidate], gh_n);
        const float h = gru_blend(z, n, gru4j::load_l2(tile.h_prev + e.at));
        gru_forward_state(p, tile, e, h, h);
        gates[candidate] = n;
    });
}

template <typename Products, bool RESET_BEFORE> GRU4J_DEVICE void
gru_persistent_forward(const GruPersistentForward& p) {
    GRU4J_SHARED(float, s_memory);
    const GruPersistentPart part(p.B, p.H, p.units, p.rows);
    const Products products(s_memory, p.w_hh, p.H, p.units, part);
    int* s_steps = products.s_end();
    const int group_steps = gru_persistent_steps(s_steps, p.lengths, p.T, part, Products::MAX_ROWS);
    GruPersistentExchange exchange(p.flags, part.blocks);

    const long long state = static_cast<long long>(p.B) * p.H;
    for (int step = 0; step < p.T; step++) {
        GruForwardTile tile;
        tile.h_prev = p.states + step % p.state_blocks * state;
        tile.h_next = p.states + (step + 1) % p.state_blocks * state;
        tile.gates = p.gates == nullptr ? nullptr : p.gates + step % p.gate_blocks * GRU_KEPT_GATES * state;
        auto for_each_tile = [&](auto body) {
            for (int first = 0; first < part.rows; first += Products::MAX_ROWS) {
                tile.first_row = part.first_row + first;
                tile.rows = part.rows - first < Products::MAX_ROWS ? part.rows - first : Products::MAX_ROWS;
                tile.active = step < s_steps[first / Products::MAX_ROWS];
                body();
            }
        };
        if (RESET_BEFORE) {
            for_each_tile([&] { gru_forward_reset_before_gates(p, part, products, tile, step); });
            if (step < group_steps) {
                exchange.arrive();
                exchange.wait();
            }
            for_each_tile([&] { gru_forward_reset_before_candidate(p, part, products, tile, step); });
        } else {
            for_each_tile([&] { gru_forward_reset_after(p, part, products, tile, step); });
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
