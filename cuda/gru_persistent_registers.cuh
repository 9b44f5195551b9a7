// SPDX-License-Identifier: Apache-2.0
//
// Persistent kernels that keep the first k of W_hh in registers and the others in shared memory, for layers whose weights
// do not fit into shared memory alone. gru_persistent.cuh has what they share with those, gru_kernels.h the launches.
//
// In the tile of gru_persistent.cuh eight lanes of rows read the same weights, so registers would hold them eight times.
// Here every weight lies in one register of one thread, and the rows come past it:
//
//   lane   = (segment 4, unit 8): consecutive k, cut into four segments
//   warp   = (units 0 … 7 or 8 … 15, group 4): the groups of k of gru_persistent.cuh
//   thread = PANEL / 16 weights of each of three slots
//
// A slot is a gate in the forward pass, where a row of W_hh meets one k of the state three times, and PANEL consecutive k,
// a panel, in the backward pass, where k is up to 3H and each unit has one sum.
//
// The order of a sum asks for k in order, so the segments cannot begin one row together: the second starts where the
// first has ended. They form a pipeline. At time t segment s adds its k of row t − s to the sums that it received from
// segment s − 1 by a shuffle, so four rows are under way, and no sum waits for another warp. What the pipeline costs is
// its filling: rows + 3 times for rows rows. Then the product of gru_persistent.cuh goes on from these sums with the
// k whose weights lie in shared memory.
//
// A quad of the state that is read from shared memory serves 12 multiply-adds a thread (backward 4), and no weight is
// read at all.
#pragma once

#include "gru_persistent.cuh"

using GruPersistentRegisterTile = GruPersistentTile<2, 2>;

template <int PANEL> struct GruRegisterLayout {
    static constexpr int SEGMENTS = 4;
    static constexpr int UNITS = 8; // of a warp
    static constexpr int GROUPS = 4;
    static constexpr int GROUP_DEPTH = 8;
    static constexpr int CHUNK = GROUPS * GROUP_DEPTH;
    static constexpr int OF_SEGMENT = PANEL / SEGMENTS;
    static constexpr int CHUNKS = OF_SEGMENT / CHUNK; // of a thread and slot
    static_assert(PANEL % (SEGMENTS * CHUNK) == 0 && PANEL <= 4 * GRU_PERSISTENT_THREADS,
                  "equal shares, a quad a thread");
    static_assert(32 == SEGMENTS * UNITS && GRU_PERSISTENT_THREADS == 2 * 32 * GROUPS, "16 units in all");

    int unit; // of the block
    int group;
    int segment;

    GRU4J_DEVICE GruRegisterLayout() {
        const int thread = static_cast<int>(gru4j::fresh(static_cast<unsigned>(gru4j::thread_x())));
        const int lane = thread % 32;
        const int warp = thread / 32;
        unit = lane % UNITS + warp / GROUPS * UNITS;
        group = warp % GROUPS;
        segment = lane / UNITS;
    }

    /// The first k of a chunk of this thread in a panel.
    GRU4J_DEVICE int first_k(int chunk) const { return segment * OF_SEGMENT + chunk * CHUNK + group * GROUP_DEPTH; }
};

/// The weights of LINES lines in a block: the first PANELS·PANEL of depth k in registers, the rest in shared memory.
template <int PANEL, int LINES, int PANELS> struct GruPersistentRegisters {
    using Layout = GruRegisterLayout<PANEL>;
    float w[PANELS][LINES][Layout::CHUNKS][Layout::GROUP_DEPTH];
    int depth;
    GruPersistentWeights rest;

    GRU4J_DEVICE int held() const { return depth < PANELS * PANEL ? depth : PANELS * PANEL; }

    /// from(line, unit, k) is where a weight lies, those of the next k follow `stride` floats apart.
    template <typename From> GRU4J_DEVICE void load(long long stride, const From& from) {
        const Layout at;
        GRU4J_UNROLL
        for (int p = 0; p < PANELS; p++) {
            GRU4J_UNROLL
            for (int line = 0; line < LINES; line++) {
                GRU4J_UNROLL
                for (int chunk = 0; chunk < Layout::CHUNKS; chunk++) {
                    gru4j::block_sync(); // one chunk at a time: the addresses of all would not fit beside the weights
                    const int k = p * PANEL + at.first_k(chunk);
                    const bool is_mine = at.unit < rest.units;
                    const float* next = from(line, at.unit, k);
                    GRU4J_UNROLL
                    for (int i = 0; i < Layout::GROUP_DEPTH; i++) {
                        w[p][line][chunk][i] = is_mine && k + i < depth ? *next : 0.0f;
                        next += stride;
                    }
                }
            }
        }
    }
};

