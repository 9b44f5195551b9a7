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
//   thread = 64 weights of each of three slots
//
// A slot is a gate in the forward pass, where a row of W_hh meets one k of the state three times, and 1024 consecutive k,
// a panel, in the backward pass, where k is up to 3H and each unit has one sum.
//
// The order of a sum asks for k in order, so the segments cannot begin one row together: the second starts where the
// first has ended. They form a pipeline. At time t segment s adds its k of row t − s to the sums that it received from
// segment s − 1 by a shuffle, so four rows are under way, and no barrier is needed between them. What the pipeline costs
// is its filling: rows + 3 times for rows rows. Then the product of gru_persistent.cuh goes on from these sums with the
// k whose weights lie in shared memory.
//
// A quad of the state that is read from shared memory serves 12 multiply-adds a thread (backward 4), and no weight is
// read at all.
#pragma once

#include "gru_persistent.cuh"

struct GruRegisterLayout {
    static constexpr int SEGMENTS = 4;
    static constexpr int UNITS = 8; // of a warp
    static constexpr int GROUPS = 4;
    static constexpr int GROUP_DEPTH = 8;
    static constexpr int CHUNK = GROUPS * GROUP_DEPTH;
    static constexpr int CHUNKS = GRU_PERSISTENT_PANEL / (SEGMENTS * CHUNK); // of a thread and slot
    static_assert(SEGMENTS * CHUNK == GRU_PERSISTENT_PANEL_UNIT, "a panel gives its segments equal shares");
    static_assert(32 == SEGMENTS * UNITS && GRU_PERSISTENT_THREADS == 2 * 32 * GROUPS, "16 units in all");

    int unit; // of the block
    int group;
    int segment;

    GRU4J_DEVICE GruRegisterLayout() {
        const int thread = gru4j::fresh(gru4j::thread_x());
        const int lane = thread % 32;
        const int warp = thread / 32;
        unit = lane % UNITS + warp / GROUPS * UNITS;
        group = warp % GROUPS;
        segment = lane / UNITS;
    }

    /// The k of chunk `chunk` of this thread in a panel.
    GRU4J_DEVICE int first_k(int panel, int chunk) const {
        return segment * (panel / SEGMENTS) + chunk * CHUNK + group * GROUP_DEPTH;
    }
};

/// The weights of LINES lines in a block: the first PANELS·panel of depth k in registers, the rest in shared memory.
template <int LINES, int PANELS> struct GruPersistentRegisters {
    float w[PANELS][LINES][GruRegisterLayout::CHUNKS][GruRegisterLayout::GROUP_DEPTH];
    const float* s_rest;
    int depth;
    int panel; // k of a panel: a multiple of GRU_PERSISTENT_PANEL_UNIT
    int H;
    int units_of_block;

    /// What follows from a value is computed where it is needed, not kept: the weights leave few registers.
    GRU4J_DEVICE static int again(int value) { return gru4j::fresh(value); }

    GRU4J_DEVICE int held() const {
        return gru_persistent_held(depth, PANELS * panel);
    }

    /// Units of this block, as GruPersistentPart.
    GRU4J_DEVICE int units() const {
        const int most = again(units_of_block);
        const int left = H - gru4j::block_x() * most;
        return left < most ? left : most;
    }

    GRU4J_DEVICE GruPersistentWeights rest() const {
        return {s_rest, gru_persistent_row(again(depth) - held()), units()};
    }

    /// from(line, unit, k) is where a weight lies, those of the next k follow `stride` floats apart.
    template <typename From> GRU4J_DEVICE void load(long long stride, const From& from) {
        const GruRegisterLayout at;
        const int units = this->units();
        GRU4J_UNROLL
        for (int p = 0; p < PANELS; p++) {
            GRU4J_UNROLL
            for (int line = 0; line < LINES; line++) {
                GRU4J_UNROLL
                for (int chunk = 0; chunk < GruRegisterLayout::CHUNKS; chunk++) {
                    gru4j::block_sync(); // one chunk at a time: the addresses of all would not fit beside the weights
                    const int k = p * panel + at.first_k(panel, chunk);
                    const bool is_mine = chunk * GRU_PERSISTENT_PANEL_UNIT < panel && at.unit < units;
                    const float* next = from(line, at.unit, k);
                    GRU4J_UNROLL
                    for (int i = 0; i < GruRegisterLayout::GROUP_DEPTH; i++) {
                        w[p][line][chunk][i] = is_mine && k + i < depth ? *next : 0.0f;
                        next += stride;
                    }
                }
            }
        }
    }
};

