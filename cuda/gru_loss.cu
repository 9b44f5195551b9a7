// SPDX-License-Identifier: Apache-2.0
//
// The losses and their gradients. What is summed is summed in double, in an order that depends on the sizes alone.

#include "gru_kernels.h"
#include "gru_math.cuh"
#include "gru_sums.cuh"

/// The factor of a gradient: `scale`, where the loss is scaled times what lies at `loss_scale`.
GRU4J_DEVICE double gru_gradient_scale(float scale, const float* loss_scale) {
    return loss_scale == nullptr ? scale : static_cast<double>(scale) * loss_scale[0];
}

/**
 * With m the row's largest logit: −log softmax_j = log Σ e^(l_i − m) − (l_j − m), where no exponential can overflow.
 * One block a row. d_logits may be logits: a thread writes only elements that no other thread reads any more.
 */
GRU4J_KERNEL(gru_softmax_cross_entropy_f32, GRU_ROW_THREADS, GruSoftmax, p) {
    GRU4J_SHARED(double, s_values);
    const int k = gru4j::block_x();
    const int thread = gru4j::thread_x();
    const long long row = static_cast<long long>(k) * p.classes;
    const int target = p.targets[k];
    if (target < 0 || target >= p.classes) {
        if (thread == 0) {
            p.row_loss[k] = 0.0;
            if (target != GRU_NONE && p.fault != nullptr) {
                *p.fault = 1; // all writers write the same
            }
        }
        for (int j = thread; p.d_logits != nullptr && j < p.classes; j += GRU_ROW_THREADS) {
            p.d_logits[row + j] = 0.0f;
        }
        return;
    }

    const float at_target = p.logits[row + target];
    float largest = -INFINITY;
    for (int j = thread; j < p.classes; j += GRU_ROW_THREADS) {
        const float logit = p.logits[row + j];
        largest = logit > largest ? logit : largest;
    }
    largest = gru_block_max<GRU_ROW_THREADS>(s_values, largest);

    double sum = 0.0;
    for (int j = thread; j < p.classes; j += GRU_ROW_THREADS) {
        sum = sum + gru_exp_negated(largest - p.logits[row + j]);
    }
    sum = gru_block_sum<GRU_ROW_THREADS>(s_values, sum);
    if (thread == 0) {
        p.row_loss[k] = gru_log(sum) - (at_target - largest);
    }
    const double scale = gru_gradient_scale(p.scale, p.loss_scale);
    for (int j = thread; p.d_logits != nullptr && j < p.classes; j += GRU_ROW_THREADS) {
        const double softmax = gru_exp_negated(largest - p.logits[row + j]) / sum;
        p.d_logits[row + j] = static_cast<float>(scale * (softmax - (j == target ? 1.0 : 0.0)));
    }
}

/// partial[block] = Σ w·(prediction − target)²    d_prediction = 2·scale·w·(prediction − target)
GRU4J_KERNEL(gru_squared_error_f32, GRU_ELEMENT_THREADS, GruSquaredError, p) {
    GRU4J_SHARED(double, s_values);
    const long long elements = static_cast<long long>(p.n) * p.width;
    const double scale = gru_gradient_scale(p.scale, p.loss_scale);
    double sum = 0.0;
    for (long long i = gru4j::global_thread(); i < elements; i += gru4j::global_threads()) {
        const double w = p.row_weights == nullptr ? 1.0 : p.row_weights[i / p.width];
        // A row of weight 0 may hold anything, so it is not multiplied by 0.
        const double difference = w == 0.0 ? 0.0 : static_cast<double>(p.prediction[i]) - p.target[i];
        sum = sum + w * difference * difference;
        if (p.d_prediction != nullptr) {
            p.d_prediction[i] = static_cast<float>(2.0 * scale * w * difference);
        }
    }
    sum = gru_block_sum<GRU_ELEMENT_THREADS>(s_values, sum);
    if (gru4j::thread_x() == 0) {
        p.partial[gru4j::block_x()] = sum;
    }
}
