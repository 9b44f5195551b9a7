// SPDX-License-Identifier: Apache-2.0
//
// Matrix products on tensor cores for any shape, in the four precisions of operands; gru_kernels.h has the arguments and
// the order of a sum, gru_mma_chunk.cuh what a lane has of a chunk of 16 k.
//
//   tile       a chunk                                               a warp
//   128 × 128  rounded, in shared memory, for all warps              64 × 32 of C, all k
//   32 × 32    from memory into the fragments of the warp it is for  all of C, every eighth chunk
//
// Both read fp32 and round an element where it comes into the block: once in the large tile, whose warps share what they
// multiply; in the small one every element is one warp's alone, so it needs neither shared memory nor barriers before
// the sums of the warps are added. In 3xtf32 shared memory holds fp32, and warps split what they read: big and small parts
// would take twice the room and, what counts, twice the reads.
#pragma once

#include "gru_gemm.cuh"
#include "gru_mma_chunk.cuh"
#include "gru_rows.cuh"

#ifdef GRU4J_TENSOR_CORES

/// The warp of a thread and the place of its lane in fragments.
struct GruGemmLane {
    int warp;
    int group; // lane / 4: the row of A, the column of B
    int pair;  // lane % 4

    GRU4J_DEVICE GruGemmLane() {
        const int thread = gru4j::thread_x();
        warp = thread / 32;
        group = thread % 32 / 4;
        pair = thread % 4;
    }

    /// The i-th of the four k that are this lane's in a chunk.
    GRU4J_DEVICE int k(int i) const { return 2 * pair + i % 2 + 8 * (i / 2); }
};

/**
 * One operand's chunk in the shared memory of the large tile: rows side by side, in lines of one k (tf32), or of a pair of
 * neighbouring k (bf16, fp16). The distance of two lines makes that the lanes of a warp meet no bank twice: a fragment
 * takes 8 rows of the lines 2·pair, or pair; a quad along k is stored into lines 4 apart, or 2, by 16 rows each.
 */
template <typename Chunk> struct GruMmaLines {
    static constexpr int TILE = GRU_GEMM_LARGE_TILE;
    static constexpr int A_QUAD = Chunk::WEIGHT_WORDS; // lines of four k
    static constexpr bool PAIRS = A_QUAD == 2;
    static constexpr int LINES = GRU_GEMM_CHUNK / 4 * A_QUAD;
    static constexpr int STRIDE = TILE + (PAIRS ? 8 : 4);
    static constexpr int WORDS = LINES * STRIDE;

    /// The i-th line of a lane.
    static GRU4J_DEVICE int line(const GruGemmLane& lane, int i) { return PAIRS ? lane.pair + 4 * i : lane.k(i); }

    /// The lane's words of 16 rows of A, from the tile's row `row` on.
    static GRU4J_DEVICE GruWords<Chunk::ROW_WORDS> rows(const unsigned* s_lines, const GruGemmLane& lane, int row) {
        GruWords<Chunk::ROW_WORDS> words;
        GRU4J_UNROLL
        for (int i = 0; i < Chunk::ROW_WORDS; i++) {
            words.v[i] = s_lines[line(lane, i / 2) * STRIDE + row + 8 * (i % 2) + lane.group];
        }
        return words;
    }

    /// And of 8 columns of B.
    static GRU4J_DEVICE GruWords<Chunk::WEIGHT_WORDS> columns(const unsigned* s_lines, const GruGemmLane& lane, int column) {
        GruWords<Chunk::WEIGHT_WORDS> words;
        GRU4J_UNROLL
        for (int i = 0; i < Chunk::WEIGHT_WORDS; i++) {
            words.v[i] = s_lines[line(lane, i) * STRIDE + column + lane.group];
        }
        return words;
    }
};

static_assert(4 * GruMmaLines<GruChunkTf32>::WORDS * 4 == GRU_GEMM_LARGE_TF32_SHARED, "shared memory of the launch");
static_assert(4 * GruMmaLines<GruChunkTf32x3>::WORDS * 4 == GRU_GEMM_LARGE_TF32_SHARED, "shared memory of the launch");
static_assert(4 * GruMmaLines<GruChunkBf16>::WORDS * 4 == GRU_GEMM_LARGE_HALF_SHARED, "shared memory of the launch");
static_assert(4 * GruMmaLines<GruChunkFp16>::WORDS * 4 == GRU_GEMM_LARGE_HALF_SHARED, "shared memory of the launch");

