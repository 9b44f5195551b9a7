// SPDX-License-Identifier: Apache-2.0
//
// Blocks, grids and shared memory of the kernels' launches. gru_kernels.h has the kernels.
#pragma once

// For functions of host and device: this file is read by compilers that know nothing of CUDA, too.
#ifdef __CUDACC__
#define GRU_EVERYWHERE __host__ __device__ inline
#else
#define GRU_EVERYWHERE inline
#endif

/// Blocks of a 3H row, and of a 4H row of gates.
enum {
    GRU_RESET = 0,
    GRU_UPDATE = 1,
    GRU_CANDIDATE = 2,
    GRU_GATES = 3,
    /// Fourth block of gates: gh_n of reset-after, rh = r ⊙ hPrev of reset-before.
    GRU_KEPT = 3,
    GRU_KEPT_GATES = 4,
    /// Id or target of a row without one.
    GRU_NONE = -1,
};

/// Launches. Where a kernel needs dynamic shared memory, the bytes are given.
enum {
    // gru_gemm_{nt,nn,tn}_128x128_f32: for products with at least some hundred tiles.
    // gru_gemm_{nt,nn,tn}_32x32_f32: for all others; four groups of threads share the k of one tile.
    // Grid: (ceil(m / tile), ceil(n / tile), splits), block: GRU_GEMM_THREADS. The second and third are at most 65535.
    GRU_GEMM_THREADS = 256,
    GRU_GEMM_LARGE_TILE = 128,
    GRU_GEMM_LARGE_SHARED = 2 * 2 * 8 * 132 * 4,
    GRU_GEMM_SMALL_TILE = 32,
    GRU_GEMM_SMALL_SHARED = 2 * 2 * 32 * 36 * 4,

    // gru_gemm_{nt,nn,tn}_{128x128,32x32}_{tf32,3xtf32,bf16,fp16}, on tensor cores: the same grid and block. Chunks of k
    // and warps, which are the order of their sums; shared memory of the large tile in tf32 and 3xtf32, of the large tile
    // in bf16 and fp16, of the small tile.
    GRU_GEMM_CHUNK = 16,
    GRU_GEMM_WARPS = GRU_GEMM_THREADS / 32,
    GRU_GEMM_LARGE_TF32_SHARED = 2 * 2 * 16 * 132 * 4,
    GRU_GEMM_LARGE_HALF_SHARED = 2 * 2 * 8 * 136 * 4,
    GRU_GEMM_SMALL_MMA_SHARED = GRU_GEMM_WARPS * 32 * 40 * 4,

    // Kernels "by row": grid (rows · ceil(width / GRU_ROW_THREADS)), block GRU_ROW_THREADS.
    GRU_ROW_THREADS = 128,

    // Kernels "by element": grid any (ceil(n / GRU_ELEMENT_THREADS), at most some thousands), block
    // GRU_ELEMENT_THREADS; every thread strides over the elements. Where a block leaves a partial sum, the result
    // depends on the grid, so it must be a function of the sizes alone.
    GRU_ELEMENT_THREADS = 256,

    // Sums over a block need one double for each of its threads.
    GRU_SUM_SHARED = GRU_ELEMENT_THREADS * 8,

    // gru_adam_f32: the two factors that one thread computes for its block.
    GRU_ADAM_SHARED = 2 * 4,

    // gru_column_sums_f32: grid (ceil(columns / GRU_COLUMN_TILE), splits), block GRU_COLUMN_THREADS.
    GRU_COLUMN_TILE = 32,
    GRU_COLUMN_THREADS = 256,
    GRU_COLUMN_SHARED = GRU_COLUMN_THREADS * 4,

    // gru_persistent_{forward,backward}_reset_{after,before}_UxR_f32, U units and R rows in one tile: cooperative launch,
    // grid (ceil(H / units), ceil(B / rows)) with units ≤ U, block GRU_PERSISTENT_THREADS. Shared memory:
    // gru_persistent_shared_bytes().
    GRU_PERSISTENT_THREADS = 256,
    /// Quads that a thread brings in one stage.
    GRU_PERSISTENT_QUADS = 4,
    /// A row of weights in shared memory begins this many floats behind the next multiple of 32.
    GRU_PERSISTENT_SKEW = 4,
    /// Tiles of 16 rows keep the first k of W_hh in registers and only the others in shared memory: of every gate that a
    /// product sums over (backward: of 3H, reset-before of 2H and of H) or reads (forward) so many.
    GRU_PERSISTENT_PANEL = 640,
    // gru_persistent_{forward,backward}_reset_{after,before}_UxR_{tf32,3xtf32,bf16,fp16}, on tensor cores: the same launch,
    // shared memory gru_persistent_mma_shared_bytes(). The warps of a block take chunks of k in turn.
    GRU_PERSISTENT_WARPS = GRU_PERSISTENT_THREADS / 32,
    GRU_PERSISTENT_CHUNK = GRU_GEMM_CHUNK,
    /// 4-byte words from the flag of one group of blocks to the next: lines of their own.
    GRU_FLAG_STRIDE = 32,
};

