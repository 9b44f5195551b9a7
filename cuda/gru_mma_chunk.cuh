// SPDX-License-Identifier: Apache-2.0
//
// A chunk of a product on tensor cores: D(16,8) += A(16,16)·B(16,8), in the four precisions of operands. gru_device.cuh
// has the instructions and their fragments.
//
// With g = lane / 4 and t = lane % 4, a lane brings of A the k 2t, 2t+1, 2t+8, 2t+9 of rows g and g+8, of B the same k of
// column g. These are the pairs of bf16 and fp16. In tf32, where the chunk is two instructions of 8 k, the first number of
// a pair takes the place of k = t and the second that of k = t + 4, in A as in B: neighbours lie with one lane, so a read
// takes two of them.
//
// Each precision has
//
//   ROW_WORDS, WEIGHT_WORDS       words of what a lane keeps of A and of B
//   AHEAD                         chunks of 16 rows that a lane has registers for while it multiplies others
//   round_rows(to, of)            A, rounded: of[row][i] is the i-th of the four k of row g (0) and g+8 (1)
//   round_weights(to, of)         B, rounded
//   Rows, Weights, read(to, from) what a multiply-add takes, and how it is made of these words
//   multiply_add(sums, a, b)      the chunk: sums are D[g,2t], D[g,2t+1], D[g+8,2t], D[g+8,2t+1]
#pragma once

#include "gru_device.cuh"
#include "gru_kernels.h"

#ifdef GRU4J_TENSOR_CORES

/// The warp of a thread, and what is its in the fragments: see above.
struct GruMmaLane {
    int warp;
    int lane;
    int group; // lane / 4
    int pair;  // lane % 4

    GRU4J_DEVICE GruMmaLane() {
        // Fresh, or the compiler would keep every address that follows from it in registers as long as it can.
        const int thread = static_cast<int>(gru4j::fresh(static_cast<unsigned>(gru4j::thread_x())));
        warp = thread / 32;
        lane = thread % 32;
        group = lane / 4;
        pair = lane % 4;
    }

    /// The i-th of the four k that are this lane's in a chunk.
    GRU4J_DEVICE int k(int chunk, int i) const { return chunk * GRU_GEMM_CHUNK + i / 2 * 8 + 2 * pair + i % 2; }
};

/// Neighbouring words; one access of 8 or 16 bytes.
template <int WORDS> struct alignas(4 * WORDS) GruWords {
    unsigned v[WORDS];
};

/// bf16 and fp16; `Half` tells them apart.
template <typename Half> struct GruChunkOfPairs {
    static constexpr GruPrecision PRECISION = Half::PRECISION;
    static constexpr int ROW_WORDS = 4;
    static constexpr int WEIGHT_WORDS = gru_persistent_words(PRECISION);
    static constexpr int AHEAD = 4;
    using Rows = GruWords<ROW_WORDS>;
    using Weights = GruWords<WEIGHT_WORDS>;

    static GRU4J_DEVICE void round_rows(GruWords<ROW_WORDS>& to, const float (&of)[2][4]) {
        to.v[0] = Half::pair(of[0][0], of[0][1]);
        to.v[1] = Half::pair(of[1][0], of[1][1]);
        to.v[2] = Half::pair(of[0][2], of[0][3]);
        to.v[3] = Half::pair(of[1][2], of[1][3]);
    }

    static GRU4J_DEVICE void round_weights(GruWords<WEIGHT_WORDS>& to, const float (&of)[4]) {
        to.v[0] = Half::pair(of[0], of[1]);
        to.v[1] = Half::pair(of[2], of[3]);
    }

    template <int WORDS> static GRU4J_DEVICE void read(GruWords<WORDS>& to, const GruWords<WORDS>& words) {
        to = words;
    }

    static GRU4J_DEVICE void multiply_add(float (&sums)[4], const Rows& a, const Weights& b) {
        Half::multiply_add(sums, a.v, b.v);
    }
};

struct GruBf16 {
    static constexpr GruPrecision PRECISION = GRU_BF16;
    static GRU4J_DEVICE unsigned pair(float first, float second) { return gru4j::to_bf16x2(first, second); }
    static GRU4J_DEVICE void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        gru4j::mma_bf16(d, a, b);
    }
};

struct GruFp16 {
    static constexpr GruPrecision PRECISION = GRU_FP16;
    static GRU4J_DEVICE unsigned pair(float first, float second) { return gru4j::to_fp16x2(first, second); }
    static GRU4J_DEVICE void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        gru4j::mma_fp16(d, a, b);
    }
};

