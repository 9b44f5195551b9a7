// SPDX-License-Identifier: Apache-2.0
//
// Training with a scaled loss: where the scale goes in, what it does to a step that overflowed, where it goes out again.
#include "kernel_test.h"

#include <math.h>
#include <tuple>

namespace {

constexpr float kScale = 0x1p10f;

/// In the order of GRU_SCALE, GRU_CLEAN_STEPS, GRU_SKIPPED_STEPS, GRU_UNSCALE.
std::vector<float> state_of(float scale, float clean, float skipped, float unscale) {
    return {scale, clean, skipped, unscale};
}

std::vector<float> times(std::vector<float> values, float factor) {
    for (float& value : values) {
        value = value * factor;
    }
    return values;
}

/// State and squared norm after a step with this gradient, in any order of threads.
std::vector<float> after_step(const std::vector<float>& state, const std::vector<float>& gradient, float smallest,
                              float largest, int growth_interval) {
    return in_any_order([&] {
        const unsigned grid = static_cast<unsigned>(gradient.size() / 1024 + 1);
        const Tensor<float> g(gradient);
        const Tensor<float> state_dev(state);
        const Tensor<float> norm(1);
        const Tensor<double> partial(grid);
        launch_by_element("gru_squared_norm_f32",
                          GruSquaredNorm{g.at(), partial.at(), static_cast<long long>(gradient.size())}, grid,
                          GRU_SUM_SHARED);
        launch("gru_update_loss_scale_f32",
               GruLossScale{partial.at(), state_dev.at(), norm.at(), grid, smallest, largest, growth_interval, 0}, 1,
               GRU_ELEMENT_THREADS, GRU_SUM_SHARED);
        std::vector<float> result = state_dev.values();
        result.push_back(norm.values()[0]);
        return result;
    });
}

const Axes kStateAndNorm = {"scale, clean steps, skipped steps, unscale, squared norm", {{'k', 5}}};

} // namespace

TEST(a_step_without_overflow_counts_as_clean_and_doubles_the_scale_in_time) {
    const std::vector<float> gradient = {3 * kScale, -4 * kScale};
    expect_same_bits(kStateAndNorm, after_step(state_of(kScale, 0, 5, 0), gradient, 1, 0x1p24f, 3),
                     {kScale, 1, 5, 1 / kScale, 25});
    expect_same_bits(kStateAndNorm, after_step(state_of(kScale, 2, 5, 0), gradient, 1, 0x1p24f, 3),
                     {2 * kScale, 0, 5, 1 / kScale, 25});
    expect_same_bits(kStateAndNorm, after_step(state_of(kScale, 2, 5, 0), gradient, 1, kScale, 3),
                     {kScale, 0, 5, 1 / kScale, 25});
}

TEST(one_element_that_is_not_finite_skips_the_step_and_halves_the_scale) {
    for (size_t n : {size_t(1), size_t(257), size_t(5003)}) {
        for (float bad : {INFINITY, -INFINITY, NAN}) {
            std::vector<float> gradient(n, 1.0f);
            gradient[n - 1] = bad;
            std::vector<float> found = after_step(state_of(kScale, 7, 5, 1 / kScale), gradient, 1, 0x1p24f, 9);
            if (!std::isnan(found[4])) {
                fail("the squared norm of a skipped step is " + std::to_string(found[4]) + "; NaN expected");
            }
            found.pop_back();
            const Axes state = {"scale, clean steps, skipped steps, unscale", {{'k', 4}}};
            expect_same_bits(state, found, {kScale / 2, 0, 6, 0});
            found = after_step(state_of(1, 7, 5, 1), gradient, 1, 0x1p24f, 9);
            found.pop_back();
            expect_same_bits(state, found, {1, 0, 6, 0});
        }
    }
}

TEST(a_finite_gradient_overflows_at_no_length) {
    // 300 times 2^254 is far beyond the floats; without the scale it is 300 · 2^54.
    const std::vector<float> gradient(300, 0x1p127f);
    expect_same_bits(kStateAndNorm, after_step(state_of(0x1p100f, 0, 0, 0), gradient, 1, 0x1p100f, 9),
                     {0x1p100f, 1, 0, 0x1p-100f, 300 * 0x1p54f});
}