/// Floats of one row of k weights in shared memory.
GRU_EVERYWHERE long long gru_persistent_row(long long k) {
    return (k + 31) / 32 * 32 + GRU_PERSISTENT_SKEW;
}

/**
 * Bytes of shared memory of a persistent kernel with tiles of R rows: weights, two stages, an int for each tile. Of each
 * gate `panel` k lie in registers: GRU_PERSISTENT_PANEL with tiles of 16 rows, else 0.
 * weights: forward 3·units rows of H; backward, reset-after units rows of 3H, reset-before units rows of 2H and of H.
 */
inline long long gru_persistent_shared_bytes(bool backward, bool reset_before, int units, int tile_rows, int rows,
                                             int H, int panel = 0) {
    const long long k = H > panel ? H - panel : 0;
    const long long row = !backward       ? 3 * gru_persistent_row(k)
                          : !reset_before ? gru_persistent_row(3 * k)
                                          : gru_persistent_row(2 * k) + gru_persistent_row(k);
    const long long stage = 4LL * GRU_PERSISTENT_QUADS * GRU_PERSISTENT_THREADS + GRU_PERSISTENT_SKEW * tile_rows;
    const long long tiles = (rows + tile_rows - 1) / tile_rows;
    return 4 * (units * row + 2 * stage + tiles);
}

/// The operands of kernels on tensor cores.
enum GruPrecision { GRU_TF32, GRU_TF32X3, GRU_BF16, GRU_FP16 };

/// 4-byte words that a lane keeps of a chunk of 16 k and 8 columns of weights.
constexpr int gru_persistent_words(GruPrecision precision) {
    return precision == GRU_BF16 || precision == GRU_FP16 ? 2 : 4;
}

/// Chunks of each warp and gate whose weights lie in registers: as many as all targets have room for.
constexpr int gru_persistent_kept(GruPrecision precision, int tile_units) {
    return precision == GRU_TF32 ? (tile_units == 8 ? 8 : 3) : precision == GRU_TF32X3 ? (tile_units == 8 ? 6 : 2) : 8;
}

GRU_EVERYWHERE int gru_persistent_chunks(int depth) {
    return (depth + GRU_PERSISTENT_CHUNK - 1) / GRU_PERSISTENT_CHUNK;
}

/// Chunks whose weights lie in shared memory, where each warp keeps its first `kept` in registers.
GRU_EVERYWHERE long long gru_persistent_rest_chunks(int depth, int kept) {
    const int rest = gru_persistent_chunks(depth) - kept * GRU_PERSISTENT_WARPS;
    return rest > 0 ? rest : 0;
}

/**
 * Bytes of shared memory of a persistent kernel on tensor cores with tiles of U units and R rows: the sums of each warp,
 * weights, an int for each tile. kept is gru_persistent_kept().
 */
inline long long gru_persistent_mma_shared_bytes(GruPrecision precision, int kept, bool backward, bool reset_before,
                                                 int tile_units, int tile_rows, int rows, int H) {
    const long long chunks = !backward ? 3 * gru_persistent_rest_chunks(H, kept)
                             : !reset_before
                                 ? gru_persistent_rest_chunks(3 * H, 3 * kept)
                                 : gru_persistent_rest_chunks(2 * H, 2 * kept) + gru_persistent_rest_chunks(H, kept);
    const long long gates = backward ? 1 : reset_before ? 2 : 3;
    const long long sums = gates * GRU_PERSISTENT_WARPS * tile_rows * tile_units;
    const long long tiles = (rows + tile_rows - 1) / tile_rows;
    return 4 * (sums + chunks * (tile_units / 8) * 32 * gru_persistent_words(precision) + tiles);
}
