// SPDX-License-Identifier: Apache-2.0
//
// The pointwise part of one step for one unit of one row: forward and backward of both variants, the twin of
// ReferenceCell, in its order and with its names. Host and device.
//
//   gx      input projection W_ih·x + b_ih of this step            gh   recurrent projection W_hh·hPrev + b_hh
//   h_prev  state entering the step, returned: the state leaving   d…   gradient of the loss with respect to …
//   r z n   reset gate, update gate, candidate
#pragma once

#include "gru_math.cuh"

/// Backward of reset-after.
struct GruCellGradient {
    float drPre;
    float dzPre;
    float dnPre;
    float dghN;
    float dhPrev;
};

/// (1 − z)·n + z·h: of the algebraically equal forms the one that is exact both at z = 0 and at z = 1.
GRU4J_HOST_DEVICE float gru_blend(float z, float n, float h) {
    return (1.0f - z) * n + z * h;
}

/// Gradient at the argument of s = σ(a), from s: ds·s·(1 − s).
GRU4J_HOST_DEVICE float gru_sigmoid_backward(float ds, float s) {
    return ds * s * (1.0f - s);
}

/// Gradient at the argument of n = tanh(a), from n: dn·(1 − n²).
GRU4J_HOST_DEVICE float gru_tanh_backward(float dn, float n) {
    return dn * (1.0f - n * n);
}

/// σ(gx + gh) of the reset or the update gate.
GRU4J_HOST_DEVICE float gru_gate(float gx, float gh) {
    return gru_sigmoid(gx + gh);
}

/// n = tanh(gx_n + r ⊙ gh_n).
GRU4J_HOST_DEVICE float gru_candidate_reset_after(float gx_n, float gh_n, float r) {
    return gru_tanh(gx_n + r * gh_n);
}

/// n = tanh(gx_n + gh_n), gh_n = W_hn·(r ⊙ hPrev) + b_hn.
GRU4J_HOST_DEVICE float gru_candidate_reset_before(float gx_n, float gh_n) {
    return gru_tanh(gx_n + gh_n);
}

/**
 * Backward, reset-after. dh arrives at hNext; dhPrev is still without the part through W_hh, dgh · W_hh.
 *
 *   dn = dh ⊙ (1 − z)        dnPre = dn ⊙ (1 − n²)
 *   dz = dh ⊙ (hPrev − n)    dzPre = dz ⊙ z ⊙ (1 − z)
 *   dr = dnPre ⊙ gh_n        drPre = dr ⊙ r ⊙ (1 − r)
 *   dgx = [drPre, dzPre, dnPre]    dgh = [drPre, dzPre, dnPre ⊙ r]    dhPrev = dh ⊙ z
 */
GRU4J_HOST_DEVICE GruCellGradient gru_backward_reset_after(float r, float z, float n, float gh_n, float h_prev,
                                                           float dh) {
    const float dn = dh * (1.0f - z);
    const float dnPre = gru_tanh_backward(dn, n);
    const float dz = dh * (h_prev - n);
    const float dzPre = gru_sigmoid_backward(dz, z);
    const float dr = dnPre * gh_n;
    const float drPre = gru_sigmoid_backward(dr, r);
    return {drPre, dzPre, dnPre, dnPre * r, dh * z};
}

/// Backward of reset-before, first half.
struct GruCandidateGradient {
    float dzPre;
    float dnPre;
    float dhPrev;
};

/**
 * Backward, reset-before, first half: back to the product with W_hn. dhPrev is still without the parts through
 * r ⊙ hPrev and through W_h[r,z].
 *
 *   dn = dh ⊙ (1 − z)        dnPre = dn ⊙ (1 − n²)
 *   dz = dh ⊙ (hPrev − n)    dzPre = dz ⊙ z ⊙ (1 − z)    dhPrev = dh ⊙ z
 */
GRU4J_HOST_DEVICE GruCandidateGradient gru_backward_reset_before_candidate(float z, float n, float h_prev, float dh) {
    const float dn = dh * (1.0f - z);
    const float dz = dh * (h_prev - n);
    return {gru_sigmoid_backward(dz, z), gru_tanh_backward(dn, n), dh * z};
}

/// Backward of reset-before, second half.
struct GruResetGradient {
    float drPre;
    float dhPrev;
};

/**
 * Backward, reset-before, second half, when drh = dnPre · W_hn is known.
 *
 *   dr = drh ⊙ hPrev    drPre = dr ⊙ r ⊙ (1 − r)    dhPrev += drh ⊙ r
 */
GRU4J_HOST_DEVICE GruResetGradient gru_backward_reset_before_reset(float r, float h_prev, float drh, float dhPrev) {
    const float dr = drh * h_prev;
    return {gru_sigmoid_backward(dr, r), dhPrev + drh * r};
}
