// SPDX-License-Identifier: Apache-2.0
//
// The products of the persistent kernels on tensor cores. gru_kernels.h has arguments and launches, gru_mma_chunk.cuh what
// a lane has of a chunk of 16 k.
//
// The rows of a tile are the 16 rows of A, the weights of 8 units the 8 columns of B: so a block may have as few as 8
// units, and only rows are filled up with zeros. The 8 warps of a block share k: chunk c is warp c % 8's, for all rows and
// columns. So a warp needs the same weights in every step, and nobody else needs them:
//
//   the first KEPT chunks of each warp   lie in its registers
//   its other chunks                     lie in shared memory as they are needed, one fragment after the other
//
// A lane reads its part of the rows, which all blocks of the group wrote and whose address changes with every step,
// from the L2 cache straight into the fragment, some chunks before they are multiplied: without shared memory, without a
// barrier, and each block reads every number once.
//
// The order of a sum is that of gru_gemm_*_32x32 of the same precision: each warp adds its chunks in order, then the sums
// of the 8 warps are added in order. Hence both families of kernels give the same bits, whatever the tile, and a plan may
// choose between them by speed alone.
#pragma once

#include "gru_mma_chunk.cuh"
#include "gru_persistent_group.cuh"

#ifdef GRU4J_TENSOR_CORES

/// The weights that a warp multiplies with, COLUMNS times 8 columns: KEPT chunks in registers, the others in shared memory.
template <typename Chunk, int COLUMNS, int KEPT> struct GruMmaWeights {
    using Words = GruWords<Chunk::WEIGHT_WORDS>;
    Words kept[KEPT][COLUMNS];
    Words* s_rest; // [chunk][column][lane], from chunk KEPT · WARPS on

    /// at(k, column) is a weight, 0 where there is none. Lanes read what they wrote themselves, so no barrier is needed.
    template <typename At> GRU4J_DEVICE GruMmaWeights(Words* s_weights, int depth, const At& at) : s_rest(s_weights) {
        const GruMmaLane lane;
        auto load = [&](Words& to, int chunk, int column) {
            float of[4];
            GRU4J_UNROLL
            for (int i = 0; i < 4; i++) {
                of[i] = at(lane.k(chunk, i), column * 8 + lane.group);
            }
            Chunk::round_weights(to, of);
        };
        // Registers have no index, so the rolled loop has one place for each i; unrolled it would be long.
        GRU4J_ROLL
        for (int turn = 0; turn < KEPT; turn++) {
            Words loaded[COLUMNS];
            GRU4J_UNROLL
            for (int column = 0; column < COLUMNS; column++) {
                load(loaded[column], lane.warp + turn * GRU_PERSISTENT_WARPS, column);
            }
            GRU4J_UNROLL
            for (int i = 0; i < KEPT; i++) {
                GRU4J_UNROLL
                for (int column = 0; column < COLUMNS; column++) {
                    if (i == turn) {
                        kept[i][column] = loaded[column];
                    }
                }
            }
        }
        const int chunks = gru_persistent_chunks(depth);
        for (int chunk = lane.warp + KEPT * GRU_PERSISTENT_WARPS; chunk < chunks; chunk += GRU_PERSISTENT_WARPS) {
            for (int column = 0; column < COLUMNS; column++) {
                load(rest(chunk, column, lane.lane), chunk, column);
            }
        }
    }

    GRU4J_DEVICE Words& rest(int chunk, int column, int lane) const {
        return s_rest[((chunk - KEPT * GRU_PERSISTENT_WARPS) * COLUMNS + column) * 32 + lane];
    }

    /// Those in shared memory.
    static GRU4J_DEVICE long long rest_words(int depth) {
        return gru_persistent_rest_chunks(depth, KEPT) * COLUMNS * 32;
    }
};

