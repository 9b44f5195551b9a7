// SPDX-License-Identifier: Apache-2.0
#include "gru_philox.cuh"
#include "kernel_test.h"

#include <algorithm>
#include <math.h>
#include <tuple>

namespace {

/// |found − expected| ≤ `roundings` half ULP of the size of what was added up.
std::vector<double> bounds(const std::vector<double>& sizes, double roundings) {
    std::vector<double> result;
    for (double size : sizes) {
        result.push_back(roundings * 0x1p-24 * fabs(size));
    }
    return result;
}

/// Every fifth id is none, but not the first.
std::vector<int> ids(Random& random, int n, int rows) {
    std::vector<int> result;
    for (int k = 0; k < n; k++) {
        result.push_back(k % 5 == 4 ? GRU_NONE : random.below(rows));
    }
    return result;
}

/// Rows without an id hold NaN: nobody may read them.
void poison(std::vector<float>& values, const std::vector<int>& ids, int width) {
    for (size_t i = 0; i < values.size(); i++) {
        values[i] = ids[i / static_cast<size_t>(width)] == GRU_NONE ? NAN : values[i];
    }
}

unsigned grid_for(long long n) {
    return static_cast<unsigned>(n / 1024 + 1);
}

const int kSizes[] = {1, 7, 255, 256, 257, 5003};

} // namespace

TEST(embedding_gathers_rows_and_adds_them_up_in_order) {
    for (const auto& [n, rows, width] : {std::tuple{1, 1, 1}, {13, 7, 29}, {64, 100, 33}, {257, 31, 130}}) {
        Random random(static_cast<uint64_t>(n));
        const std::vector<int> id = ids(random, n, rows);
        const std::vector<float> table = random.normals(static_cast<size_t>(rows) * width);
        std::vector<float> d_out = random.normals(static_cast<size_t>(n) * width);
        poison(d_out, id, width);
        const std::vector<float> before = random.normals(table.size());
        const Tensor<int> id_dev(id);
        const Tensor<int> fault(std::vector<int>{0});
        const Tensor<float> table_dev(table);
        const Tensor<float> out(d_out.size());
        launch_by_row("gru_embedding_forward_f32",
                      GruEmbedding{id_dev.at(), table_dev.at(), out.at(), fault.at(), n, rows, width, 0}, n, width);
        std::vector<float> gathered(d_out.size());
        std::vector<float> sums[] = {std::vector<float>(table.size()), before};
        for (int k = 0; k < n; k++) {
            for (int i = 0; i < width && id[static_cast<size_t>(k)] != GRU_NONE; i++) {
                const size_t of_table = static_cast<size_t>(id[static_cast<size_t>(k)]) * width + i;
                const size_t position = static_cast<size_t>(k) * width + i;
                gathered[position] = table[of_table];
                sums[0][of_table] += d_out[position];
                sums[1][of_table] += d_out[position];
            }
        }
        expect_same_bits({"out", {{'n', n}, {'i', width}}}, out.values(), gathered);
        const Tensor<float> d_out_dev(d_out);
        for (int accumulate : {0, 1}) {
            const Tensor<float> d_table(before);
            launch_by_row(
                "gru_embedding_backward_f32",
                GruEmbedding{id_dev.at(), d_table.at(), d_out_dev.at(), fault.at(), n, rows, width, accumulate}, rows,
                width);
            expect_same_bits({"dTable", {{'r', rows}, {'i', width}}}, d_table.values(), sums[accumulate]);
        }
        if (fault.values()[0] != 0) {
            fail("ids in range were called a fault");
        }
    }
}

TEST(an_id_out_of_range_is_a_fault_and_reads_nothing) {
    for (int bad : {5, -2}) {
        const Tensor<int> id(std::vector<int>{0, bad, GRU_NONE});
        for (const char* kernel : {"gru_embedding_forward_f32", "gru_embedding_backward_f32"}) {
            const Tensor<int> fault(std::vector<int>{0});
            const Tensor<float> table(std::vector<float>(5, 1.0f));
            const Tensor<float> positions(std::vector<float>(3, 1.0f));
            launch_by_row(kernel, GruEmbedding{id.at(), table.at(), positions.at(), fault.at(), 3, 5, 1, 0}, 5, 1);
            if (fault.values()[0] != 1) {
                fail(std::string(kernel) + " took id " + std::to_string(bad) + " of 5 rows");
            }
        }
        const Tensor<int> fault(std::vector<int>{0});
        const Tensor<float> logits(std::vector<float>(15, 1.0f));
        const Tensor<double> loss(3);
        launch("gru_softmax_cross_entropy_f32",
               GruSoftmax{logits.at(), id.at(), nullptr, loss.at(), fault.at(), nullptr, 3, 5, 1, 0}, 3,
               GRU_ROW_THREADS, GRU_ROW_THREADS * sizeof(double));
        if (fault.values()[0] != 1) {
            fail("softmax took target " + std::to_string(bad) + " of 5 classes");
        }
    }
}