/**
 * What one thread brings of one operand of the large tile: two quads of every chunk. If ALONG_K, where k is the fastest
 * index of the tensor, each is four k of one row, 8 k apart; else four rows at two neighbouring k.
 */
template <typename Chunk, bool ALONG_K> struct GruMmaOperand {
    using Lines = GruMmaLines<Chunk>;
    static constexpr int SECOND_K = ALONG_K ? 8 : 1; // from the first quad to the second

    const float* source; // the first quad of the chunk that comes next
    long long second;    // floats to the second
    long long advance;   // floats to the next chunk's
    int k_left; // k from the quad's first to the end of the split; ALONG_K: 0 or less for a row that is not there
    int rows;   // of the quad that exist; 0 or less for none; unused ALONG_K
    bool wide;  // whether quads are aligned
    int target; // its first word in the lines

    GRU4J_DEVICE GruMmaOperand(const float* tensor, long long stride, int row0, int rows_left, int k0, int depth) {
        const int thread = gru4j::thread_x();
        int row;
        int k;
        if (ALONG_K) {
            // A warp takes 16 rows and 8 k: whole 32-byte sectors of memory.
            row = thread % 16 + 16 * (thread / 32);
            k = 4 * (thread % 32 / 16);
        } else {
            row = 4 * (thread % 32);
            k = 2 * (thread / 32);
        }
        const float* tile = tensor + (ALONG_K ? row0 * stride + k0 : k0 * stride + row0);
        wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(tile) % sizeof(GruQuad) == 0;
        source = tile + (ALONG_K ? row * stride + k : k * stride + row);
        second = SECOND_K * (ALONG_K ? 1 : stride);
        advance = GRU_GEMM_CHUNK * (ALONG_K ? 1 : stride);
        rows = rows_left - row;
        k_left = ALONG_K && rows <= 0 ? 0 : depth - k;
        target = k * Lines::A_QUAD / 4 * Lines::STRIDE + row;
    }

    /// The quads of the next chunk; 0 beyond the edges, and where one is not to be taken.
    GRU4J_DEVICE void fetch(GruQuad (&quads)[2], const bool (&take)[2]) {
        GRU4J_UNROLL
        for (int i = 0; i < 2; i++) {
            const int left = k_left - i * SECOND_K;
            quads[i] = gru_read_quad(source + i * second, !take[i] ? 0 : ALONG_K || left <= 0 ? left : rows, wide);
        }
        source += advance;
        k_left -= GRU_GEMM_CHUNK;
    }

    /// Rounded, into the lines of the chunk.
    GRU4J_DEVICE void store(unsigned* s_lines, const GruQuad (&quads)[2]) const {
        GruWords<Chunk::WEIGHT_WORDS> words[2];
        if constexpr (ALONG_K) {
            GRU4J_UNROLL
            for (int i = 0; i < 2; i++) {
                Chunk::round_weights(words[i], quads[i].v);
                GRU4J_UNROLL
                for (int j = 0; j < Lines::A_QUAD; j++) {
                    s_lines[target + (2 * Lines::A_QUAD * i + j) * Lines::STRIDE] = words[i].v[j];
                }
            }
        } else {
            // words[i] has two rows, two k of each.
            GRU4J_UNROLL
            for (int i = 0; i < 2; i++) {
                const float of[4] = {quads[0].v[2 * i], quads[1].v[2 * i], quads[0].v[2 * i + 1], quads[1].v[2 * i + 1]};
                Chunk::round_weights(words[i], of);
            }
            constexpr int LINES = Lines::A_QUAD / 2;
            GRU4J_UNROLL
            for (int line = 0; line < LINES; line++) {
                GruWords<4> of_rows;
                GRU4J_UNROLL
                for (int row = 0; row < 4; row++) {
                    of_rows.v[row] = words[row / 2].v[row % 2 * LINES + line];
                }
                *reinterpret_cast<GruWords<4>*>(s_lines + target + line * Lines::STRIDE) = of_rows;
            }
        }
    }
};

