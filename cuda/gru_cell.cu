// SPDX-License-Identifier: Apache-2.0
//
// One step's pointwise kernels, forward and backward; gru_cell.cuh has the equations, gru_kernels.h the arguments.
// One thread owns unit j of row b and touches nothing else, so hNext may be hPrev and dh is updated in place.
//
// Cost: forward reset-after reads 7 and writes 1 float an element, 6 in training; backward reads 7 and writes 7.
// All of it is consecutive in j: the kernels run at the speed of the memory, in practice that of the L2 cache.

#include "gru_cell.cuh"
#include "gru_rows.cuh"

namespace {

/// Where unit j of row b lies in each tensor of a step.
struct GruUnit {
    int b;
    int j;
    bool exists;
    bool valid;
    long long at;       // in (B,H)
    long long at_dgh;   // of block r in (B,3H); block g lies g·H further, here and below
    long long at_gates; // of block r in (B,4H)
    long long position; // t·B + b
    long long at_gx;    // of block r in (T,B,3H)
};

GRU4J_DEVICE GruUnit gru_unit(const int* lengths, int T, int B, int H, int step, int reverse) {
    const GruElement e = gru_element(H);
    GruUnit u;
    u.b = e.row;
    u.j = e.column;
    u.exists = e.row < B && e.column < H;
    if (!u.exists) {
        return u;
    }
    const int length = gru_length(lengths, T, u.b);
    const long long row = u.b;
    u.valid = step < length;
    u.at = row * H + u.j;
    u.at_dgh = row * GRU_GATES * H + u.j;
    u.at_gates = row * GRU_KEPT_GATES * H + u.j;
    u.position = gru_position(step, length, reverse, B, u.b);
    u.at_gx = u.position * GRU_GATES * H + u.j;
    return u;
}

/// Padding: the state stays, y and gates are 0.
GRU4J_DEVICE void gru_pass_state(const GruCellForward& p, const GruUnit& u) {
    p.h_next[u.at] = p.h_prev[u.at];
    if (p.y != nullptr) {
        p.y[u.position * p.y_stride + u.j] = 0.0f;
    }
}

GRU4J_DEVICE void gru_store_state(const GruCellForward& p, const GruUnit& u, float h) {
    p.h_next[u.at] = h;
    if (p.y != nullptr) {
        p.y[u.position * p.y_stride + u.j] = h;
    }
}

GRU4J_DEVICE void gru_store_gates(const GruCellForward& p, const GruUnit& u, float r, float z, float n, float kept) {
    float* gates = p.gates + u.at_gates; // gates[b,:,j]
    gates[static_cast<long long>(GRU_RESET) * p.H] = r;
    gates[static_cast<long long>(GRU_UPDATE) * p.H] = z;
    gates[static_cast<long long>(GRU_CANDIDATE) * p.H] = n;
    gates[static_cast<long long>(GRU_KEPT) * p.H] = kept;
}

/// Block g of gx + gh at unit u, as the two terms of a gate.
GRU4J_DEVICE float gru_forward_gate(const GruCellForward& p, const GruUnit& u, int g) {
    const long long block = static_cast<long long>(g) * p.H;
    return gru_gate(p.gx[u.at_gx + block], p.gh[u.at_dgh + block]);
}

/// dh of unit u with the gradient that arrives at y.
GRU4J_DEVICE float gru_arriving(const GruCellBackward& p, const GruUnit& u) {
    const float dh = p.dh[u.at];
    return p.dy == nullptr ? dh : p.dy[u.position * p.dy_stride + u.j] + dh;
}

GRU4J_DEVICE void gru_store_dgates(const GruCellBackward& p, const GruUnit& u, int g, float dgx, float dgh) {
    const long long block = static_cast<long long>(g) * p.H;
    p.dgx[u.at_gx + block] = dgx;
    p.dgh[u.at_dgh + block] = dgh;
}

} // namespace

/// r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    n = tanh(gx_n + r ⊙ gh_n)    hNext = (1 − z) ⊙ n + z ⊙ hPrev
GRU4J_KERNEL(gru_cell_forward_reset_after_f32, GRU_ROW_THREADS, GruCellForward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        gru_pass_state(p, u);
        if (p.gates != nullptr) {
            gru_store_gates(p, u, 0.0f, 0.0f, 0.0f, 0.0f);
        }
        return;
    }
    const long long candidate = static_cast<long long>(GRU_CANDIDATE) * p.H;
    const float gh_n = p.gh[u.at_dgh + candidate];
    const float r = gru_forward_gate(p, u, GRU_RESET);
    const float z = gru_forward_gate(p, u, GRU_UPDATE);
    const float n = gru_candidate_reset_after(p.gx[u.at_gx + candidate], gh_n, r);
    gru_store_state(p, u, gru_blend(z, n, p.h_prev[u.at]));
    if (p.gates != nullptr) {
        gru_store_gates(p, u, r, z, n, gh_n);
    }
}