/// The products of one tile of ROW_TILES times 16 rows.
template <typename Chunk, int ROW_TILES> struct GruMmaTile {
    static constexpr int MAX_ROWS = 16 * ROW_TILES;
    // Chunks on their way while others are multiplied.
    static constexpr int AHEAD = Chunk::AHEAD / ROW_TILES;

    /// Where the sum of a row and column lies in s_sums of a product with COLUMNS times 8 columns. Columns change their
    /// places so that the lanes of a warp store into all banks.
    template <int COLUMNS> static GRU4J_DEVICE int at_sum(int warp, int row, int column) {
        const int swap = COLUMNS % 4 == 0 ? row & 3 : COLUMNS % 2 == 0 ? row >> 1 & 1 : 0;
        return (warp * MAX_ROWS + row) * COLUMNS * 8 + (column ^ swap * 8);
    }

    /**
     * a(rows,depth), whose rows are `stride` floats apart, with COLUMNS of the weights' columns from FIRST on, both
     * counted in eights. The sums of each warp lie in s_sums afterwards, see sum(). All threads of the block take part; the
     * last thing it does is a barrier.
     */
    template <int FIRST, int COLUMNS, int OF_COLUMNS, int KEPT>
    static GRU4J_DEVICE void multiply(const float* a, long long stride, int rows, int depth,
                                      const GruMmaWeights<Chunk, OF_COLUMNS, KEPT>& weights, float* s_sums) {
        using Words = GruWords<Chunk::ROW_WORDS>;
        const GruMmaLane lane;
        const int chunks = gru_persistent_chunks(depth);
        const int mine = (chunks - lane.warp + GRU_PERSISTENT_WARPS - 1) / GRU_PERSISTENT_WARPS;
        const bool wide = stride % 2 == 0 && reinterpret_cast<uintptr_t>(a) % 8 == 0;

        // Eights of rows. Where a row is not there, another is read instead, since nobody asks for its sums.
        // Offsets from a, which take half the registers of addresses.
        int from[2 * ROW_TILES];
        GRU4J_UNROLL
        for (int r = 0; r < 2 * ROW_TILES; r++) {
            const int row = r * 8 + lane.group;
            from[r] = (row < rows ? row : 0) * static_cast<int>(stride);
        }
        // Places for the chunks on their way; each takes the next one as soon as its own is rounded.
        float next[AHEAD][ROW_TILES][2][4] = {};
        auto bring = [&](int place, int turn) {
            const int chunk = lane.warp + turn * GRU_PERSISTENT_WARPS;
            const bool whole = wide && (chunk + 1) * GRU_PERSISTENT_CHUNK <= depth;
            GRU4J_UNROLL
            for (int r = 0; r < 2 * ROW_TILES; r++) {
                if (r * 8 >= rows) {
                    continue;
                }
                float (&to)[4] = next[place][r / 2][r % 2];
                GRU4J_UNROLL
                for (int i = 0; i < 4; i += 2) {
                    const int k = lane.k(chunk, i);
                    if (whole) {
                        float pair[2];
                        gru4j::load_l2(pair, a + from[r] + k);
                        to[i] = pair[0];
                        to[i + 1] = pair[1];
                    } else {
                        to[i] = k < depth ? gru4j::load_l2(a + from[r] + k) : 0.0f;
                        to[i + 1] = k + 1 < depth ? gru4j::load_l2(a + from[r] + k + 1) : 0.0f;
                    }
                }
            }
        };

        float sums[ROW_TILES][COLUMNS][4] = {};
        auto multiply_add = [&](const Words(&of_a)[ROW_TILES], const auto& weights_of) {
            typename Chunk::Rows operand[ROW_TILES];
            GRU4J_UNROLL
            for (int r = 0; r < ROW_TILES; r++) {
                Chunk::read(operand[r], of_a[r]);
            }
            GRU4J_UNROLL
            for (int column = 0; column < COLUMNS; column++) {
                typename Chunk::Weights weight;
                Chunk::read(weight, weights_of(FIRST + column));
                GRU4J_UNROLL
                for (int r = 0; r < ROW_TILES; r++) {
                    Chunk::multiply_add(sums[r][column], operand[r], weight);
                }
            }
        };
        GRU4J_UNROLL
        for (int place = 0; place < AHEAD; place++) {
            bring(place, place);
        }
        GRU4J_ROLL
        for (int first = 0; first < mine; first += AHEAD) {
            GRU4J_UNROLL
            for (int place = 0; place < AHEAD; place++) {
                const int turn = first + place;
                if (turn >= mine) {
                    continue;
                }
                Words of_a[ROW_TILES];
                GRU4J_UNROLL
                for (int r = 0; r < ROW_TILES; r++) {
                    Chunk::round_rows(of_a[r], next[place][r]);
                }
                if (turn + AHEAD < mine) {
                    bring(place, turn + AHEAD);
                }
                // A multiplication for each chunk in registers, because they have no index.
                GRU4J_UNROLL
                for (int i = place; i < KEPT; i += AHEAD) {
                    if (i == turn) {
                        multiply_add(of_a, [&](int column) { return weights.kept[i][column]; });
                    }
                }
                if (turn >= KEPT) {
                    const int chunk = lane.warp + turn * GRU_PERSISTENT_WARPS;
                    multiply_add(of_a, [&](int column) { return weights.rest(chunk, column, lane.lane); });
                }
            }
        }

        gru4j::block_sync(); // everybody is done with the sums of the product before
        const GruMmaLane to_store;
        GRU4J_UNROLL
        for (int r = 0; r < ROW_TILES; r++) {
            GRU4J_UNROLL
            for (int column = 0; column < COLUMNS; column++) {
                GRU4J_UNROLL
                for (int half = 0; half < 2; half++) {
                    const int row = r * 16 + half * 8 + to_store.group;
                    float* to = s_sums + at_sum<COLUMNS>(to_store.warp, row, column * 8 + 2 * to_store.pair);
                    to[0] = sums[r][column][2 * half];
                    to[1] = sums[r][column][2 * half + 1];
                }
            }
        }
        gru4j::block_sync();
    }

    /// Element (row, column) of the last product, of COLUMNS times 8 columns.
    template <int COLUMNS> static GRU4J_DEVICE float sum(const float* s_sums, int row, int column) {
        float sum = s_sums[at_sum<COLUMNS>(0, row, column)];
        GRU4J_UNROLL
        for (int warp = 1; warp < GRU_PERSISTENT_WARPS; warp++) {
            sum = sum + s_sums[at_sum<COLUMNS>(warp, row, column)];
        }
        return sum;
    }
};

