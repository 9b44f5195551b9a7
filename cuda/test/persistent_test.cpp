// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels against the stepwise ones, bit for bit: after layer_test.cpp has shown that those are right, and
// because a plan may choose either.
#include "kernel_test.h"

#include <algorithm>
#include <math.h>

namespace {

struct Sequence {
    int T, B, H;
    bool reset_before;
    bool reverse;
    std::vector<int> lengths; // empty: all T
};

/// How a persistent kernel divides it: the tile, units of a block, rows of a group of blocks.
struct Division {
    int tile_units, tile_rows;
    int units, rows;
    int panel = 0; // k of a panel of W_hh in registers; 0: all of it in shared memory
};

unsigned parts(int size, int part) {
    return static_cast<unsigned>((size + part - 1) / part);
}

/// One layer and direction without its input: gx and dy are given, dgx and dgh are the results.
class Layer {
public:
    Layer(const Sequence& sequence, bool with_bias)
        : s(sequence), random(static_cast<uint64_t>(s.T * 10000 + s.B * 100 + s.H)), state(s.B * size(s.H)),
          w_hh(random.normals(3 * size(s.H) * s.H, 1 / sqrtf(static_cast<float>(s.H)))),
          b_hh(random.normals(with_bias ? 3 * size(s.H) : 0)), gx(poisoned(random.normals(3 * s.T * state), 3)),
          dy(poisoned(random.normals(s.T * state), 1)), h0(random.normals(state)), dhT(random.normals(state)),
          lengths(s.lengths), states((s.T + 1) * state), gates(4 * s.T * state), y(s.T * state), dh(dhT.values()),
          dgx(3 * s.T * state), dgh(3 * s.T * state), gh(3 * state), drh(state) {
        states.set(h0.values());
    }

    void run_stepwise() {
        const int H = s.H;
        for (int step = 0; step < s.T; step++) {
            const GruCellForward cell = {gx.at(), gh.at(), states.at(state * step), states.at(state * (step + 1)),
                                         gates.at(4 * state * step), y.at(), mask(), H, s.T, s.B, H, step, s.reverse, 0};
            if (!s.reset_before) {
                project(cell.h_prev, H, 0, 3);
                launch_by_row("gru_cell_forward_reset_after_f32", cell, s.B, H);
            } else {
                project(cell.h_prev, H, 0, 2);
                launch_by_row("gru_cell_forward_reset_before_gates_f32", cell, s.B, H);
                project(cell.gates + GRU_KEPT * H, 4 * H, 2, 1);
                launch_by_row("gru_cell_forward_reset_before_candidate_f32", cell, s.B, H);
            }
        }
        for (int step = s.T - 1; step >= 0; step--) {
            const GruCellBackward cell = {gates.at(4 * state * step), states.at(state * step), dy.at(), dh.at(), drh.at(),
                                          dgx.at(), dgh.at(3 * state * step), mask(), H, s.T, s.B, H, step, s.reverse, 0};
            if (!s.reset_before) {
                launch_by_row("gru_cell_backward_reset_after_f32", cell, s.B, H);
                project_backward(cell.dgh, 0, 3, dh.at(), 1, step);
            } else {
                launch_by_row("gru_cell_backward_reset_before_candidate_f32", cell, s.B, H);
                project_backward(cell.dgh, 2, 1, drh.at(), 0, step);
                launch_by_row("gru_cell_backward_reset_before_reset_f32", cell, s.B, H);
                project_backward(cell.dgh, 0, 2, dh.at(), 1, step);
            }
        }
    }

    void run_persistent(const Division& division) {
        forward(division, states.at(), s.T + 1, gates.at(), s.T);
        Tensor<unsigned> flags(flags_of(division));
        const GruPersistentBackward args = {w_hh.at(), gates.at(), states.at(), dy.at(), dh.at(), dgx.at(), dgh.at(),
                                            mask(), flags.at(), s.H, s.T, s.B, s.H, s.reverse, division.units,
                                            division.rows};
        if (division.panel == 0) {
            launch("backward", division, args);
        } else {
            launch("backward", division, GruPersistentBackwardRegisters{args, division.panel, 0});
        }
    }