/// The forward pass: the weights of three gates. Ends without a barrier.
template <int PANEL>
GRU4J_DEVICE GruPersistentRegisters<PANEL, GRU_GATES, 1>
gru_persistent_load_registers(float* s_rest, const float* w, int H, const GruPersistentPart& part) {
    GruPersistentRegisters<PANEL, GRU_GATES, 1> weights;
    weights.depth = H;
    weights.rest = gru_persistent_load(s_rest, w, H, weights.held(), part);
    weights.load(1, [&](int line, int unit, int k) {
        return w + (static_cast<long long>(line) * H + part.first_unit + unit) * H + k;
    });
    return weights;
}

/// The backward pass: one line, `depth` k from first_k on. Ends without a barrier.
template <int PANEL, int PANELS>
GRU4J_DEVICE GruPersistentRegisters<PANEL, 1, PANELS>
gru_persistent_load_registers_transposed(float* s_rest, const float* w, int H, int first_k, int depth,
                                         const GruPersistentPart& part) {
    GruPersistentRegisters<PANEL, 1, PANELS> weights;
    weights.depth = depth;
    const int held = weights.held();
    weights.rest = gru_persistent_load_transposed(s_rest, w, H, first_k + held, depth - held, part);
    weights.load(H, [&](int, int unit, int k) {
        return w + (static_cast<long long>(first_k) + k) * H + part.first_unit + unit;
    });
    return weights;
}

/// Stages of SLOTS·SIZE floats that are on their way while the one before them is used.
template <int SLOTS, int SIZE> class GruPersistentPipeline {
public:
    GRU4J_DEVICE explicit GruPersistentPipeline(float* s_slots) : s_slots_(s_slots) {}

    /// bring(copies, i, s_slot) starts the copies of stage i, use(i, s_slot) comes when all threads' are there; the slot is
    /// whole only until then. Begins with a barrier.
    template <typename Bring, typename Use> GRU4J_DEVICE void run(int stages, const Bring& bring, const Use& use) {
        gru4j::AsyncCopies<SLOTS> copies;
        gru4j::block_sync(); // everybody is done with what the slots held before
        GRU4J_UNROLL
        for (int i = 0; i < SLOTS - 1; i++) {
            if (i < stages) {
                bring(copies, i, s_slots_ + i * SIZE);
            }
            copies.commit();
        }
        int slot = 0;
        GRU4J_ROLL
        for (int i = 0; i < stages; i++) {
            copies.wait();
            gru4j::block_sync(); // the stage is there, and everybody is done with the one before it
            if (i + SLOTS - 1 < stages) {
                bring(copies, i + SLOTS - 1, s_slots_ + (slot == 0 ? SLOTS - 1 : slot - 1) * SIZE);
            }
            copies.commit();
            use(i, s_slots_ + slot * SIZE);
            slot = slot + 1 == SLOTS ? 0 : slot + 1;
        }
    }

private:
    float* s_slots_;
};

