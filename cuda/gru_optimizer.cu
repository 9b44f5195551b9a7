// SPDX-License-Identifier: Apache-2.0
//
// Passes over a flat row of parameters: norm, clipping, optimizer steps. Limited by memory. And between them, where the
// loss is scaled, the verdict on the step: one block, so that the host need not wait for it.

#include "gru_kernels.h"
#include "gru_math.cuh"
#include "gru_sums.cuh"

/// partial[block] = Σ v². In double: the sum decides whether a step is clipped, and the memory is the limit anyway.
GRU4J_KERNEL(gru_squared_norm_f32, GRU_ELEMENT_THREADS, GruSquaredNorm, p) {
    GRU4J_SHARED(double, s_values);
    double sum = 0.0;
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        const double v = p.v[i];
        sum = sum + v * v;
    }
    sum = gru_block_sum<GRU_ELEMENT_THREADS>(s_values, sum);
    if (gru4j::thread_x() == 0) {
        p.partial[gru4j::block_x()] = sum;
    }
}

/**
 * A step whose gradient g has Σ g² not finite is skipped: scale / 2, and 0 for the optimizer. growth_interval steps in a
 * row without that: scale · 2. Both within [smallest, largest] (Micikevicius et al. 2018, arXiv 1710.03740). Scales are
 * powers of two, so 1/scale is exact.
 */
GRU4J_KERNEL(gru_update_loss_scale_f32, GRU_ELEMENT_THREADS, GruLossScale, p) {
    GRU4J_SHARED(double, s_values);
    const double sum = gru_sum_row<GRU_ELEMENT_THREADS>(s_values, p.partial, p.count);
    if (gru4j::thread_x() != 0) {
        return;
    }
    const float scale = p.state[GRU_SCALE];
    if (!(sum < HUGE_VAL)) { // infinite or NaN
        p.squared_norm[0] = NAN;
        p.state[GRU_SCALE] = fmaxf(p.smallest, 0.5f * scale);
        p.state[GRU_CLEAN_STEPS] = 0.0f;
        p.state[GRU_SKIPPED_STEPS] = p.state[GRU_SKIPPED_STEPS] + 1.0f;
        p.state[GRU_UNSCALE] = 0.0f;
        return;
    }
    const double unscale = 1.0 / scale;
    const float clean = p.state[GRU_CLEAN_STEPS] + 1.0f;
    const bool grows = clean >= static_cast<float>(p.growth_interval);
    p.squared_norm[0] = static_cast<float>(sum * unscale * unscale);
    p.state[GRU_SCALE] = grows ? fminf(p.largest, 2.0f * scale) : scale;
    p.state[GRU_CLEAN_STEPS] = grows ? 0.0f : clean;
    p.state[GRU_UNSCALE] = static_cast<float>(unscale);
}

/// gradient ·= max_norm / norm where norm > max_norm (Pascanu et al. 2013, arXiv 1211.5063). NaN changes nothing.
GRU4J_KERNEL(gru_clip_by_norm_f32, GRU_ELEMENT_THREADS, GruClip, p) {
    const double norm = sqrt(static_cast<double>(p.squared_norm[0]));
    if (!(norm > p.max_norm)) {
        return;
    }
    const double factor = p.max_norm / norm;
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        p.gradient[i] = static_cast<float>(p.gradient[i] * factor);
    }
}

/// What a gradient is multiplied by; 0: the step is skipped.
GRU4J_DEVICE float gru_unscale(const float* loss_scale) {
    return loss_scale == nullptr ? 1.0f : loss_scale[GRU_UNSCALE];
}

/// velocity = momentum·velocity + gradient    parameters −= learning_rate·velocity
GRU4J_KERNEL(gru_sgd_f32, GRU_ELEMENT_THREADS, GruSgd, p) {
    const float unscale = gru_unscale(p.loss_scale);
    if (unscale == 0.0f) {
        return;
    }
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        float step = p.gradient[i] * unscale;
        if (p.velocity != nullptr) {
            step = p.momentum * p.velocity[i] + step;
            p.velocity[i] = step;
        }
        p.parameters[i] = p.parameters[i] - p.learning_rate * step;
    }
}

/**
 * Kingma and Ba 2015, arXiv 1412.6980, with the decoupled weight decay of Loshchilov and Hutter 2019, arXiv 1711.05101.
 *
 *   m = β1·m + (1 − β1)·g    v = β2·v + (1 − β2)·g²    parameters −= decay·parameters + rate·m / (√v·root_scale + ε)
 *
 * Only the device knows how many steps were applied where the loss is scaled, so the bias corrections are computed here:
 * by one thread of each block, for double precision is slow on many GPUs.
 */
GRU4J_KERNEL(gru_adam_f32, GRU_ELEMENT_THREADS, GruAdam, p) {
    GRU4J_SHARED(float, s_factors);
    const float unscale = gru_unscale(p.loss_scale);
    if (unscale == 0.0f) {
        return; // all threads of all blocks
    }
    float rate = p.rate;
    float root_scale = p.root_scale;
    if (p.loss_scale != nullptr) {
        if (gru4j::thread_x() == 0) {
            const long long t = p.step - static_cast<long long>(p.loss_scale[GRU_SKIPPED_STEPS]);
            s_factors[0] = static_cast<float>(p.learning_rate / (1.0 - gru_integer_power(p.beta1, t)));
            s_factors[1] = static_cast<float>(1.0 / sqrt(1.0 - gru_integer_power(p.beta2, t)));
        }
        gru4j::block_sync();
        rate = s_factors[0];
        root_scale = s_factors[1];
    }
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        const float g = p.gradient[i] * unscale;
        const float m = p.beta1 * p.m[i] + (1.0f - p.beta1) * g;
        const float v = p.beta2 * p.v[i] + (1.0f - p.beta2) * (g * g);
        p.m[i] = m;
        p.v[i] = v;
        const float step = rate * m / (sqrtf(v) * root_scale + p.epsilon);
        p.parameters[i] = p.parameters[i] - (p.decay * p.parameters[i] + step);
    }
}
