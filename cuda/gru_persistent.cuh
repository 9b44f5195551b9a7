// SPDX-License-Identifier: Apache-2.0
//
// The products of the persistent kernels in fp32: a block's part of W_hh in shared memory, and what multiplies with it.
// gru_kernels.h has arguments and launches.
//
// A block has 256 threads: 4 groups that share k, each of 8 lanes of units × 8 lanes of rows. A lane has UNITS units and
// ROWS rows, so a tile has 8·UNITS units and 8·ROWS rows. Weights stay; the other operand, which all blocks of the group
// wrote and whose address changes with every step, comes through two stages of 4096 floats.
//
// The order of a sum is that of gru_gemm_*_32x32: group g takes k = 32i + 8g … 32i + 8g + 7 for all i in order, and the
// sums of the four groups are added in order. Hence both families of kernels give the same bits, whatever the tile, and
// a plan may choose between them by speed alone.
#pragma once

#include "gru_persistent_group.cuh"

template <int UNITS, int ROWS> struct GruPersistentTile {
    static constexpr int LANES = 8;
    static constexpr int GROUPS = GRU_PERSISTENT_THREADS / (LANES * LANES);
    static constexpr int GROUP_DEPTH = 8;
    static constexpr int CHUNK = GROUPS * GROUP_DEPTH; // k after which the groups take turns again
    static constexpr int MAX_UNITS = LANES * UNITS;
    static constexpr int MAX_ROWS = LANES * ROWS;
    static constexpr int ELEMENTS = MAX_UNITS * MAX_ROWS;

    // A stage: DEPTH k of MAX_ROWS rows. The skew spreads equal k of 8 rows over all banks.
    static constexpr int DEPTH = 4 * GRU_PERSISTENT_QUADS * GRU_PERSISTENT_THREADS / MAX_ROWS;
    static constexpr int STRIDE = DEPTH + GRU_PERSISTENT_SKEW;
    static constexpr int STAGE = MAX_ROWS * STRIDE;

    // Sums of the groups, which replace the stages: [GROUPS][lines][MAX_UNITS][SUM_STRIDE].
    static constexpr int SUM_STRIDE = MAX_ROWS + 1;
    static_assert(GROUPS * GRU_GATES * MAX_UNITS * SUM_STRIDE <= 2 * STAGE, "the sums fit into the stages");
    static_assert(DEPTH % CHUNK == 0, "a stage holds whole turns of the groups");
};

/// One row of weights for each (line, unit); `length` floats from one to the next. Beyond k they are 0.
struct GruPersistentWeights {
    const float* s_weights;
    long long length;
    int units;

    GRU4J_DEVICE const float* row(int line, int unit) const {
        // Lanes beyond the last unit multiply its weights, and nobody asks for their sums.
        return s_weights + (line * units + (unit < units ? unit : units - 1)) * length;
    }
};

/// s_weights[line][unit][k] = W[line·H + first_unit + unit, first_k + k], for the forward pass. Ends without a barrier.
GRU4J_DEVICE GruPersistentWeights gru_persistent_load(float* s_weights, const float* w, int H, int first_k,
                                                      const GruPersistentPart& part) {
    const int depth = H - first_k;
    const int length = static_cast<int>(gru_persistent_row(depth));
    for (int line = 0; line < GRU_GATES * part.units; line++) {
        const int gate = line / part.units;
        const float* from = w + (static_cast<long long>(gate) * H + part.first_unit + line % part.units) * H + first_k;
        for (int k = gru4j::thread_x(); k < length; k += GRU_PERSISTENT_THREADS) {
            s_weights[static_cast<long long>(line) * length + k] = k < depth ? from[k] : 0.0f;
        }
    }
    return {s_weights, length, part.units};
}

/// s_weights[0][unit][k] = W[first_k + k, first_unit + unit], for the backward pass. Ends without a barrier.
GRU4J_DEVICE GruPersistentWeights gru_persistent_load_transposed(float* s_weights, const float* w, int H, int first_k,
                                                                 int depth, const GruPersistentPart& part) {
    const int length = static_cast<int>(gru_persistent_row(depth));
    for (int i = gru4j::thread_x(); i < length * part.units; i += GRU_PERSISTENT_THREADS) {
        const int k = i / part.units;
        const int unit = i % part.units;
        s_weights[static_cast<long long>(unit) * length + k] =
            k < depth ? w[(static_cast<long long>(first_k) + k) * H + part.first_unit + unit] : 0.0f;
    }
    return {s_weights, length, part.units};
}

/// Four neighbours in shared memory, at a multiple of 4 floats.
struct alignas(16) GruPersistentQuad {
    float v[4];
};

