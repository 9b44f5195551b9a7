// SPDX-License-Identifier: Apache-2.0
//
// A layer and direction by the persistent kernels and by the stepwise ones, for their comparison, in any precision of the
// products.
#pragma once

#include "kernel_test.h"

#include <algorithm>
#include <math.h>

struct Sequence {
    int T, B, H;
    bool reset_before;
    bool reverse;
    std::vector<int> lengths; // empty: all T
};

/// Chunks in registers of the kernels in persistent_mma_kernels.cu, of each warp and gate.
constexpr int TEST_KEPT = 1;

/// k of each gate in registers, in the kernels of persistent_registers_kernels.cu.
constexpr int TEST_PANEL = 128;

/// How a persistent kernel divides it: the tile, units of a block, rows of a group of blocks.
struct Division {
    int tile_units, tile_rows;
    int units, rows;
};

inline unsigned parts(int size, int part) {
    return static_cast<unsigned>((size + part - 1) / part);
}

/// One layer and direction without its input: gx and dy are given, dgx and dgh are the results.
class Layer {
public:
    /// kernels: the end of their names, f32 or another precision, and behind it what the test's own are told apart by.
    Layer(const Sequence& sequence, bool with_bias, const std::string& kernels = "f32")
        : s(sequence), kernels_(kernels), precision_(kernels.substr(0, kernels.find('_'))),
          random(static_cast<uint64_t>(s.T * 10000 + s.B * 100 + s.H)), state(s.B * size(s.H)),
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
            const GruCellForward cell = {gx.at(),
                                         gh.at(),
                                         states.at(state * step),
                                         states.at(state * (step + 1)),
                                         gates.at(4 * state * step),
                                         y.at(),
                                         mask(),
                                         H,
                                         s.T,
                                         s.B,
                                         H,
                                         step,
                                         s.reverse,
                                         0};
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
            const GruCellBackward cell = {gates.at(4 * state * step),
                                          states.at(state * step),
                                          dy.at(),
                                          dh.at(),
                                          drh.at(),
                                          dgx.at(),
                                          dgh.at(3 * state * step),
                                          mask(),
                                          H,
                                          s.T,
                                          s.B,
                                          H,
                                          step,
                                          s.reverse,
                                          0};
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
        const GruPersistentBackward args = {w_hh.at(), gates.at(), states.at(),    dy.at(),      dh.at(), dgx.at(),
                                            dgh.at(),  mask(),     flags.at(),     s.H,          s.T,     s.B,
                                            s.H,       s.reverse,  division.units, division.rows};
        launch("backward", division, args);
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
        expect_same_bits({of + "states", {{'s', s.T + 1}, {'b', s.B}, {'j', s.H}}}, states.values(),
                         other.states.values());
        expect_same_bits({of + "gates", {{'s', s.T}, {'b', s.B}, {'g', 4 * s.H}}}, gates.values(),
                         other.gates.values());
        expect_same_bits({of + "y", {{'t', s.T}, {'b', s.B}, {'j', s.H}}}, y.values(), other.y.values());
        expect_same_bits({of + "dgx", {{'t', s.T}, {'b', s.B}, {'g', 3 * s.H}}}, dgx.values(), other.dgx.values());
        expect_same_bits({of + "dgh", {{'s', s.T}, {'b', s.B}, {'g', 3 * s.H}}}, dgh.values(), other.dgh.values());
        expect_same_bits({of + "dh0", {{'b', s.B}, {'j', s.H}}}, dh.values(), other.dh.values());
    }

    const Sequence& s;

private:
    const std::string kernels_;
    const std::string precision_;
    Random random;

public:
    const size_t state; // floats of one (B,H)
    Tensor<float> w_hh, b_hh, gx, dy, h0, dhT;
    Tensor<int> lengths;
    Tensor<float> states, gates, y, dh, dgx, dgh, gh, drh;