/// Panel p of the product: sums of LINES lines from first_line on, added to those of the panels before it in s_sums.
/// Begins with a barrier.
template <typename Tile, int LINES, int PANEL, int OF_LINES, int PANELS>
GRU4J_DEVICE void gru_persistent_panel(const float* a, long long stride, int rows,
                                       const GruPersistentRegisters<PANEL, OF_LINES, PANELS>& weights, int p,
                                       int first_line, float* s_stages) {
    using Layout = GruRegisterLayout<PANEL>;
    constexpr int SUMS = Tile::GROUPS * LINES * Tile::MAX_UNITS * Tile::SUM_STRIDE;
    // A stage: the k of a panel, each segment's of another row. The skew gives the segments banks of their own.
    constexpr int STRIDE = Layout::OF_SEGMENT + GRU_PERSISTENT_SKEW;
    constexpr int SLOT = Layout::SEGMENTS * STRIDE;
    constexpr int MOST = (2 * Tile::STAGE - SUMS) / SLOT;
    constexpr int SLOTS = MOST < 8 ? MOST : 8;
    static_assert(SUMS % 4 == 0 && SLOTS >= 4, "sums and a few stages fit");
    const Layout at;
    const bool wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(a) % 16 == 0;

    // This thread's quad of every stage. Segments are a row apart, so their quads are too.
    const int quad = 4 * static_cast<int>(gru4j::fresh(static_cast<unsigned>(gru4j::thread_x())));
    const int quad_segment = quad / Layout::OF_SEGMENT;
    const int quad_at = quad_segment * STRIDE + quad % Layout::OF_SEGMENT;
    const float* const quad_from = a + p * PANEL + quad;
    const int quad_count = weights.depth - p * PANEL - quad;

    // Beyond k a thread multiplies nothing: even 0 · 0 would turn a sum of −0 into 0.
    const int left = weights.depth - p * PANEL - at.segment * Layout::OF_SEGMENT;
    const int chunks = ((left < Layout::OF_SEGMENT ? left : Layout::OF_SEGMENT) + Layout::CHUNK - 1) / Layout::CHUNK;
    const bool has_unit = at.unit / Layout::UNITS * Layout::UNITS < weights.rest.units;
    // Segment s − 1; the first asks itself.
    const int before = at.segment == 0 ? 0 : (at.segment ^ (at.segment - 1)) * Layout::UNITS;
    const int a_at = at.segment * STRIDE + at.group * Layout::GROUP_DEPTH;
    float* const s_row = s_stages + (at.group * LINES * Tile::MAX_UNITS + at.unit) * Tile::SUM_STRIDE;

    float sums[LINES] = {};
    GruPersistentPipeline<SLOTS, SLOT>(s_stages + SUMS)
        .run(
            rows + Layout::SEGMENTS - 1,
            [&](auto& copies, int time, float* s_slot) {
                const int row = time - quad_segment;
                if (quad < PANEL && row >= 0 && row < rows) {
                    copies.quad(s_slot + quad_at, quad_from + row * stride, quad_count, wide);
                }
            },
            [&](int time, const float* s_slot) {
                const int row = time - at.segment;
                const bool exists = row >= 0 && row < rows && has_unit;
                GRU4J_UNROLL
                for (int line = 0; line < LINES; line++) {
                    sums[line] = gru4j::warp_shuffle_xor(sums[line], before);
                    if (at.segment == 0) {
                        sums[line] = p > 0 && exists ? s_row[line * Tile::MAX_UNITS * Tile::SUM_STRIDE + row] : 0.0f;
                    }
                }
                const float* s_a = s_slot + a_at;
                GRU4J_UNROLL
                for (int chunk = 0; chunk < Layout::CHUNKS; chunk++) {
                    if (exists && chunk < chunks) {
                        GRU4J_UNROLL
                        for (int half = 0; half < Layout::GROUP_DEPTH; half += 4) {
                            const GruPersistentQuad of_a =
                                *reinterpret_cast<const GruPersistentQuad*>(s_a + chunk * Layout::CHUNK + half);
                            GRU4J_UNROLL
                            for (int i = 0; i < 4; i++) {
                                GRU4J_UNROLL
                                for (int line = 0; line < LINES; line++) {
                                    sums[line] =
                                        fmaf(of_a.v[i], weights.w[p][first_line + line][chunk][half + i], sums[line]);
                                }
                            }
                        }
                    }
                }
                if (at.segment == Layout::SEGMENTS - 1 && exists) {
                    GRU4J_UNROLL
                    for (int line = 0; line < LINES; line++) {
                        s_row[line * Tile::MAX_UNITS * Tile::SUM_STRIDE + row] = sums[line];
                    }
                }
            });
}