/**
 * The products of one tile: a(rows,depth), whose rows are `stride` floats apart, with LINES rows of weights of each unit,
 * from line first_line on. The sums lie in s_stages afterwards, see gru_persistent_sum. All threads of the block take
 * part; the last thing it does is a barrier.
 */
template <int UNITS, int ROWS, int LINES>
GRU4J_DEVICE void gru_persistent_product(const float* a, long long stride, int rows, int depth,
                                         const GruPersistentWeights& weights, int first_line, float* s_stages) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    constexpr int QUADS_A_ROW = Tile::DEPTH / 4;
    const int thread = gru4j::thread_x();
    const int unit = thread % Tile::LANES;
    const int row = thread / Tile::LANES % Tile::LANES;
    const int group = thread / (Tile::LANES * Tile::LANES);
    const bool wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(a) % 16 == 0;

    GruPersistentQuad next[GRU_PERSISTENT_QUADS];
    auto bring = [&](int first_k) {
        GRU4J_UNROLL
        for (int q = 0; q < GRU_PERSISTENT_QUADS; q++) {
            const int quad = thread + q * GRU_PERSISTENT_THREADS;
            const int of_row = quad / QUADS_A_ROW;
            const int k = first_k + quad % QUADS_A_ROW * 4;
            const float* from = a + of_row * stride + k;
            if (of_row < rows && wide && k + 4 <= depth) {
                gru4j::load_l2(next[q].v, from);
                continue;
            }
            GRU4J_UNROLL
            for (int i = 0; i < 4; i++) {
                next[q].v[i] = of_row < rows && k + i < depth ? gru4j::load_l2(from + i) : 0.0f;
            }
        }
    };
    auto store = [&](float* s_stage) {
        GRU4J_UNROLL
        for (int q = 0; q < GRU_PERSISTENT_QUADS; q++) {
            const int quad = thread + q * GRU_PERSISTENT_THREADS;
            float* to = s_stage + quad / QUADS_A_ROW * Tile::STRIDE + quad % QUADS_A_ROW * 4;
            *reinterpret_cast<GruPersistentQuad*>(to) = next[q];
        }
    };

    const float* s_rows[LINES * UNITS];
    GRU4J_UNROLL
    for (int line = 0; line < LINES; line++) {
        GRU4J_UNROLL
        for (int u = 0; u < UNITS; u++) {
            s_rows[line * UNITS + u] =
                weights.row(first_line + line, unit + u * Tile::LANES) + group * Tile::GROUP_DEPTH;
        }
    }
    float sums[LINES * UNITS][ROWS] = {};
    bring(0);
    gru4j::block_sync(); // everybody is done with what the stages held before
    store(s_stages);
    gru4j::block_sync();
    for (int first_k = 0, stage = 0; first_k < depth; first_k += Tile::DEPTH, stage++) {
        const bool more = first_k + Tile::DEPTH < depth;
        if (more) {
            bring(first_k + Tile::DEPTH);
        }
        const int left = depth - first_k < Tile::DEPTH ? depth - first_k : Tile::DEPTH;
        const float* s_stage = s_stages + stage % 2 * Tile::STAGE + row * Tile::STRIDE + group * Tile::GROUP_DEPTH;
        // Whole warps have no row where there are few.
        for (int chunk = 0; row < rows && chunk < left; chunk += Tile::CHUNK) {
            GRU4J_UNROLL
            for (int half = 0; half < Tile::GROUP_DEPTH; half += 4) {
                GruPersistentQuad of_a[ROWS];
                GRU4J_UNROLL
                for (int r = 0; r < ROWS; r++) {
                    of_a[r] = *reinterpret_cast<const GruPersistentQuad*>(s_stage + r * Tile::LANES * Tile::STRIDE +
                                                                          chunk + half);
                }
                GRU4J_UNROLL
                for (int l = 0; l < LINES * UNITS; l++) {
                    const GruPersistentQuad of_w =
                        *reinterpret_cast<const GruPersistentQuad*>(s_rows[l] + first_k + chunk + half);
                    GRU4J_UNROLL
                    for (int r = 0; r < ROWS; r++) {
                        GRU4J_UNROLL
                        for (int i = 0; i < 4; i++) {
                            sums[l][r] = fmaf(of_a[r].v[i], of_w.v[i], sums[l][r]);
                        }
                    }
                }
            }
        }
        if (more) {
            store(s_stages + (stage + 1) % 2 * Tile::STAGE);
        }
        gru4j::block_sync();
    }

    GRU4J_UNROLL
    for (int line = 0; line < LINES; line++) {
        GRU4J_UNROLL
        for (int u = 0; u < UNITS; u++) {
            float* to =
                s_stages + ((group * LINES + line) * Tile::MAX_UNITS + unit + u * Tile::LANES) * Tile::SUM_STRIDE + row;
            GRU4J_UNROLL
            for (int r = 0; r < ROWS; r++) {
                to[r * Tile::LANES] = sums[line * UNITS + u][r];
            }
        }
    }
    gru4j::block_sync();
}