/// The forward pass: the weights of three gates. Ends without a barrier.
GRU4J_DEVICE GruPersistentRegisters<GRU_GATES, 1> gru_persistent_load_registers(float* s_weights, const float* w, int H,
                                                                                int panel, const GruPersistentPart& part) {
    GruPersistentRegisters<GRU_GATES, 1> weights = {{}, s_weights, H, panel, H, part.units_of_block};
    gru_persistent_load(s_weights, w, H, weights.held(), part);
    weights.load(1, [&](int line, int unit, int k) {
        return w + (static_cast<long long>(line) * H + part.first_unit + unit) * H + k;
    });
    return weights;
}

/// The backward pass: one line, k from first_k on. Ends without a barrier.
template <int PANELS>
GRU4J_DEVICE GruPersistentRegisters<1, PANELS> gru_persistent_load_registers_transposed(float* s_weights, const float* w,
                                                                                        int H, int first_k, int depth,
                                                                                        int panel,
                                                                                        const GruPersistentPart& part) {
    GruPersistentRegisters<1, PANELS> weights = {{}, s_weights, depth, panel, H, part.units_of_block};
    const int held = weights.held();
    gru_persistent_load_transposed(s_weights, w, H, first_k + held, depth - held, part);
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
template <typename Tile, int LINES, int OF_LINES, int PANELS>
GRU4J_DEVICE void gru_persistent_panel(const float* a, long long stride, int rows, int depth,
                                       const GruPersistentRegisters<OF_LINES, PANELS>& weights, int p, int first_line,
                                       float* s_stages) {
    using Layout = GruRegisterLayout;
    constexpr int SUMS = Tile::GROUPS * LINES * Tile::MAX_UNITS * Tile::SUM_STRIDE;
    constexpr int SLOT = GRU_PERSISTENT_PANEL + Layout::SEGMENTS * GRU_PERSISTENT_SKEW;
    constexpr int SLOTS = (2 * Tile::STAGE - SUMS) / SLOT;
    static_assert(SUMS % 4 == 0 && SLOTS >= 4, "sums and a few stages fit");
    const Layout at;
    const int panel = weights.again(weights.panel);
    const int of_segment = panel / Layout::SEGMENTS;
    const int slot_segment = of_segment + GRU_PERSISTENT_SKEW;
    const bool wide = stride % 4 == 0 && reinterpret_cast<uintptr_t>(a) % 16 == 0;

    // This thread's quad of every stage. Segments are a row apart, so their quads are too.
    const int quad = 4 * gru4j::fresh(gru4j::thread_x());
    const int quad_segment = quad / of_segment;
    const int quad_at = quad_segment * slot_segment + quad % of_segment;
    const float* const quad_from = a + p * panel + quad;
    const int quad_count = depth - p * panel - quad;

    // Beyond k a thread multiplies nothing: even 0 · 0 would turn a sum of −0 into 0.
    const int left = depth - p * panel - at.segment * of_segment;
    const int chunks = ((left < of_segment ? left : of_segment) + Layout::CHUNK - 1) / Layout::CHUNK;
    const bool has_unit = at.unit / Layout::UNITS * Layout::UNITS < weights.units();
    // Segment s − 1; the first asks itself.
    const int before = at.segment == 0 ? 0 : (at.segment ^ (at.segment - 1)) * Layout::UNITS;
    const int a_at = at.segment * slot_segment + at.group * Layout::GROUP_DEPTH;
    float* const s_row = s_stages + (at.group * LINES * Tile::MAX_UNITS + at.unit) * Tile::SUM_STRIDE;

    float sums[LINES] = {};
    GruPersistentPipeline<SLOTS, SLOT>(s_stages + SUMS)
        .run(
            rows + Layout::SEGMENTS - 1,
            [&](auto& copies, int time, float* s_slot) {
                const int row = time - quad_segment;
                if (quad < panel && row >= 0 && row < rows) {
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
    const int thread = gru4j::fresh(gru4j::thread_x());
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

/// As gru_persistent_product of weights in shared memory, with the same bits.
template <int UNITS, int ROWS, int LINES, int OF_LINES, int PANELS>
GRU4J_DEVICE void gru_persistent_product(const float* a, long long stride, int rows, int depth,
                                         const GruPersistentRegisters<OF_LINES, PANELS>& weights, int first_line,
                                         float* s_stages) {
    using Tile = GruPersistentTile<UNITS, ROWS>;
    GRU4J_UNROLL
    for (int p = 0; p < PANELS; p++) {
        if (p * weights.panel < depth) {
            gru_persistent_panel<Tile, LINES>(a, stride, rows, depth, weights, p, first_line, s_stages);
        }
    }
    const int held = weights.held();
    if (held == depth) {
        gru4j::block_sync();
    } else if (rows <= Tile::LANES) {
        gru_persistent_rest<Tile, UNITS, 1, LINES>(a + held, stride, rows, depth - held, weights.rest(), first_line, s_stages);
    } else {
        gru_persistent_rest<Tile, UNITS, ROWS, LINES>(a + held, stride, rows, depth - held, weights.rest(), first_line,
                                                      s_stages);
    }
}