/// r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    rh = r ⊙ hPrev, kept in the fourth block of gates; n is not known yet.
GRU4J_KERNEL(gru_cell_forward_reset_before_gates_f32, GRU_ROW_THREADS, GruCellForward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        gru_store_gates(p, u, 0.0f, 0.0f, 0.0f, 0.0f);
        return;
    }
    const float r = gru_forward_gate(p, u, GRU_RESET);
    const float z = gru_forward_gate(p, u, GRU_UPDATE);
    gru_store_gates(p, u, r, z, 0.0f, r * p.h_prev[u.at]);
}

/// n = tanh(gx_n + gh_n)    hNext = (1 − z) ⊙ n + z ⊙ hPrev
GRU4J_KERNEL(gru_cell_forward_reset_before_candidate_f32, GRU_ROW_THREADS, GruCellForward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        gru_pass_state(p, u);
        return;
    }
    const long long candidate = static_cast<long long>(GRU_CANDIDATE) * p.H;
    float* gates = p.gates + u.at_gates; // gates[b,:,j]
    const float z = gates[static_cast<long long>(GRU_UPDATE) * p.H];
    const float n = gru_candidate_reset_before(p.gx[u.at_gx + candidate], p.gh[u.at_dgh + candidate]);
    gru_store_state(p, u, gru_blend(z, n, p.h_prev[u.at]));
    gates[candidate] = n;
}

/// dgx = [drPre, dzPre, dnPre]    dgh = [drPre, dzPre, dnPre ⊙ r]    dh = dh ⊙ z
GRU4J_KERNEL(gru_cell_backward_reset_after_f32, GRU_ROW_THREADS, GruCellBackward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        for (int g = 0; g < GRU_GATES; g++) {
            gru_store_dgates(p, u, g, 0.0f, 0.0f);
        }
        return;
    }
    const float* gates = p.gates + u.at_gates; // gates[b,:,j]
    const float r = gates[static_cast<long long>(GRU_RESET) * p.H];
    const float z = gates[static_cast<long long>(GRU_UPDATE) * p.H];
    const float n = gates[static_cast<long long>(GRU_CANDIDATE) * p.H];
    const float gh_n = gates[static_cast<long long>(GRU_KEPT) * p.H];
    const GruCellGradient d = gru_backward_reset_after(r, z, n, gh_n, p.h_prev[u.at], gru_arriving(p, u));
    gru_store_dgates(p, u, GRU_RESET, d.drPre, d.drPre);
    gru_store_dgates(p, u, GRU_UPDATE, d.dzPre, d.dzPre);
    gru_store_dgates(p, u, GRU_CANDIDATE, d.dnPre, d.dghN);
    p.dh[u.at] = d.dhPrev;
}

/// Blocks z and n of dgx = dgh    dh = dh ⊙ z
GRU4J_KERNEL(gru_cell_backward_reset_before_candidate_f32, GRU_ROW_THREADS, GruCellBackward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        gru_store_dgates(p, u, GRU_UPDATE, 0.0f, 0.0f);
        gru_store_dgates(p, u, GRU_CANDIDATE, 0.0f, 0.0f);
        return;
    }
    const float* gates = p.gates + u.at_gates; // gates[b,:,j]
    const float z = gates[static_cast<long long>(GRU_UPDATE) * p.H];
    const float n = gates[static_cast<long long>(GRU_CANDIDATE) * p.H];
    const GruCandidateGradient d = gru_backward_reset_before_candidate(z, n, p.h_prev[u.at], gru_arriving(p, u));
    gru_store_dgates(p, u, GRU_UPDATE, d.dzPre, d.dzPre);
    gru_store_dgates(p, u, GRU_CANDIDATE, d.dnPre, d.dnPre);
    p.dh[u.at] = d.dhPrev;
}

/// Block r of dgx = dgh    dh += drh ⊙ r
GRU4J_KERNEL(gru_cell_backward_reset_before_reset_f32, GRU_ROW_THREADS, GruCellBackward, p) {
    const GruUnit u = gru_unit(p.lengths, p.T, p.B, p.H, p.step, p.reverse);
    if (!u.exists) {
        return;
    }
    if (!u.valid) {
        gru_store_dgates(p, u, GRU_RESET, 0.0f, 0.0f);
        return;
    }
    const float r = p.gates[u.at_gates + static_cast<long long>(GRU_RESET) * p.H];
    const GruResetGradient d = gru_backward_reset_before_reset(r, p.h_prev[u.at], p.drh[u.at], p.dh[u.at]);
    gru_store_dgates(p, u, GRU_RESET, d.drPre, d.drPre);
    p.dh[u.at] = d.dhPrev;
}
