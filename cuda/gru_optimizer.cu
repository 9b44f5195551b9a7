// SPDX-License-Identifier: Apache-2.0
//
// Passes over a flat row of parameters: norm, clipping, optimizer steps. Limited by memory.

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

/// velocity = momentum·velocity + gradient    parameters −= learning_rate·velocity
GRU4J_KERNEL(gru_sgd_f32, GRU_ELEMENT_THREADS, GruSgd, p) {
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        float step = p.gradient[i];
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
 */
GRU4J_KERNEL(gru_adam_f32, GRU_ELEMENT_THREADS, GruAdam, p) {
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        const float g = p.gradient[i];
        const float m = p.beta1 * p.m[i] + (1.0f - p.beta1) * g;
        const float v = p.beta2 * p.v[i] + (1.0f - p.beta2) * (g * g);
        p.m[i] = m;
        p.v[i] = v;
        const float step = p.rate * m / (sqrtf(v) * p.root_scale + p.epsilon);
        p.parameters[i] = p.parameters[i] - (p.decay * p.parameters[i] + step);
    }
}

/// values = value
GRU4J_KERNEL(gru_fill_f32, GRU_ELEMENT_THREADS, GruFill, p) {
    for (long long i = gru4j::global_thread(); i < p.n; i += gru4j::global_threads()) {
        p.values[i] = p.value;
    }
}
