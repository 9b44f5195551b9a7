// SPDX-License-Identifier: Apache-2.0
//
// Matrix products on tensor cores in large tiles, for any shape, in the four precisions of operands; gru_kernels.h has the
// arguments and the order of a sum, gru_mma_chunk.cuh what a lane has of a chunk of 16 k.
//
// A block computes 128 × 128 of C, each of its 8 warps 64 × 32 of it. The warps share what they multiply: the threads bring
// the next chunk of both operands, fp32, a quad at a time, while this one is multiplied, and round it when they store it
// into shared memory. So an element is rounded once, and one barrier a chunk suffices. In 3xtf32 shared memory holds fp32,
// and warps split what they read: big and small parts would take twice the room and, what counts, twice the reads.
//
// A warp reads 24 words a lane of shared memory for 16 multiply-adds in bf16 and fp16, 48 for 32 in tf32. But before shared
// memory and arithmetic comes the L2 cache: 16 multiply-adds for each byte of the fp32 operands.

#include "gru_gemm.cuh"
#include "gru_mma_chunk.cuh"
#include "gru_rows.cuh"

#ifdef GRU4J_TENSOR_CORES

namespace {

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
    static GRU4J_DEVICE int line(const GruMmaLane& lane, int i) { return PAIRS ? lane.pair + 4 * i : lane.k(0, i); }

    /// The lane's words of 16 rows of A, from the tile's row `row` on.
    static GRU4J_DEVICE GruWords<Chunk::ROW_WORDS> rows(const unsigned* s_lines, const GruMmaLane& lane, int row) {
        GruWords<Chunk::ROW_WORDS> words;
        GRU4J_UNROLL
        for (int i = 0; i < Chunk::ROW_WORDS; i++) {
            words.v[i] = s_lines[line(lane, i / 2) * STRIDE + row + 8 * (i % 2) + lane.group];
        }
        return words;
    }

    /// And of 8 columns of B.
    static GRU4J_DEVICE GruWords<Chunk::WEIGHT_WORDS> columns(const unsigned* s_lines, const GruMmaLane& lane,
                                                              int column) {
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
                const float of[4] = {quads[0].v[2 * i], quads[1].v[2 * i], quads[0].v[2 * i + 1],
                                     quads[1].v[2 * i + 1]};
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
    GRU4J_SHARED(unsigned, s_chunks);       // [2][A, B][LINES][STRIDE]

    const GruGemmBlock<GRU_GEMM_LARGE_TILE> block(p);
    const int chunks = block.depth / GRU_GEMM_CHUNK + (block.depth % GRU_GEMM_CHUNK != 0);
    GruMmaOperand<Chunk, A_ALONG_K> a(p.a, p.lda, block.row0, p.m - block.row0, block.k0, block.depth);
    GruMmaOperand<Chunk, B_ALONG_K> b(p.b, p.ldb, block.column0, p.n - block.column0, block.k0, block.depth);

    const GruMmaLane lane;
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
                gru_gemm_store(p, padding, c + at * p.ldc + of, block.column0 + of,
                               sums[i / 2][j / 2][i % 2 * 2 + j % 2]);
            }
        }
    }
}

} // namespace

#define GRU_GEMM(op, a_along_k, b_along_k, precision, Chunk)                                                           \
    GRU4J_KERNEL(gru_gemm_##op##_128x128_##precision, GRU_GEMM_THREADS, GruGemm, p) {                                  \
        gru_gemm_mma_large<Chunk, a_along_k, b_along_k>(p);                                                            \
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
