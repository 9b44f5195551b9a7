// SPDX-License-Identifier: Apache-2.0
//
// What all matrix products share, in fp32 and on tensor cores: which part of C a block has, and the edges of its
// operands and of C.
#pragma once

#include "gru_device.cuh"
#include "gru_kernels.h"

/// Four neighbours; one 16-byte access.
struct alignas(16) GruQuad {
    float v[4];
};

/// The first `count` of four neighbours, and 0 for the others. wide: they are aligned to 16 bytes.
GRU4J_DEVICE GruQuad gru_read_quad(const float* source, int count, bool wide) {
    GruQuad quad = {{0.0f, 0.0f, 0.0f, 0.0f}};
    if (count > 0) {
        if (wide && count >= 4) {
            quad = *reinterpret_cast<const GruQuad*>(source);
        } else {
            GRU4J_UNROLL
            for (int i = 0; i < 4; i++) {
                if (i < count) {
                    quad.v[i] = source[i];
                }
            }
        }
    }
    return quad;
}

/// The tile of C that a block computes, and the k of its split.
template <int TILE> struct GruGemmBlock {
    int row0;
    int column0;
    int k0;    // 0 for a split without k
    int depth; // k of the split

    GRU4J_DEVICE explicit GruGemmBlock(const GruGemm& p) {
        row0 = gru4j::block_x() * TILE;
        column0 = gru4j::block_y() * TILE;
        const long long first_k = static_cast<long long>(gru4j::block_z()) * p.k_per_split;
        const long long k_left = p.k - first_k;
        depth = static_cast<int>(k_left < 0 ? 0 : k_left < p.k_per_split ? k_left : p.k_per_split);
        k0 = depth == 0 ? 0 : static_cast<int>(first_k);
    }

    /// C[row0,column0] of the split.
    GRU4J_DEVICE float* c(const GruGemm& p) const {
        return p.c + gru4j::block_z() * p.split_stride + row0 * p.ldc + column0;
    }
};

/// Bias and what C held are added last: dh ⊙ z is large beside the products that join it.
GRU4J_DEVICE void gru_gemm_store(const GruGemm& p, bool padding, float* c, int column, float sum) {
    if (padding) {
        if (p.accumulate == 0) {
            *c = 0.0f;
        }
        return;
    }
    if (p.bias != nullptr) {
        sum = sum + p.bias[column];
    }
    *c = p.accumulate != 0 ? *c + sum : sum;
}
