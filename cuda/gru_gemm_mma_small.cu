// SPDX-License-Identifier: Apache-2.0
//
// Matrix products on tensor cores in small tiles, for those with too few large ones to fill a GPU, above all for the product
// of a single step; gru_kernels.h has the arguments and the order of a sum, gru_mma_chunk.cuh what a lane has of a chunk.
//
// A block computes 32 × 32 of C. Each of its 8 warps has all of these sums, over every eighth chunk of 16 k: so an element of
// an operand is one warp's alone, and goes from memory into its fragment, two neighbouring k at a time where they lie side
// by side; without shared memory, and without a barrier before the sums of the warps are added. While a chunk is
// multiplied the warp's next one is on its way: 4 KB of each warp.

#include "gru_gemm.cuh"
#include "gru_mma_chunk.cuh"
#include "gru_rows.cuh"

#ifdef GRU4J_TENSOR_CORES

namespace {

/// What one lane reads of one operand of the small tile: its four k, of every eighth row, in every eighth chunk.
template <bool ALONG_K> struct GruMmaSource {
    const float* source; // the first k and row of the chunk that comes next
    long long stride;    // from one row of the tensor to the next
    int rows;            // of the tile, from the lane's first on
    bool wide;           // whether pairs along k are aligned

    GRU4J_DEVICE GruMmaSource(const float* tensor, long long row_stride, int row0, int rows_left, int k0,
                              const GruMmaLane& lane) {
        const float* tile = tensor + (ALONG_K ? row0 * row_stride + k0 : k0 * row_stride + row0);
        const int k = lane.k(lane.warp, 0);
        stride = row_stride;
        source = tile + (ALONG_K ? lane.group * stride + k : k * stride + lane.group);
        rows = rows_left - lane.group;
        wide = stride % 2 == 0 && reinterpret_cast<uintptr_t>(tile) % 8 == 0;
    }

    /// The k that are to be taken, of the row 8·i behind the first; 0 for others, and beyond the rows.
    GRU4J_DEVICE void read(float (&of)[4], int i, const bool (&take)[4]) const {
        const float* row = source + 8 * i * (ALONG_K ? stride : 1);
        GRU4J_UNROLL
        for (int k = 0; k < 4; k += 2) {
            const float* pair = row + 4 * k * (ALONG_K ? 1 : stride);
            of[k] = 0.0f;
            of[k + 1] = 0.0f;
            if (8 * i >= rows) {
                continue;
            }
            if (ALONG_K && wide && take[k + 1]) {
                const auto words = *reinterpret_cast<const GruWords<2>*>(pair);
                of[k] = gru4j::float_of(words.v[0]);
                of[k + 1] = gru4j::float_of(words.v[1]);
                continue;
            }
            if (take[k]) {
                of[k] = pair[0];
            }
            if (take[k + 1]) {
                of[k + 1] = pair[ALONG_K ? 1 : stride];
            }
        }
    }

    GRU4J_DEVICE void advance() { source += GRU_GEMM_WARPS * GRU_GEMM_CHUNK * (ALONG_K ? 1 : stride); }
};

/// Every warp has all sums of the tile, over its chunks; at the end they are added in the order of the warps.
template <typename Chunk, bool A_ALONG_K, bool B_ALONG_K> GRU4J_DEVICE void gru_gemm_mma_small(const GruGemm& p) {
    constexpr int TILE = GRU_GEMM_SMALL_TILE;
    constexpr bool ROWS_ARE_K = !A_ALONG_K;
    constexpr int ROW_TILES = TILE / 16;
    constexpr int COLUMN_TILES = TILE / 8;
    constexpr int STRIDE = TILE + 8; // half a warp stores pairs of four rows: all banks
    static_assert(GRU_GEMM_WARPS * TILE * STRIDE * 4 == GRU_GEMM_SMALL_MMA_SHARED, "shared memory of the launch");
    GRU4J_SHARED(float, s_sums); // [WARPS][TILE][STRIDE]

    const GruGemmBlock<TILE> block(p);
    const int chunks = block.depth / GRU_GEMM_CHUNK + (block.depth % GRU_GEMM_CHUNK != 0);
    const GruMmaLane lane;
    const int rows = p.m - block.row0;
    const int columns = p.n - block.column0;
    GruMmaSource<A_ALONG_K> a(p.a, p.lda, block.row0, rows, block.k0, lane);
    GruMmaSource<B_ALONG_K> b(p.b, p.ldb, block.column0, columns, block.k0, lane);

    float next_a[ROW_TILES][2][4];
    float next_b[COLUMN_TILES][4];
    auto fetch = [&](int chunk) {
        bool take[4];
        GRU4J_UNROLL
        for (int i = 0; i < 4; i++) {
            const int k = lane.k(chunk, i);
            take[i] = k < block.depth && !(ROWS_ARE_K && p.lengths != nullptr &&
                                           gru_is_padding(p.lengths, p.batch, p.first_step, block.k0 + k));
        }
        GRU4J_UNROLL
        for (int i = 0; i < 2 * ROW_TILES; i++) {
            a.read(next_a[i / 2][i % 2], i, take);
        }
        GRU4J_UNROLL
        for (int j = 0; j < COLUMN_TILES; j++) {
            b.read(next_b[j], j, take);
        }
        a.advance();
        b.advance();
    };

    float sums[ROW_TILES][COLUMN_TILES][4] = {};
    if (lane.warp < chunks) {
        fetch(lane.warp);
    }
    for (int chunk = lane.warp; chunk < chunks; chunk += GRU_GEMM_WARPS) {
        GruWords<Chunk::ROW_WORDS> of_a[ROW_TILES];
        GruWords<Chunk::WEIGHT_WORDS> of_b[COLUMN_TILES];
        GRU4J_UNROLL
        for (int i = 0; i < ROW_TILES; i++) {
            Chunk::round_rows(of_a[i], next_a[i]);
        }
        GRU4J_UNROLL
        for (int j = 0; j < COLUMN_TILES; j++) {
            Chunk::round_weights(of_b[j], next_b[j]);
        }
        if (chunk + GRU_GEMM_WARPS < chunks) {
            fetch(chunk + GRU_GEMM_WARPS);
        }
        typename Chunk::Weights operand_b[COLUMN_TILES];
        GRU4J_UNROLL
        for (int j = 0; j < COLUMN_TILES; j++) {
            Chunk::read(operand_b[j], of_b[j]);
        }
        GRU4J_UNROLL
        for (int i = 0; i < ROW_TILES; i++) {
            if (16 * i >= rows) {
                continue; // a step of few rows
            }
            typename Chunk::Rows operand_a;
            Chunk::read(operand_a, of_a[i]);
            GRU4J_UNROLL
            for (int j = 0; j < COLUMN_TILES; j++) {
                Chunk::multiply_add(sums[i][j], operand_a, operand_b[j]);
            }
        }
    }

    GRU4J_UNROLL
    for (int i = 0; i < 2 * ROW_TILES; i++) {
        GRU4J_UNROLL
        for (int j = 0; j < COLUMN_TILES; j++) {
            const float* of = sums[i / 2][j] + i % 2 * 2;
            const GruWords<2> pair = {{gru4j::bits_of(of[0]), gru4j::bits_of(of[1])}};
            const int at = (lane.warp * TILE + 8 * i + lane.group) * STRIDE + 8 * j + 2 * lane.pair;
            *reinterpret_cast<GruWords<2>*>(s_sums + at) = pair;
        }
    }
    gru4j::block_sync(); // the sums of all warps are there
    float* c = block.c(p);
    for (int element = gru4j::thread_x(); element < TILE * TILE; element += GRU_GEMM_THREADS) {
        const int at = element / TILE;
        const int of = element % TILE;
        if (at >= rows || of >= columns) {
            continue;
        }
        float sum = s_sums[at * STRIDE + of];
        GRU4J_UNROLL
        for (int warp = 1; warp < GRU_GEMM_WARPS; warp++) {
            sum = sum + s_sums[(warp * TILE + at) * STRIDE + of];
        }
        const bool padding =
            !ROWS_ARE_K && p.lengths != nullptr && gru_is_padding(p.lengths, p.batch, p.first_step, block.row0 + at);
        gru_gemm_store(p, padding, c + at * p.ldc + of, block.column0 + of, sum);
    }
}

} // namespace

#define GRU_GEMM(op, a_along_k, b_along_k, precision, Chunk)                                                           \
    GRU4J_KERNEL(gru_gemm_##op##_32x32_##precision, GRU_GEMM_THREADS, GruGemm, p) {                                    \
        gru_gemm_mma_small<Chunk, a_along_k, b_along_k>(p);                                                            \
    }

#define GRU_GEMMS(precision, Chunk)                                                                                    \
    GRU_GEMM(nt, true, true, precision, Chunk)                                                                         \
    GRU_GEMM(nn, true, false, precision, Chunk)                                                                        \
    GRU_GEMM(tn, false, false, precision, Chunk)

GRU_GEMMS(tf32, GruChunkTf32)
GRU_GEMMS(3xtf32, GruChunkTf32x3)
GRU_GEMMS(bf16, GruChunkBf16)
GRU_GEMMS(fp16, GruChunkFp16)

#undef GRU_GEMM
#undef GRU_GEMMS

#endif