/// Two chunks in flight, as the stages of gru_gemm.cu: one is multiplied while the next one comes.
template <typename Chunk, bool A_ALONG_K, bool B_ALONG_K> GRU4J_DEVICE void gru_gemm_mma_large(const GruGemm& p) {
    using Lines = GruMmaLines<Chunk>;
    constexpr bool ROWS_ARE_K = !A_ALONG_K; // which dimension has positions that may be padding
    constexpr int ROW_TILES = 4;            // of 16 rows, of one warp
    constexpr int COLUMN_TILES = 4;         // of 8 columns
    GRU4J_SHARED(unsigned, s_chunks); // [2][A, B][LINES][STRIDE]

    const GruGemmBlock<GRU_GEMM_LARGE_TILE> block(p);
    const int chunks = block.depth / GRU_GEMM_CHUNK + (block.depth % GRU_GEMM_CHUNK != 0);
    GruMmaOperand<Chunk, A_ALONG_K> a(p.a, p.lda, block.row0, p.m - block.row0, block.k0, block.depth);
    GruMmaOperand<Chunk, B_ALONG_K> b(p.b, p.ldb, block.column0, p.n - block.column0, block.k0, block.depth);

    const GruGemmLane lane;
    const int row = lane.warp / 4 * (16 * ROW_TILES);
    const int column = lane.warp % 4 * (8 * COLUMN_TILES);

    // The next quads. Of a padded k row neither operand is read, since 0 · NaN is not 0.
    GruQuad next_a[2];
    GruQuad next_b[2];
    auto fetch = [&] {
        bool take[2] = {true, true};
        if (ROWS_ARE_K && p.lengths != nullptr) {
            GRU4J_UNROLL
            for (int i = 0; i < 2; i++) {
                const int left = a.k_left - i;
                take[i] = left > 0 && !gru_is_padding(p.lengths, p.batch, p.first_step, block.k0 + block.depth - left);
            }
        }
        a.fetch(next_a, take);
        b.fetch(next_b, take);
    };

    float sums[ROW_TILES][COLUMN_TILES][4] = {};
    if (chunks > 0) {
        fetch();
        a.store(s_chunks, next_a);
        b.store(s_chunks + Lines::WORDS, next_b);
    }
    gru4j::block_sync(); // the first chunk is there
    for (int chunk = 0; chunk < chunks; chunk++) {
        const unsigned* s_a = s_chunks + chunk % 2 * (2 * Lines::WORDS);
        const unsigned* s_b = s_a + Lines::WORDS;
        const bool more = chunk + 1 < chunks;
        if (more) {
            fetch();
        }
        typename Chunk::Weights of_b[COLUMN_TILES];
        GRU4J_UNROLL
        for (int j = 0; j < COLUMN_TILES; j++) {
            Chunk::read(of_b[j], Lines::columns(s_b, lane, column + 8 * j));
        }
        GRU4J_UNROLL
        for (int i = 0; i < ROW_TILES; i++) {
            typename Chunk::Rows of_a;
            Chunk::read(of_a, Lines::rows(s_a, lane, row + 16 * i));
            GRU4J_UNROLL
            for (int j = 0; j < COLUMN_TILES; j++) {
                Chunk::multiply_add(sums[i][j], of_a, of_b[j]);
            }
        }
        if (more) {
            unsigned* s_next = s_chunks + (chunk + 1) % 2 * (2 * Lines::WORDS);
            a.store(s_next, next_a);
            b.store(s_next + Lines::WORDS, next_b);
        }
        gru4j::block_sync();
    }

    float* c = block.c(p);
    GRU4J_UNROLL
    for (int i = 0; i < 2 * ROW_TILES; i++) {
        const int at = row + 8 * i + lane.group;
        if (at >= p.m - block.row0) {
            continue;
        }
        const bool padding =
            !ROWS_ARE_K && p.lengths != nullptr && gru_is_padding(p.lengths, p.batch, p.first_step, block.row0 + at);
        GRU4J_UNROLL
        for (int j = 0; j < 2 * COLUMN_TILES; j++) {
            const int of = column + j / 2 * 8 + 2 * lane.pair + j % 2;
            if (of < p.n - block.column0) {
                gru_gemm_store(p, padding, c + at * p.ldc + of, block.column0 + of, sums[i / 2][j / 2][i % 2 * 2 + j % 2]);
            }
        }
    }
}

/// What one lane reads of one operand of the small tile: its four k, of every eighth row, in every eighth chunk.
template <bool ALONG_K> struct GruMmaSource {
    const float* source; // the first k and row of the chunk that comes next
    long long stride;    // from one row of the tensor to the next
    int rows;            // of the tile, from the lane's first on
    bool wide;           // whether pairs along k are aligned

    GRU4J_DEVICE GruMmaSource(const float* tensor, long long row_stride, int row0, int rows_left, int k0,
                              const GruGemmLane& lane) {
        const float* tile = tensor + (ALONG_K ? row0 * row_stride + k0 : k0 * row_stride + row0);
        const int k = lane.warp * GRU_GEMM_CHUNK + lane.k(0);
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
    const GruGemmLane lane;
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
            const int k = chunk * GRU_GEMM_CHUNK + lane.k(i);
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

#endif