/// What gru_persistent_product does with weights in shared memory, going on from the sums that lie in s_stages. Begins and
/// ends with a barrier.
template <typename Tile, int UNITS, int ROWS, int LINES>
GRU4J_DEVICE void gru_persistent_rest(const float* a, long long stride, int rows, int depth,
                                      const GruPersistentWeights& weights, int first_line, float* s_stages) {
    constexpr int QUADS = 2; // of a thread and stage
    constexpr int DEPTH = 4 * QUADS * GRU_PERSISTENT_THREADS / (ROWS * Tile::LANES);
    constexpr int STRIDE = DEPTH + GRU_PERSISTENT_SKEW;
    constexpr int SLOT = ROWS * Tile::LANES * STRIDE;
    constexpr int SLOTS = 2 * Tile::STAGE / SLOT;
    static_assert(SLOTS >= 3 && DEPTH % Tile::CHUNK == 0, "a few stages of whole turns of the groups");
    const int thread = static_cast<int>(gru4j::fresh(static_cast<unsigned>(gru4j::thread_x())));
    const int unit = thread % Tile::LANES;
    const int row = thread / Tile::LANES % Tile::LANES;
    const int group = thread / (Tile::LANES * Tile::LANES);
    const bool wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(a) % 16 == 0;

    auto s_sums = [&](int line, int u) {
        return s_stages + ((group * LINES + line) * Tile::MAX_UNITS + unit + u * Tile::LANES) * Tile::SUM_STRIDE + row;
    };
    float sums[LINES * UNITS][ROWS];
    gru4j::block_sync();
    GRU4J_UNROLL
    for (int l = 0; l < LINES * UNITS; l++) {
        GRU4J_UNROLL
        for (int r = 0; r < ROWS; r++) {
            sums[l][r] = s_sums(l / UNITS, l % UNITS)[r * Tile::LANES];
        }
    }
    GruPersistentPipeline<SLOTS, SLOT>(s_stages).run(
        (depth + DEPTH - 1) / DEPTH,
        [&](auto& copies, int stage, float* s_slot) {
            GRU4J_UNROLL
            for (int q = 0; q < QUADS; q++) {
                const int quad = thread + q * GRU_PERSISTENT_THREADS;
                const int of_row = quad / (DEPTH / 4);
                const int k = quad % (DEPTH / 4) * 4;
                if (of_row < rows) {
                    copies.quad(s_slot + of_row * STRIDE + k, a + of_row * stride + stage * DEPTH + k,
                                depth - stage * DEPTH - k, wide);
                }
            }
        },
        [&](int stage, const float* s_slot) {
            const int left = depth - stage * DEPTH < DEPTH ? depth - stage * DEPTH : DEPTH;
            const float* s_a = s_slot + row * STRIDE + group * Tile::GROUP_DEPTH;
            for (int chunk = 0; row < rows && chunk < left; chunk += Tile::CHUNK) {
                GRU4J_UNROLL
                for (int half = 0; half < Tile::GROUP_DEPTH; half += 4) {
                    GruPersistentQuad of_a[ROWS];
                    GRU4J_UNROLL
                    for (int r = 0; r < ROWS; r++) {
                        of_a[r] =
                            *reinterpret_cast<const GruPersistentQuad*>(s_a + r * Tile::LANES * STRIDE + chunk + half);
                    }
                    GRU4J_UNROLL
                    for (int l = 0; l < LINES * UNITS; l++) {
                        const float* s_w = weights.row(first_line + l / UNITS, unit + l % UNITS * Tile::LANES);
                        const GruPersistentQuad of_w = *reinterpret_cast<const GruPersistentQuad*>(
                            s_w + group * Tile::GROUP_DEPTH + stage * DEPTH + chunk + half);
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
        });
    gru4j::block_sync();
    GRU4J_UNROLL
    for (int l = 0; l < LINES * UNITS; l++) {
        GRU4J_UNROLL
        for (int r = 0; r < ROWS; r++) {
            s_sums(l / UNITS, l % UNITS)[r * Tile::LANES] = sums[l][r];
        }
    }
    gru4j::block_sync();
}

/// As gru_persistent_product of weights in shared memory, with the same bits. Begins and ends with a barrier.
template <int LINES, int PANEL, int OF_LINES, int PANELS>
GRU4J_DEVICE void gru_persistent_register_product(const float* a, long long stride, int rows,
                                                  const GruPersistentRegisters<PANEL, OF_LINES, PANELS>& weights,
                                                  int first_line, float* s_stages) {
    using Tile = GruPersistentRegisterTile;
    GRU4J_UNROLL
    for (int p = 0; p < PANELS; p++) {
        if (p * PANEL < weights.depth) {
            gru_persistent_panel<Tile, LINES>(a, stride, rows, weights, p, first_line, s_stages);
        }
    }
    const int held = weights.held();
    const int depth = weights.depth - held;
    if (depth == 0) {
        gru4j::block_sync();
    } else if (rows <= Tile::LANES) {
        gru_persistent_rest<Tile, 2, 1, LINES>(a + held, stride, rows, depth, weights.rest, first_line, s_stages);
    } else {
        gru_persistent_rest<Tile, 2, 2, LINES>(a + held, stride, rows, depth, weights.rest, first_line, s_stages);
    }
}

/// As GruPersistentForwardProducts.
template <int PANEL = GRU_PERSISTENT_PANEL> class GruRegisterForwardProducts {
    using Tile = GruPersistentRegisterTile;

public:
    static constexpr int MAX_UNITS = Tile::MAX_UNITS;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruRegisterForwardProducts(float* s_memory, const float* w_hh, int H, int units,
                                            const GruPersistentPart& part)
        : s_stages_(s_memory),
          weights_(gru_persistent_load_registers<PANEL>(s_memory + 2 * Tile::STAGE, w_hh, H, part)) {
        s_end_ = s_memory + 2 * Tile::STAGE + GRU_GATES * units * gru_persistent_row(H - weights_.held());
    }

    template <int FIRST, int GATES> GRU4J_DEVICE void multiply(const float* a, long long stride, int rows) const {
        gru_persistent_register_product<GATES>(a, stride, rows, weights_, FIRST, s_stages_);
    }

    template <int GATES> GRU4J_DEVICE float sum(int gate, int unit, int row) const {
        return gru_persistent_sum<2, 2, GATES>(s_stages_, gate, unit, row);
    }

    GRU4J_DEVICE int* s_end() const { return reinterpret_cast<int*>(s_end_); }

private:
    float* s_stages_;
    float* s_end_;
    GruPersistentRegisters<PANEL, GRU_GATES, 1> weights_;
};

/// As GruPersistentBackwardProducts.
template <bool RESET_BEFORE, int PANEL = GRU_PERSISTENT_PANEL> class GruRegisterBackwardProducts {
    using Tile = GruPersistentRegisterTile;
    static constexpr int GATES = RESET_BEFORE ? GRU_CANDIDATE : GRU_GATES;

public:
    static constexpr int MAX_UNITS = Tile::MAX_UNITS;
    static constexpr int MAX_ROWS = Tile::MAX_ROWS;

    GRU4J_DEVICE GruRegisterBackwardProducts(float* s_memory, const float* w_hh, int H, int units,
                                             const GruPersistentPart& part)
        : s_stages_(s_memory), gates_(gru_persistent_load_registers_transposed<PANEL, GATES>(
                                   s_memory + 2 * Tile::STAGE, w_hh, H, 0, GATES * H, part)) {
        s_end_ = s_memory + 2 * Tile::STAGE + units * gru_persistent_row(GATES * H - gates_.held());
        if (RESET_BEFORE) {
            candidate_ =
                gru_persistent_load_registers_transposed<PANEL, 1>(s_end_, w_hh, H, GRU_CANDIDATE * H, H, part);
            s_end_ += units * gru_persistent_row(H - candidate_.held());
        }
    }

    GRU4J_DEVICE void multiply_gates(const float* a, long long stride, int rows) const {
        gru_persistent_register_product<1>(a, stride, rows, gates_, 0, s_stages_);
    }

    GRU4J_DEVICE void multiply_candidate(const float* a, long long stride, int rows) const {
        gru_persistent_register_product<1>(a, stride, rows, candidate_, 0, s_stages_);
    }

    GRU4J_DEVICE float sum(int unit, int row) const { return gru_persistent_sum<2, 2, 1>(s_stages_, 0, unit, row); }

    GRU4J_DEVICE int* s_end() const { return reinterpret_cast<int*>(s_end_); }

private:
    float* s_stages_;
    float* s_end_;
    GruPersistentRegisters<PANEL, 1, GATES> gates_;
    GruPersistentRegisters<PANEL, 1, 1> candidate_;
};