TEST(softmax_cross_entropy_and_its_gradient_are_right) {
    const float scale = 0.37f;
    for (const auto& [n, classes, spread] :
         {std::tuple{1, 1, 1.0f}, {7, 29, 1.0f}, {6, 257, 60.0f}, {129, 16, 60.0f}}) {
        Random random(static_cast<uint64_t>(classes));
        const std::vector<int> target = ids(random, n, classes);
        std::vector<float> logits = random.normals(static_cast<size_t>(n) * classes, spread);
        std::vector<double> gradient(logits.size());
        std::vector<double> gradient_bound(logits.size());
        double loss = 0;
        double loss_bound = 0;
        for (int k = 0; k < n; k++) {
            const float* l = &logits[static_cast<size_t>(k) * classes];
            const int j_target = target[static_cast<size_t>(k)];
            if (j_target == GRU_NONE) {
                continue;
            }
            const double largest = *std::max_element(l, l + classes);
            double sum = 0;
            for (int j = 0; j < classes; j++) {
                sum += exp(l[j] - largest);
            }
            loss += log(sum) - (l[j_target] - largest);
            // The distance to the largest logit is rounded, and the exponential with it; the rest is in double.
            loss_bound += 0x1p-24 * (8 + (largest - l[j_target]));
            for (int j = 0; j < classes; j++) {
                const size_t at = static_cast<size_t>(k) * classes + j;
                const double softmax = exp(l[j] - largest) / sum;
                gradient[at] = scale * (softmax - (j == j_target));
                gradient_bound[at] = 0x1p-24 * scale * (softmax * (16 + 2 * (largest - l[j])) + (j == j_target)) +
                                     0x1p-149; // the smallest float
            }
        }
        poison(logits, target, classes);
        const Tensor<int> target_dev(target);
        const Tensor<float> logits_dev(logits);
        const Tensor<double> row_loss(static_cast<size_t>(n));
        const Tensor<float> total(1);
        // The gradient replaces the logits.
        launch("gru_softmax_cross_entropy_f32",
               GruSoftmax{logits_dev.at(), target_dev.at(), logits_dev.at(), row_loss.at(), nullptr, nullptr, n,
                          classes, scale, 0},
               static_cast<unsigned>(n), GRU_ROW_THREADS, GRU_ROW_THREADS * sizeof(double));
        launch("gru_sum_f64", GruSum{row_loss.at(), total.at(), n, scale}, 1, GRU_ELEMENT_THREADS, GRU_SUM_SHARED);
        expect_close({"dLogits", {{'n', n}, {'c', classes}}}, logits_dev.values(), gradient, gradient_bound);
        expect_close({"loss", {{'k', 1}}}, total.values(), {scale * loss},
                     std::vector<double>{scale * (loss_bound + 0x1p-24 * loss)});
    }
}