/// Element (row, unit) of the product of line `line`, counted from its first_line.
template <int UNITS, int ROWS, int LINES>
GRU4J_DEVICE float gru_persistent_sum(const float* s_stages, int line, int unit, int row) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    const float* from = s_stages + (line * Tile::MAX_UNITS + unit) * Tile::SUM_STRIDE + row;
    float sum = from[0];
    GRU4J_UNROLL
    for (int group = 1; group < Tile::GROUPS; group++) {
        sum = sum + from[group * LINES * Tile::MAX_UNITS * Tile::SUM_STRIDE];
    }
    return sum;
}

/// What a block multiplies with in the forward pass.
template <int UNITS, int ROWS> class GruPersistentForwardProducts {
    using Tile = GruPersistentTile<UNITS, ROWS>;

public:
    static constexpr int MAX_UNITS = Tile::MAX_UNITS;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruPersistentForwardProducts(float* s_memory, const float* w_hh, int H, int units,
                                              const GruPersistentPart& part)
        : s_stages_(s_memory), s_end_(s_memory + 2 * Tile::STAGE + GRU_GATES * units * gru_persistent_row(H)), H_(H),
          weights_(gru_persistent_load(s_memory + 2 * Tile::STAGE, w_hh, H, 0, part)) {}

    /// a(rows,H), whose rows are `stride` floats apart, with gates FIRST … FIRST + GATES − 1; see gru_persistent_product.
    template <int FIRST, int GATES> GRU4J_DEVICE void multiply(const float* a, long long stride, int rows) const {
        gru_persistent_product<UNITS, ROWS, GATES>(a, stride, rows, H_, weights_, FIRST, s_stages_);
    }

    /// Element (row, unit) of the last product, of so many gates, for one of them, counted from its first.
    template <int GATES> GRU4J_DEVICE float sum(int gate, int unit, int row) const {
        return gru_persistent_sum<UNITS, ROWS, GATES>(s_stages_, gate, unit, row);
    }

    /// The first int behind the weights.
    GRU4J_DEVICE int* s_end() const { return reinterpret_cast<int*>(s_end_); }

private:
    float* s_stages_;
    float* s_end_;
    int H_;
    GruPersistentWeights weights_;
};

/// What a block multiplies with in the backward pass: columns of W_hh; reset-before: of W_h[r,z] and of W_hn.
template <int UNITS, int ROWS, bool RESET_BEFORE> class GruPersistentBackwardProducts {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    static constexpr int GATES = RESET_BEFORE ? GRU_CANDIDATE : GRU_GATES;

public:
    static constexpr int MAX_UNITS = Tile::MAX_UNITS;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruPersistentBackwardProducts(float* s_memory, const float* w_hh, int H, int units,
                                               const GruPersistentPart& part)
        : s_stages_(s_memory), s_end_(s_memory + 2 * Tile::STAGE + units * gru_persistent_row(GATES * H)), H_(H),
          gates_(gru_persistent_load_transposed(s_memory + 2 * Tile::STAGE, w_hh, H, 0, GATES * H, part)),
          candidate_(gates_) {
        if (RESET_BEFORE) {
            candidate_ = gru_persistent_load_transposed(s_end_, w_hh, H, GRU_CANDIDATE * H, H, part);
            s_end_ += units * gru_persistent_row(H);
        }
    }

    /// a(rows,3H) with W_hh, reset-before a(rows,2H) with W_h[r,z]; rows of a are `stride` floats apart.
    GRU4J_DEVICE void multiply_gates(const float* a, long long stride, int rows) const {
        gru_persistent_product<UNITS, ROWS, 1>(a, stride, rows, GATES * H_, gates_, 0, s_stages_);
    }

    /// a(rows,H) with W_hn, of reset-before.
    GRU4J_DEVICE void multiply_candidate(const float* a, long long stride, int rows) const {
        gru_persistent_product<UNITS, ROWS, 1>(a, stride, rows, H_, candidate_, 0, s_stages_);
    }

    /// Element (row, unit) of the last product.
    GRU4J_DEVICE float sum(int unit, int row) const {
        return gru_persistent_sum<UNITS, ROWS, 1>(s_stages_, 0, unit, row);
    }

    /// The first int behind the weights.
    GRU4J_DEVICE int* s_end() const { return reinterpret_cast<int*>(s_end_); }

private:
    float* s_stages_;
    float* s_end_;
    int H_;
    GruPersistentWeights gates_;
    GruPersistentWeights candidate_;
};