    /// What inference keeps: two states that take turns, the gates of one step. Returns the last state.
    std::vector<float> run_inference(const Division& division) {
        Tensor<float> two(2 * state);
        two.set(h0.values());
        Tensor<float> step_gates(4 * state);
        forward(division, two.at(), 2, s.reset_before ? step_gates.at() : nullptr, 1);
        const std::vector<float> both = two.values();
        const long begin = static_cast<long>(state) * (s.T % 2);
        return std::vector<float>(both.begin() + begin, both.begin() + begin + static_cast<long>(state));
    }

    /// Everything that the kernels write, one tensor after another.
    std::vector<float> results() const {
        std::vector<float> all;
        for (const Tensor<float>* tensor : {&states, &gates, &y, &dgx, &dgh, &dh}) {
            const std::vector<float> values = tensor->values();
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    }

    /// The same, one comparison each.
    void expect_same_results(const std::string& of, const Layer& other) const {
        expect_same_bits({of + "states", {{'s', s.T + 1}, {'b', s.B}, {'j', s.H}}}, states.values(), other.states.values());
        expect_same_bits({of + "gates", {{'s', s.T}, {'b', s.B}, {'g', 4 * s.H}}}, gates.values(), other.gates.values());
        expect_same_bits({of + "y", {{'t', s.T}, {'b', s.B}, {'j', s.H}}}, y.values(), other.y.values());
        expect_same_bits({of + "dgx", {{'t', s.T}, {'b', s.B}, {'g', 3 * s.H}}}, dgx.values(), other.dgx.values());
        expect_same_bits({of + "dgh", {{'s', s.T}, {'b', s.B}, {'g', 3 * s.H}}}, dgh.values(), other.dgh.values());
        expect_same_bits({of + "dh0", {{'b', s.B}, {'j', s.H}}}, dh.values(), other.dh.values());
    }

    const Sequence& s;

private:
    Random random;

public:
    const size_t state; // floats of one (B,H)
    Tensor<float> w_hh, b_hh, gx, dy, h0, dhT;
    Tensor<int> lengths;
    Tensor<float> states, gates, y, dh, dgx, dgh, gh, drh;

private:
    static size_t size(int value) { return static_cast<size_t>(value); }
    const int* mask() const { return s.lengths.empty() ? nullptr : lengths.at(); }

    /// NaN wherever nobody may look: rows of `blocks`·H floats in padding, in time order.
    std::vector<float> poisoned(std::vector<float> values, int blocks) const {
        const size_t width = size(blocks) * size(s.H);
        for (size_t position = 0; position < values.size() / width; position++) {
            const size_t b = position % size(s.B);
            if (!s.lengths.empty() && static_cast<int>(position / size(s.B)) >= s.lengths[b]) {
                std::fill_n(values.begin() + static_cast<long>(position * width), width, NAN);
            }
        }
        return values;
    }

    void project(const float* in, long long stride, int block, int blocks) {
        const int H = s.H;
        const GruGemm args = {in, w_hh.at(size(block) * H * H), b_hh.count() == 0 ? nullptr : b_hh.at(block * H),
                              gh.at(block * H), nullptr, stride, H, 3 * H, 0, s.B, blocks * H, H, H, 0, 0, 0, 0};
        product("nt", args);
    }

    void project_backward(const float* dgh_of_step, int block, int blocks, float* out, int accumulate, int step) {
        const int H = s.H;
        const GruGemm args = {dgh_of_step + block * H, w_hh.at(size(block) * H * H), nullptr, out, mask(), 3 * H, H, H, 0,
                              s.B, H, blocks * H, blocks * H, s.B, step, accumulate, 0};
        product("nn", args);
    }

    static void product(const std::string& op, const GruGemm& args) {
        launch_on("gru_gemm_" + op + "_32x32_f32", args, parts(args.m, 32), parts(args.n, 32));
    }

    static void launch_on(const std::string& kernel, const GruGemm& args, unsigned x, unsigned y) {
        ::launch(kernel, &args, sizeof args, x, y, 1, GRU_GEMM_THREADS, GRU_GEMM_SMALL_SHARED);
    }

    std::vector<unsigned> flags_of(const Division& division) const {
        return std::vector<unsigned>(parts(s.B, division.rows) * GRU_FLAG_STRIDE, 0);
    }

    void forward(const Division& division, float* states_, int state_blocks, float* gates_, int gate_blocks) {
        Tensor<unsigned> flags(flags_of(division));
        const GruPersistentForward args = {w_hh.at(), b_hh.count() == 0 ? nullptr : b_hh.at(), gx.at(), states_, gates_,
                                           y.at(), mask(), flags.at(), s.H, state_blocks, gate_blocks, s.T, s.B, s.H,
                                           s.reverse, division.units, division.rows};
        if (division.panel == 0) {
            launch("forward", division, args);
        } else {
            launch("forward", division, GruPersistentForwardRegisters{args, division.panel, 0});
        }
    }

    template <typename Args> void launch(const std::string& pass, const Division& division, const Args& args) {
        const bool backward = pass == "backward";
        const std::string kernel = "gru_persistent_" + pass + (s.reset_before ? "_reset_before_" : "_reset_after_")
                                 + (division.panel == 0 ? "" : "registers_") + std::to_string(division.tile_units) + "x" + std::to_string(division.tile_rows) + "_f32";
        const long long shared =
            division.panel == 0 ? gru_persistent_shared_bytes(backward, s.reset_before, division.units, division.tile_rows,
                                                              division.rows, s.H)
                                : gru_persistent_registers_shared_bytes(backward, s.reset_before, division.units,
                                                                        division.tile_rows, division.rows, s.H,
                                                                        division.panel);
        launch_cooperative(kernel, &args, sizeof args, parts(s.H, division.units), parts(s.B, division.rows),
                           GRU_PERSISTENT_THREADS, static_cast<size_t>(shared));
    }
};

std::string describe(const Sequence& s, const Division& division) {
    return "T" + std::to_string(s.T) + " B" + std::to_string(s.B) + " H" + std::to_string(s.H)
         + (s.reset_before ? " reset-before" : " reset-after") + (s.reverse ? " reverse" : "")
         + (s.lengths.empty() ? "" : " lengths") + " tile " + std::to_string(division.tile_units) + "x"
         + std::to_string(division.tile_rows) + " units " + std::to_string(division.units) + " rows "
         + std::to_string(division.rows) + (division.panel == 0 ? "" : " panel " + std::to_string(division.panel)) + ": ";
}

void check(const Sequence& s, const Division& division, bool with_bias = true) {
    Layer stepwise(s, with_bias);
    stepwise.run_stepwise();
    const std::string of = describe(s, division);
    in_any_order([&] {
        Layer persistent(s, with_bias);
        persistent.run_persistent(division);
        persistent.expect_same_results(of, stepwise);
        return persistent.results();
    });
    const std::vector<float> states = stepwise.states.values();
    in_any_order([&] {
        Layer inference(s, with_bias);
        const std::vector<float> hT = inference.run_inference(division);
        expect_same_bits({of + "hT in inference", {{'b', s.B}, {'j', s.H}}}, hT,
                         std::vector<float>(states.end() - static_cast<long>(stepwise.state), states.end()));
        expect_same_bits({of + "y in inference", {{'t', s.T}, {'b', s.B}, {'j', s.H}}}, inference.y.values(),
                         stepwise.y.values());
        return hT;
    });
}

void check_variants(int T, int B, int H, const std::vector<int>& lengths, const Division& division) {
    for (bool reset_before : {false, true}) {
        for (bool reverse : {false, true}) {
            check({T, B, H, reset_before, reverse, lengths}, division);
        }
    }
}

} // namespace

TEST(a_persistent_layer_of_one_block_gives_the_bits_of_the_stepwise_one) {
    check_variants(1, 1, 1, {}, {8, 8, 1, 1});
    check_variants(4, 3, 7, {}, {8, 8, 8, 3});
}

/// Blocks with fewer units than the others, groups with fewer rows, tiles with fewer rows.
TEST(a_persistent_layer_divides_units_and_rows_as_it_is_told) {
    check_variants(3, 11, 21, {}, {8, 8, 8, 9});
    check_variants(3, 11, 21, {}, {8, 8, 5, 4});
    check({2, 37, 19, false, false, {}}, {16, 32, 13, 34});
    check({2, 37, 19, true, false, {}}, {16, 32, 13, 34});
    check({2, 13, 19, true, true, {}}, {16, 8, 10, 13});
    check({2, 33, 19, false, true, {}}, {8, 32, 8, 33});
}

/// Past one stage of 512 k (8 rows; backward, where k is 2H or 3H) and of 128 k (32 rows). Not wider: ThreadSanitizer has
/// no more than 8128 threads.
TEST(a_persistent_layer_may_be_wider_than_a_stage) {
    check({2, 2, 260, false, false, {}}, {16, 8, 16, 2});
    check({2, 2, 260, true, false, {}}, {16, 8, 16, 2});
    check({2, 3, 140, false, true, {}}, {8, 32, 8, 3});
    check({2, 3, 140, true, true, {}}, {8, 32, 8, 3});
}

/// All weights in registers: fewer k than a segment of the panel has, with idle segments and lanes of units; more rows than
/// the pipeline has segments, more than a tile.
TEST(a_persistent_layer_in_registers_gives_the_bits_of_the_stepwise_one) {
    check_variants(1, 1, 1, {}, {16, 16, 1, 1, 128});
    check_variants(3, 7, 19, {}, {16, 16, 13, 7, 128});
    check({2, 21, 40, false, false, {}}, {16, 16, 16, 19, 128});
    check({2, 21, 40, true, true, {}}, {16, 16, 16, 19, 128});
}

/// A part of the weights in shared memory, which the sums go on to: H just past one and past two chunks of each segment,
/// up to 8 rows and more, quads that are not aligned.
TEST(a_persistent_layer_in_registers_and_shared_memory_gives_the_same_bits) {
    check({2, 9, 140, false, false, {}}, {16, 16, 16, 9, 128});
    check({2, 9, 140, true, false, {}}, {16, 16, 16, 9, 128});
    check({2, 2, 261, false, true, {}}, {16, 16, 16, 2, 256});
    check({2, 2, 261, true, true, {}}, {16, 16, 16, 2, 128});
}

TEST(a_persistent_layer_in_registers_with_lengths_gives_the_same_bits) {
    check_variants(4, 18, 9, {1, 1, 0, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 4, 3}, {16, 16, 9, 18, 128});
    check_variants(5, 4, 12, {2, 0, 3, 1}, {16, 16, 8, 2, 128});
}

TEST(a_persistent_layer_with_lengths_gives_the_same_bits_and_reads_no_padding) {
    check_variants(6, 5, 19, {3, 0, 6, 1, 5}, {8, 8, 8, 5});
    check_variants(5, 4, 12, {2, 0, 3, 1}, {8, 8, 8, 2}); // no row has all steps, groups end at different ones
    // The first tile of the group ends before the second.
    check_variants(4, 10, 9, {1, 1, 0, 1, 2, 1, 1, 1, 4, 3}, {8, 8, 8, 10});
    check_variants(3, 2, 9, {0, 0}, {8, 8, 8, 2});
}

TEST(a_persistent_layer_without_bias_gives_the_same_bits) {
    check({3, 2, 9, false, false, {}}, {8, 8, 8, 2}, false);
    check({3, 2, 9, true, true, {2, 3}}, {8, 8, 8, 2}, false);
}

TEST(a_layer_without_steps_leaves_everything_as_it_is) {
    check_variants(0, 2, 9, {}, {8, 8, 8, 2});
}

/// A group whose blocks are not all there waits for the missing one for ever: that must be seen, not hang.
TEST(blocks_that_wait_for_one_that_is_not_there_are_reported) {
    const Sequence s = {2, 1, 9, false, false, {}};
    Layer layer(s, true);
    Tensor<unsigned> flags(std::vector<unsigned>(GRU_FLAG_STRIDE, 0));
    const GruPersistentForward args = {layer.w_hh.at(), nullptr, layer.gx.at(), layer.states.at(), layer.gates.at(),
                                       layer.y.at(), nullptr, flags.at(), s.H, s.T + 1, s.T, s.T, s.B, s.H, 0, 8, 1};
    const long long shared = gru_persistent_shared_bytes(false, false, 8, 8, 1, s.H);
    const std::string failure = failure_of([&] {
        // Not cooperative: the second block would run when the first has ended.
        launch("gru_persistent_forward_reset_after_8x8_f32", &args, sizeof args, 2, 1, 1, GRU_PERSISTENT_THREADS,
               static_cast<size_t>(shared));
    });
    if (failure.find("for a flag that is 1 to reach 2") == std::string::npos) {
        fail("'" + failure + "' does not say who waits for what");
    }
}