TEST(squared_error_and_its_gradient_are_right) {
    const float scale = 0.37f;
    for (const auto& [n, width, weighted] : {std::tuple{1, 1, 0}, {7, 29, 1}, {131, 17, 1}, {131, 17, 0}}) {
        Random random(static_cast<uint64_t>(n));
        std::vector<float> prediction = random.normals(static_cast<size_t>(n) * width);
        std::vector<float> target = random.normals(prediction.size());
        std::vector<float> weights = random.normals(static_cast<size_t>(n));
        std::vector<double> gradient;
        double loss = 0;
        for (size_t i = 0; i < prediction.size(); i++) {
            const size_t k = i / static_cast<size_t>(width);
            weights[k] = k % 3 == 1 ? 0 : fabsf(weights[k]);
            const double w = weighted ? weights[k] : 1;
            const double difference = static_cast<double>(prediction[i]) - target[i];
            loss += w * difference * difference;
            gradient.push_back(2 * scale * w * difference);
            if (w == 0) {
                prediction[i] = NAN;
                target[i] = INFINITY;
            }
        }
        const Tensor<float> prediction_dev(prediction);
        const Tensor<float> target_dev(target);
        const Tensor<float> weights_dev(weights);
        const unsigned grid = grid_for(n * width);
        const Tensor<double> partial(grid);
        const Tensor<float> total(1);
        launch_by_element("gru_squared_error_f32",
                          GruSquaredError{prediction_dev.at(), target_dev.at(), weighted ? weights_dev.at() : nullptr,
                                          prediction_dev.at(), partial.at(), nullptr, n, width, scale, 0},
                          grid, GRU_SUM_SHARED);
        launch("gru_sum_f64", GruSum{partial.at(), total.at(), grid, scale}, 1, GRU_ELEMENT_THREADS, GRU_SUM_SHARED);
        expect_close({"dPrediction", {{'n', n}, {'i', width}}}, prediction_dev.values(), gradient, bounds(gradient, 2));
        expect_close({"loss", {{'k', 1}}}, total.values(), {scale * loss}, bounds({scale * loss}, 2));
    }
}

TEST(norm_and_clipping_are_right) {
    for (int n : kSizes) {
        const std::vector<float> v = Random(static_cast<uint64_t>(n)).normals(static_cast<size_t>(n));
        double squares = 0;
        for (float value : v) {
            squares += static_cast<double>(value) * value;
        }
        const std::vector<float> norm = in_any_order([&] {
            const Tensor<float> v_dev(v);
            const Tensor<double> partial(grid_for(n));
            const Tensor<float> result(1);
            launch_by_element("gru_squared_norm_f32", GruSquaredNorm{v_dev.at(), partial.at(), n}, grid_for(n),
                              GRU_SUM_SHARED);
            launch("gru_sum_f64", GruSum{partial.at(), result.at(), grid_for(n), 1}, 1, GRU_ELEMENT_THREADS,
                   GRU_SUM_SHARED);
            return result.values();
        });
        expect_close({"squared norm", {{'k', 1}}}, norm, {squares}, bounds({squares}, 2));
        for (float max_norm : {0.5f, 1e6f}) {
            const Tensor<float> gradient(v);
            const Tensor<float> squared(norm);
            launch_by_element("gru_clip_by_norm_f32", GruClip{gradient.at(), squared.at(), n, max_norm, 0},
                              grid_for(n));
            const double factor = fmin(1, max_norm / sqrt(norm[0]));
            std::vector<double> expected;
            for (float value : v) {
                expected.push_back(value * factor);
            }
            expect_close({"gradient", {{'k', n}}}, gradient.values(), expected, bounds(expected, 2));
        }
    }
}