TEST(a_scaled_loss_scales_its_gradient_and_nothing_else) {
    const int n = 7, classes = 29;
    Random random(11);
    const std::vector<float> logits = random.normals(n * classes);
    const Tensor<float> scale(std::vector<float>{kScale});
    const Tensor<float> logits_dev(logits), target(random.normals(n * classes));
    const Tensor<int> targets(std::vector<int>{3, 0, GRU_NONE, 28, 7, 7, 1});
    std::vector<std::vector<float>> gradients[2];
    for (int scaled : {0, 1}) {
        const float* factor = scaled ? scale.at() : nullptr;
        const Tensor<float> d_logits(logits.size()), d_prediction(logits.size()), total(2);
        const Tensor<double> row_loss(n), partial(1);
        launch("gru_softmax_cross_entropy_f32",
               GruSoftmax{logits_dev.at(), targets.at(), d_logits.at(), row_loss.at(), nullptr, factor, n, classes,
                          0.37f, 0},
               n, GRU_ROW_THREADS, GRU_ROW_THREADS * sizeof(double));
        launch_by_element("gru_squared_error_f32",
                          GruSquaredError{logits_dev.at(), target.at(), nullptr, d_prediction.at(), partial.at(),
                                          factor, n, classes, 0.37f, 0},
                          1, GRU_SUM_SHARED);
        for (const auto& [sums, count, at] : {std::tuple{row_loss.at(), n, 0}, {partial.at(), 1, 1}}) {
            launch("gru_sum_f64", GruSum{sums, total.at(static_cast<size_t>(at)), count, 0.37}, 1, GRU_ELEMENT_THREADS,
                   GRU_SUM_SHARED);
        }
        gradients[scaled] = {d_logits.values(), d_prediction.values(), total.values()};
    }
    expect_same_bits({"dLogits", {{'n', n}, {'c', classes}}}, gradients[1][0], times(gradients[0][0], kScale));
    expect_same_bits({"dPrediction", {{'n', n}, {'c', classes}}}, gradients[1][1], times(gradients[0][1], kScale));
    expect_same_bits({"losses", {{'k', 2}}}, gradients[1][2], gradients[0][2]);
}

TEST(optimizers_take_the_scale_out_count_applied_steps_and_leave_a_skipped_step_alone) {
    // Ten steps, three of them skipped: the bias correction is that of the seventh.
    const long long step = 10, applied = 7;
    const float rate = 0.05f, momentum = 0.9f, b1 = 0.8f, b2 = 0.99f, decay = 0.0003f, epsilon = 1e-6f;
    const float adam_rate = static_cast<float>(rate / (1 - pow(b1, applied)));
    const float root_scale = static_cast<float>(1 / sqrt(1 - pow(b2, applied)));
    for (int n : {1, 257, 5003}) {
        const size_t count = static_cast<size_t>(n);
        Random random(static_cast<uint64_t>(n));
        const std::vector<float> p = random.normals(count), g = random.normals(count), m = random.normals(count);
        const std::vector<float> v(count, 0.3f), nan(count, NAN);
        const unsigned grid = static_cast<unsigned>(n / 1024 + 1);
        // p, velocity, p, p, m, v after the three optimizers.
        auto run = [&](const std::vector<float>& gradient, const std::vector<float>* state, long long at_step) {
            return in_any_order([&] {
                const Tensor<float> g_dev(gradient), state_dev(state == nullptr ? std::vector<float>(4) : *state);
                const float* loss_scale = state == nullptr ? nullptr : state_dev.at();
                const float of_host = state == nullptr ? 1.0f : NAN; // with a scaled loss, nobody reads its factors
                const Tensor<float> p_plain(p), p_moved(p), p_adam(p), velocity(m), m_dev(m), v_dev(v);
                launch_by_element("gru_sgd_f32",
                                  GruSgd{p_plain.at(), g_dev.at(), nullptr, loss_scale, n, rate, momentum}, grid);
                launch_by_element("gru_sgd_f32",
                                  GruSgd{p_moved.at(), g_dev.at(), velocity.at(), loss_scale, n, rate, momentum}, grid);
                launch_by_element("gru_adam_f32",
                                  GruAdam{p_adam.at(), g_dev.at(), m_dev.at(), v_dev.at(), loss_scale, n, at_step, rate,
                                          b1, b2, decay, of_host * adam_rate, of_host * root_scale, epsilon, 0},
                                  grid, GRU_ADAM_SHARED);
                std::vector<float> all;
                for (const Tensor<float>* tensor : {&p_plain, &p_moved, &velocity, &p_adam, &m_dev, &v_dev}) {
                    const std::vector<float> values = tensor->values();
                    all.insert(all.end(), values.begin(), values.end());
                }
                return all;
            });
        };
        const Axes axes = {"sgd p, momentum p, velocity, adam p, m, v", {{'s', 6}, {'k', n}}};
        const std::vector<float> state = state_of(2 * kScale, 0, 3, 1 / kScale);
        expect_same_bits(axes, run(times(g, kScale), &state, step), run(g, nullptr, 0));
        const std::vector<float> skipped = state_of(kScale / 2, 0, 4, 0);
        std::vector<float> before;
        for (const std::vector<float>* values : {&p, &p, &m, &p, &m, &v}) {
            before.insert(before.end(), values->begin(), values->end());
        }
        expect_same_bits(axes, run(nan, &skipped, step), before);
    }
}