private:
    static size_t size(long long value) { return static_cast<size_t>(value); }
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
        const GruGemm args = {in,
                              w_hh.at(size(block) * H * H),
                              b_hh.count() == 0 ? nullptr : b_hh.at(block * H),
                              gh.at(block * H),
                              nullptr,
                              stride,
                              H,
                              3 * H,
                              0,
                              s.B,
                              blocks * H,
                              H,
                              H,
                              0,
                              0,
                              0,
                              0};
        product("nt", args);
    }

    void project_backward(const float* dgh_of_step, int block, int blocks, float* out, int accumulate, int step) {
        const int H = s.H;
        const GruGemm args = {dgh_of_step + block * H,
                              w_hh.at(size(block) * H * H),
                              nullptr,
                              out,
                              mask(),
                              3 * H,
                              H,
                              H,
                              0,
                              s.B,
                              H,
                              blocks * H,
                              blocks * H,
                              s.B,
                              step,
                              accumulate,
                              0};
        product("nn", args);
    }

    void product(const std::string& op, const GruGemm& args) const {
        ::launch("gru_gemm_" + op + "_32x32_" + precision_, &args, sizeof args, parts(args.m, 32), parts(args.n, 32), 1,
                 GRU_GEMM_THREADS, precision_ == "f32" ? GRU_GEMM_SMALL_SHARED : GRU_GEMM_SMALL_MMA_SHARED);
    }

    std::vector<unsigned> flags_of(const Division& division) const {
        return std::vector<unsigned>(parts(s.B, division.rows) * GRU_FLAG_STRIDE, 0);
    }

    void forward(const Division& division, float* states_, int state_blocks, float* gates_, int gate_blocks) {
        Tensor<unsigned> flags(flags_of(division));
        const GruPersistentForward args = {w_hh.at(),    b_hh.count() == 0 ? nullptr : b_hh.at(),
                                           gx.at(),      states_,
                                           gates_,       y.at(),
                                           mask(),       flags.at(),
                                           s.H,          state_blocks,
                                           gate_blocks,  s.T,
                                           s.B,          s.H,
                                           s.reverse,    division.units,
                                           division.rows};
        launch("forward", division, args);
    }

    template <typename Args> void launch(const std::string& pass, const Division& division, const Args& args) {
        const std::string kernel = "gru_persistent_" + pass + (s.reset_before ? "_reset_before_" : "_reset_after_") +
                                   std::to_string(division.tile_units) + "x" + std::to_string(division.tile_rows) +
                                   "_" + kernels_;
        launch_cooperative(kernel, &args, sizeof args, parts(s.H, division.units), parts(s.B, division.rows),
                           GRU_PERSISTENT_THREADS, shared_bytes(pass == "backward", division));
    }

    size_t shared_bytes(bool backward, const Division& d) const {
        if (precision_ == "f32") {
            const int panel = d.tile_rows != 16 ? 0 : kernels_ == precision_ ? GRU_PERSISTENT_PANEL : TEST_PANEL;
            return size(
                gru_persistent_shared_bytes(backward, s.reset_before, d.units, d.tile_rows, d.rows, s.H, panel));
        }
        const GruPrecision precision = precision_ == "tf32"     ? GRU_TF32
                                       : precision_ == "3xtf32" ? GRU_TF32X3
                                       : precision_ == "bf16"   ? GRU_BF16
                                                                : GRU_FP16;
        const int kept = kernels_ == precision_ ? gru_persistent_kept(precision, d.tile_units) : TEST_KEPT;
        return size(gru_persistent_mma_shared_bytes(precision, kept, backward, s.reset_before, d.tile_units,
                                                    d.tile_rows, d.rows, s.H));
    }
};

inline std::string describe(const Sequence& s, const Division& division) {
    return "T" + std::to_string(s.T) + " B" + std::to_string(s.B) + " H" + std::to_string(s.H) +
           (s.reset_before ? " reset-before" : " reset-after") + (s.reverse ? " reverse" : "") +
           (s.lengths.empty() ? "" : " lengths") + " tile " + std::to_string(division.tile_units) + "x" +
           std::to_string(division.tile_rows) + " units " + std::to_string(division.units) + " rows " +
           std::to_string(division.rows) + ": ";
}

/// The persistent kernels give the bits of the stepwise ones, forward, backward and in inference, in any order of threads.
void check_persistent(const Sequence& s, const Division& division, bool with_bias = true,
                      const std::string& kernels = "f32");