TEST(optimizer_steps_are_right) {
    const float rate = 0.05f, momentum = 0.9f;
    for (int n : kSizes) {
        const size_t count = static_cast<size_t>(n);
        Random random(static_cast<uint64_t>(n));
        const std::vector<float> p = random.normals(count), g = random.normals(count), m = random.normals(count);
        std::vector<float> v = random.normals(count);
        std::vector<double> plain, moved, velocity, first, second, adam, sizes(count, 0), first_sizes, second_sizes;
        const double decay = 0.0003, alpha = 0.003 / (1 - pow(0.8, 7)), root = 1 / sqrt(1 - pow(0.99, 7)),
                     epsilon = 1e-6;
        const float b1 = 0.8f, b2 = 0.99f;
        for (size_t k = 0; k < count; k++) {
            v[k] = v[k] * v[k];
            plain.push_back(static_cast<double>(p[k]) - static_cast<double>(rate) * g[k]);
            velocity.push_back(static_cast<double>(momentum) * m[k] + g[k]);
            moved.push_back(p[k] - rate * velocity[k]);
            first.push_back(static_cast<double>(b1) * m[k] + (1 - static_cast<double>(b1)) * g[k]);
            second.push_back(static_cast<double>(b2) * v[k] + (1 - static_cast<double>(b2)) * g[k] * g[k]);
            const double step = alpha * first[k] / (sqrt(second[k]) * root + epsilon);
            adam.push_back(p[k] - (decay * p[k] + step));
            first_sizes.push_back(fabs(m[k]) + fabs(g[k]));
            second_sizes.push_back(second[k]);
            // Roundings of p, and of a step whose first moment may have cancelled.
            sizes[k] = fabs(p[k]) + (1 + rate) * first_sizes[k] * (1 + alpha / (sqrt(second[k]) * root + epsilon));
        }
        const Tensor<float> g_dev(g);
        const Tensor<float> p_plain(p), p_moved(p), p_adam(p), velocity_dev(m), m_dev(m), v_dev(v);
        const unsigned grid = grid_for(n);
        launch_by_element("gru_sgd_f32", GruSgd{p_plain.at(), g_dev.at(), nullptr, nullptr, n, rate, momentum}, grid);
        launch_by_element("gru_sgd_f32",
                          GruSgd{p_moved.at(), g_dev.at(), velocity_dev.at(), nullptr, n, rate, momentum}, grid);
        launch_by_element("gru_adam_f32",
                          GruAdam{p_adam.at(), g_dev.at(), m_dev.at(), v_dev.at(), nullptr, n, 0, 0, b1, b2,
                                  static_cast<float>(decay), static_cast<float>(alpha), static_cast<float>(root),
                                  static_cast<float>(epsilon), 0},
                          grid, GRU_ADAM_SHARED);
        expect_close({"sgd", {{'k', n}}}, p_plain.values(), plain, bounds(sizes, 3));
        expect_close({"sgd with velocity", {{'k', n}}}, p_moved.values(), moved, bounds(sizes, 5));
        expect_close({"velocity", {{'k', n}}}, velocity_dev.values(), velocity, bounds(first_sizes, 3));
        expect_close({"adam", {{'k', n}}}, p_adam.values(), adam, bounds(sizes, 12));
        expect_close({"m", {{'k', n}}}, m_dev.values(), first, bounds(first_sizes, 4));
        // 1 − β2 is a float here; its rounding counts against the larger β2.
        expect_close({"v", {{'k', n}}}, v_dev.values(), second, bounds(second_sizes, 6));
    }
}

TEST(dropout_scales_by_the_generator_and_clears_padding) {
    const int T = 4, B = 3, width = 13, layer = 2;
    const float p = 0.3f, keep = 1.0f / (1.0f - p);
    const std::vector<int> lengths = {4, 0, 2};
    const std::vector<float> in = Random(5).normals(T * B * width);
    std::vector<float> expected;
    int dropped = 0;
    for (int i = 0; i < T * B * width; i++) {
        const unsigned t = static_cast<unsigned>(i / width / B), b = static_cast<unsigned>(i / width % B),
                       unit = static_cast<unsigned>(i % width);
        const GruPhiloxWords words =
            gru_philox({{unit / 4 + (static_cast<unsigned>(layer) << 24), b, t, 77}}, 0x123456789abcdefull);
        const bool kept = (words.v[unit % 4] >> 8) / 16777216.0 >= p;
        dropped += !kept;
        expected.push_back(static_cast<int>(t) < lengths[b] && kept ? in[static_cast<size_t>(i)] * keep : 0.0f);
    }
    if (dropped < 30 || dropped > 65) {
        fail(std::to_string(dropped) + " of 156 features dropped; about 47 expected");
    }
    std::vector<float> poisoned = in;
    for (int i = 0; i < T * B * width; i++) {
        const bool padding = i / width / B >= lengths[static_cast<size_t>(i / width % B)];
        poisoned[static_cast<size_t>(i)] = padding ? NAN : in[static_cast<size_t>(i)];
    }
    const Tensor<float> values(poisoned);
    const Tensor<int> lengths_dev(lengths);
    const Tensor<unsigned> draw({0x89abcdefu, 0x1234567u, 77});
    const GruDropout args = {values.at(), values.at(), lengths_dev.at(), draw.at(), layer, T, B, width, p, keep};
    launch_by_row("gru_dropout_f32", args, T * B, (width + 3) / 4);
    std::vector<float> found = values.values();
    for (float& value : found) {
        value = value == 0 ? 0.0f : value; // −0 of a dropped negative number
    }
    expect_same_bits({"out", {{'t', T}, {'b', B}, {'j', width}}}, found, expected);
}
