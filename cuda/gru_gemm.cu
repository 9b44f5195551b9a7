// SPDX-License-Identifier: Apache-2.0
//
// Matrix products in fp32 for any shape; gru_kernels.h has the arguments. One block computes one square tile of C. A
// stage brings 1024 floats of each operand into shared memory, one group of four neighbours (a quad) for each of the
// 256 threads, while the stage before it is multiplied; so one barrier a stage suffices.
//
//   tile       stage   a thread                    k of one sum
//   128 × 128  8 k     8 × 8 sums, 64 FMA each k   in order
//   32 × 32    32 k    4 × 4 sums, 16 FMA each k   four threads each take 8 k of every stage; their sums in order
//
// The large tile needs 16 floats from shared memory for 64 multiply-adds. The small one serves the products of a single
// step (m = B rows): they have too few large tiles to fill a GPU, and four times as many warps hide the latency.
//
// The order of a sum depends on the tile and the split alone, never on the position in the tile: equal rows give equal
// bits, and rows do not change with their neighbours.

#include "gru_gemm.cuh"
#include "gru_rows.cuh"

namespace {

template <int TILE> struct GruTile {
    static constexpr int DEPTH = 1024 / TILE;
    // Rows of one k in shared memory. The 4 floats of padding spread a transposed store over all banks.
    static constexpr int STRIDE = TILE + 4;
    static constexpr int STAGE = 2 * DEPTH * STRIDE;
    // Quads of rows, and of columns, of one thread.
    static constexpr int QUADS = TILE == GRU_GEMM_LARGE_TILE ? 2 : 1;
    static constexpr int SIDE = TILE / (4 * QUADS);
    static constexpr int GROUPS = GRU_GEMM_THREADS / (SIDE * SIDE);
    static constexpr int GROUP_DEPTH = DEPTH / GROUPS;
};

static_assert(2 * GruTile<GRU_GEMM_LARGE_TILE>::STAGE * 4 == GRU_GEMM_LARGE_SHARED, "shared memory of the launch");
static_assert(2 * GruTile<GRU_GEMM_SMALL_TILE>::STAGE * 4 == GRU_GEMM_SMALL_SHARED, "shared memory of the launch");
static_assert(4 * GRU_GEMM_SMALL_TILE * GruTile<GRU_GEMM_SMALL_TILE>::STRIDE * 4 <= GRU_GEMM_SMALL_SHARED,
              "the sums of the four groups replace the stages");

/**
 * What one thread brings of one operand: a quad in every stage, of four k of one row if ALONG_K, where k is the
 * fastest index of the tensor, else of four rows at one k.
 */
template <int TILE, bool ALONG_K> struct GruOperand {
    const float* source; // the quad of the stage that comes next
    long long advance;   // floats from one stage's quad to the next one's
    int k_left; // k from the quad's first to the end of the split; ALONG_K: 0 or less for a row that is not there
    int rows;   // of the quad that exist; 0 or less for none; unused ALONG_K
    bool wide;  // whether quads are aligned
    int target; // in s_operand[k][row]

    GRU4J_DEVICE GruOperand(const float* tensor, long long stride, int row0, int rows_left, int k0, int depth) {
        using Tile = GruTile<TILE>;
        const int thread = gru4j::thread_x();
        int row;
        int k;
        if (ALONG_K) {
            // A warp takes 16 rows and 8 k: whole 32-byte sectors of memory, and all banks when it stores them.
            const int lane = thread % 32;
            const int warp = thread / 32;
            const int pairs = Tile::DEPTH / 8;
            row = lane % 16 + 16 * (warp / pairs);
            k = 4 * (lane / 16 + 2 * (warp % pairs));
        } else {
            row = 4 * (thread % (TILE / 4));
            k = thread / (TILE / 4);
        }
        const float* tile = tensor + (ALONG_K ? row0 * stride + k0 : k0 * stride + row0);
        wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(tile) % sizeof(GruQuad) == 0;
        source = tile + (ALONG_K ? row * stride + k : k * stride + row);
        advance = ALONG_K ? Tile::DEPTH : Tile::DEPTH * stride;
        rows = rows_left - row;
        k_left = ALONG_K && rows <= 0 ? 0 : depth - k;
        target = k * Tile::STRIDE + row;
    }

    /// The quad of the next stage; 0 beyond the edges, and where it is not to be taken.
    GRU4J_DEVICE GruQuad fetch(bool take) {
        const GruQuad quad = gru_read_quad(source, !take ? 0 : ALONG_K || k_left <= 0 ? k_left : rows, wide);
        source += advance;
        k_left -= GruTile<TILE>::DEPTH;
        return quad;
    }

    /// Into s_operand[k][row].
    GRU4J_DEVICE void store(float* s_operand, const GruQuad& quad) const {
        if (ALONG_K) {
            GRU4J_UNROLL
            for (int i = 0; i < 4; i++) {
                s_operand[target + i * GruTile<TILE>::STRIDE] = quad.v[i];
            }
        } else {
            *reinterpret_cast<GruQuad*>(s_operand + target) = quad;
        }
    }
};

template <int TILE, bool A_ALONG_K, bool B_ALONG_K> GRU4J_DEVICE void gru_gemm(const GruGemm& p) {
    using Tile = GruTile<TILE>;
    constexpr bool ROWS_ARE_K = !A_ALONG_K; // which dimension has positions that may be padding
    constexpr int SUMS = 4 * Tile::QUADS;
    GRU4J_SHARED(float, s_stages); // [2][A, B][DEPTH][STRIDE]

    const GruGemmBlock<TILE> block(p);
    const int row0 = block.row0;
    const int column0 = block.column0;
    const int k0 = block.k0;
    const int depth = block.depth;
    const int stages = depth / Tile::DEPTH + (depth % Tile::DEPTH != 0);

    GruOperand<TILE, A_ALONG_K> a(p.a, p.lda, row0, p.m - row0, k0, depth);
    GruOperand<TILE, B_ALONG_K> b(p.b, p.ldb, column0, p.n - column0, k0, depth);

    const int group = gru4j::thread_x() / (Tile::SIDE * Tile::SIDE);
    const int member = gru4j::thread_x() % (Tile::SIDE * Tile::SIDE);
    const int row = 4 * (member / Tile::SIDE);
    const int column = 4 * (member % Tile::SIDE);

    // The next quads. Of a padded k row neither operand is read, since 0 · NaN is not 0.
    GruQuad next_a;
    GruQuad next_b;
    auto fetch = [&] {
        bool take = true;
        if (ROWS_ARE_K && p.lengths != nullptr && a.k_left > 0) {
            take = !gru_is_padding(p.lengths, p.batch, p.first_step, k0 + depth - a.k_left);
        }
        next_a = a.fetch(take);
        next_b = b.fetch(take);
    };

    float sums[SUMS][SUMS] = {};
    if (stages > 0) {
        fetch();
        a.store(s_stages, next_a);
        b.store(s_stages + Tile::STAGE / 2, next_b);
    }
    gru4j::block_sync(); // the first stage is there
    for (int stage = 0; stage < stages; stage++) {
        const float* s_a = s_stages + (stage % 2) * Tile::STAGE + group * Tile::GROUP_DEPTH * Tile::STRIDE;
        const float* s_b = s_a + Tile::STAGE / 2;
        const bool more = stage + 1 < stages;
        if (more) {
            fetch();
        }
        GRU4J_UNROLL
        for (int k = 0; k < Tile::GROUP_DEPTH; k++) {
            GruQuad of_a[Tile::QUADS];
            GruQuad of_b[Tile::QUADS];
            GRU4J_UNROLL
            for (int q = 0; q < Tile::QUADS; q++) {
                const int at = k * Tile::STRIDE + q * (TILE / Tile::QUADS);
                of_a[q] = *reinterpret_cast<const GruQuad*>(s_a + at + row);
                of_b[q] = *reinterpret_cast<const GruQuad*>(s_b + at + column);
            }
            GRU4J_UNROLL
            for (int i = 0; i < SUMS; i++) {
                GRU4J_UNROLL
                for (int j = 0; j < SUMS; j++) {
                    sums[i][j] = fmaf(of_a[i / 4].v[i % 4], of_b[j / 4].v[j % 4], sums[i][j]);
                }
            }
        }
        if (more) {
            float* s_next = s_stages + ((stage + 1) % 2) * Tile::STAGE;
            a.store(s_next, next_a);
            b.store(s_next + Tile::STAGE / 2, next_b);
        }
        gru4j::block_sync();
    }

    float* c = block.c(p);
    const bool masked = !ROWS_ARE_K && p.lengths != nullptr;
    if (Tile::GROUPS == 1) {
        GRU4J_UNROLL
        for (int i = 0; i < SUMS; i++) {
            const int at = (i / 4) * (TILE / Tile::QUADS) + row + i % 4;
            if (at >= p.m - row0) {
                continue;
            }
            const bool padding = masked && gru_is_padding(p.lengths, p.batch, p.first_step, row0 + at);
            GRU4J_UNROLL
            for (int j = 0; j < SUMS; j++) {
                const int of = (j / 4) * (TILE / Tile::QUADS) + column + j % 4;
                if (of < p.n - column0) {
                    gru_gemm_store(p, padding, c + at * p.ldc + of, column0 + of, sums[i][j]);
                }
            }
        }
        return;
    }
    // The last barrier of the loop has passed, so the sums of the groups may replace the stages.
    float* s_sums = s_stages; // [GROUPS][TILE][STRIDE]
    GRU4J_UNROLL
    for (int i = 0; i < SUMS; i++) {
        GruQuad quad;
        GRU4J_UNROLL
        for (int j = 0; j < 4; j++) {
            quad.v[j] = sums[i][j];
        }
        *reinterpret_cast<GruQuad*>(s_sums + (group * TILE + row + i) * Tile::STRIDE + column) = quad;
    }
    gru4j::block_sync(); // the sums of all groups are there
    for (int element = gru4j::thread_x(); element < TILE * TILE; element += GRU_GEMM_THREADS) {
        const int at = element / TILE;
        const int of = element % TILE;
        if (at >= p.m - row0 || of >= p.n - column0) {
            continue;
        }
        float sum = s_sums[at * Tile::STRIDE + of];
        GRU4J_UNROLL
        for (int g = 1; g < Tile::GROUPS; g++) {
            sum = sum + s_sums[(g * TILE + at) * Tile::STRIDE + of];
        }
        const bool padding = masked && gru_is_padding(p.lengths, p.batch, p.first_step, row0 + at);
        gru_gemm_store(p, padding, c + at * p.ldc + of, column0 + of, sum);
    }
}

} // namespace

GRU4J_KERNEL(gru_gemm_nt_128x128_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_LARGE_TILE, true, true>(p);
}
GRU4J_KERNEL(gru_gemm_nn_128x128_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_LARGE_TILE, true, false>(p);
}
GRU4J_KERNEL(gru_gemm_tn_128x128_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_LARGE_TILE, false, false>(p);
}
GRU4J_KERNEL(gru_gemm_nt_32x32_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_SMALL_TILE, true, true>(p);
}
GRU4J_KERNEL(gru_gemm_nn_32x32_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_SMALL_TILE, true, false>(p);
}
GRU4J_KERNEL(gru_gemm_tn_32x32_f32, GRU_GEMM_THREADS, GruGemm, p) {
    gru_gemm<GRU_GEMM_SMALL_TILE, false, false>(p);
}