/// What a block multiplies with in the forward pass, as GruPersistentForwardProducts: KEPT chunks of each warp and gate in
/// registers; GATES are the most at once.
template <typename Chunk, int UNIT_TILES, int ROW_TILES, int GATES,
          int KEPT = gru_persistent_kept(Chunk::PRECISION, 8 * UNIT_TILES)>
class GruMmaForwardProducts {
    using Tile = GruMmaTile<Chunk, ROW_TILES>;
    using Weights = GruMmaWeights<Chunk, GRU_GATES * UNIT_TILES, KEPT>;

public:
    static constexpr int MAX_UNITS = 8 * UNIT_TILES;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruMmaForwardProducts(float* s_memory, const float* w_hh, int H, int, const GruPersistentPart& part)
        : s_sums_(s_memory), H_(H),
          weights_(reinterpret_cast<typename Weights::Words*>(s_memory + SUMS), H, [&](int k, int column) {
              const long long gate = column / MAX_UNITS;
              const int unit = column % MAX_UNITS;
              return k < H && unit < part.units ? w_hh[(gate * H + part.first_unit + unit) * H + k] : 0.0f;
          }) {}

    template <int FIRST, int OF_GATES> GRU4J_DEVICE void multiply(const float* a, long long stride, int rows) const {
        Tile::template multiply<FIRST * UNIT_TILES, OF_GATES * UNIT_TILES>(a, stride, rows, H_, weights_, s_sums_);
    }

    template <int OF_GATES> GRU4J_DEVICE float sum(int gate, int unit, int row) const {
        return Tile::template sum<OF_GATES * UNIT_TILES>(s_sums_, row, gate * MAX_UNITS + unit);
    }

    GRU4J_DEVICE int* s_end() const { return reinterpret_cast<int*>(weights_.s_rest + Weights::rest_words(H_)); }

private:
    static constexpr int SUMS = GRU_PERSISTENT_WARPS * MAX_ROWS * GATES * MAX_UNITS;

    float* s_sums_;
    int H_;
    Weights weights_;
};

/// What a block multiplies with in the backward pass; as GruPersistentBackwardProducts.
template <typename Chunk, int UNIT_TILES, int ROW_TILES, bool RESET_BEFORE,
          int KEPT = gru_persistent_kept(Chunk::PRECISION, 8 * UNIT_TILES)>
class GruMmaBackwardProducts {
    static constexpr int GATES = RESET_BEFORE ? GRU_CANDIDATE : GRU_GATES;
    using Tile = GruMmaTile<Chunk, ROW_TILES>;
    using Gates = GruMmaWeights<Chunk, UNIT_TILES, GATES * KEPT>;
    using Candidate = GruMmaWeights<Chunk, UNIT_TILES, KEPT>;

public:
    static constexpr int MAX_UNITS = 8 * UNIT_TILES;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruMmaBackwardProducts(float* s_memory, const float* w_hh, int H, int, const GruPersistentPart& part)
        : s_sums_(s_memory), H_(H), gates_(reinterpret_cast<typename Gates::Words*>(s_memory + SUMS), GATES * H,
                                           of(w_hh, H, GRU_RESET, GATES, part)),
          candidate_(gates_.s_rest + Gates::rest_words(GATES * H), RESET_BEFORE ? H : 0,
                     of(w_hh, H, GRU_CANDIDATE, RESET_BEFORE ? 1 : 0, part)) {}

    GRU4J_DEVICE void multiply_gates(const float* a, long long stride, int rows) const {
        Tile::template multiply<0, UNIT_TILES>(a, stride, rows, GATES * H_, gates_, s_sums_);
    }

    GRU4J_DEVICE void multiply_candidate(const float* a, long long stride, int rows) const {
        Tile::template multiply<0, UNIT_TILES>(a, stride, rows, H_, candidate_, s_sums_);
    }

    GRU4J_DEVICE float sum(int unit, int row) const { return Tile::template sum<UNIT_TILES>(s_sums_, row, unit); }

    GRU4J_DEVICE int* s_end() const {
        return reinterpret_cast<int*>(candidate_.s_rest + (RESET_BEFORE ? Candidate::rest_words(H_) : 0));
    }

private:
    static constexpr int SUMS = GRU_PERSISTENT_WARPS * MAX_ROWS * MAX_UNITS;

    /// The columns of W_hh that are the block's units, of so many gates.
    static GRU4J_DEVICE auto of(const float* w_hh, int H, int first_gate, int gates, const GruPersistentPart& part) {
        return [=](int k, int column) {
            const long long row = static_cast<long long>(first_gate) * H + k;
            return k < gates * H && column < part.units ? w_hh[row * H + part.first_unit + column] : 0.0f;
        };
    }

    float* s_sums_;
    int H_;
    Gates gates_;
    Candidate candidate_;
};

#endif