using GruChunkBf16 = GruChunkOfPairs<GruBf16>;
using GruChunkFp16 = GruChunkOfPairs<GruFp16>;

/// Words of both instructions, in their order.
template <int WORDS> struct GruTwice {
    unsigned v[2][WORDS];
};

struct GruChunkTf32 {
    static constexpr GruPrecision PRECISION = GRU_TF32;
    static constexpr int ROW_WORDS = 8;
    static constexpr int WEIGHT_WORDS = gru_persistent_words(PRECISION);
    static constexpr int AHEAD = 4;

    using Rows = GruTwice<4>;
    using Weights = GruTwice<2>;

    static GRU4J_DEVICE void round_rows(GruWords<ROW_WORDS>& to, const float (&of)[2][4]) {
        GRU4J_UNROLL
        for (int i = 0; i < ROW_WORDS; i++) {
            to.v[i] = gru4j::to_tf32(of[i % 2][i / 2]);
        }
    }

    static GRU4J_DEVICE void round_weights(GruWords<WEIGHT_WORDS>& to, const float (&of)[4]) {
        GRU4J_UNROLL
        for (int i = 0; i < WEIGHT_WORDS; i++) {
            to.v[i] = gru4j::to_tf32(of[i]);
        }
    }

    template <int WORDS> static GRU4J_DEVICE void read(GruTwice<WORDS>& to, const GruWords<2 * WORDS>& words) {
        GRU4J_UNROLL
        for (int i = 0; i < 2 * WORDS; i++) {
            to.v[i / WORDS][i % WORDS] = words.v[i];
        }
    }

    static GRU4J_DEVICE void multiply_add(float (&sums)[4], const Rows& a, const Weights& b) {
        gru4j::mma_tf32(sums, a.v[0], b.v[0]);
        gru4j::mma_tf32(sums, a.v[1], b.v[1]);
    }
};

/// Keeps fp32 and splits when it multiplies: both parts would take twice the room.
struct GruChunkTf32x3 {
    static constexpr GruPrecision PRECISION = GRU_TF32X3;
    static constexpr int ROW_WORDS = 8;
    static constexpr int WEIGHT_WORDS = gru_persistent_words(PRECISION);
    static constexpr int AHEAD = 2;

    template <int WORDS> struct Split {
        GruTwice<WORDS> big;
        GruTwice<WORDS> small;
    };
    using Rows = Split<4>;
    using Weights = Split<2>;

    static GRU4J_DEVICE void round_rows(GruWords<ROW_WORDS>& to, const float (&of)[2][4]) {
        GRU4J_UNROLL
        for (int i = 0; i < ROW_WORDS; i++) {
            to.v[i] = gru4j::bits_of(of[i % 2][i / 2]);
        }
    }

    static GRU4J_DEVICE void round_weights(GruWords<WEIGHT_WORDS>& to, const float (&of)[4]) {
        GRU4J_UNROLL
        for (int i = 0; i < WEIGHT_WORDS; i++) {
            to.v[i] = gru4j::bits_of(of[i]);
        }
    }

    template <int WORDS> static GRU4J_DEVICE void read(Split<WORDS>& to, const GruWords<2 * WORDS>& words) {
        GRU4J_UNROLL
        for (int i = 0; i < 2 * WORDS; i++) {
            // Fresh, or the compiler would split the weights once for all steps and keep both parts.
            const float value = gru4j::float_of(gru4j::fresh(words.v[i]));
            gru4j::split_tf32(value, to.big.v[i / WORDS][i % WORDS], to.small.v[i / WORDS][i % WORDS]);
        }
    }

    /// From zero and added by an ordinary addition, which rounds: tensor cores truncate, which over many chunks would lose
    /// what the small parts are for.
    static GRU4J_DEVICE void multiply_add(float (&sums)[4], const Rows& a, const Weights& b) {
        float chunk[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        GRU4J_UNROLL
        for (int i = 0; i < 2; i++) {
            gru4j::mma_tf32(chunk, a.small.v[i], b.big.v[i]);
            gru4j::mma_tf32(chunk, a.big.v[i], b.small.v[i]);
            gru4j::mma_tf32(chunk, a.big.v[i], b.big.v[i]);
        }
        GRU4J_UNROLL
        for (int i = 0; i < 4; i++) {
            sums[i] = sums[i] + chunk[i];
        }
    }
};

#endif
