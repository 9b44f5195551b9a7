// SPDX-License-Identifier: Apache-2.0
//
// Dropout between layers, forward and backward alike: values times the scales of dev.gru4j.Philox, of which each is a
// pure function of (seed, iteration, layer, t, b, unit), so nothing is kept. Padding becomes 0.

#include "gru_kernels.h"
#include "gru_philox.cuh"
#include "gru_rows.cuh"

/// One thread a block of the generator, which decides on four neighbours.
GRU4J_KERNEL(gru_dropout_f32, GRU_ROW_THREADS, GruDropout, p) {
    const int blocks = (p.width + 3) / 4;
    const GruElement e = gru_element(blocks);
    if (e.row >= p.T * p.B || e.column >= blocks) {
        return;
    }
    const int t = e.row / p.B;
    const int b = e.row - t * p.B;
    const bool padding = t >= gru_length(p.lengths, p.T, b);
    const unsigned long long seed = p.draw[0] | static_cast<unsigned long long>(p.draw[1]) << 32;
    const GruPhiloxWords words = gru_philox({{static_cast<unsigned>(e.column) | static_cast<unsigned>(p.layer) << 24,
                                              static_cast<unsigned>(b), static_cast<unsigned>(t), p.draw[2]}},
                                            seed);
    const long long row = static_cast<long long>(e.row) * p.width;
    GRU4J_UNROLL
    for (int i = 0; i < 4; i++) {
        const int unit = 4 * e.column + i;
        if (unit < p.width) {
            const float scale = gru_unit_interval(words.v[i]) >= p.probability ? p.keep : 0.0f;
            p.out[row + unit] = padding ? 0.0f : p.in[row + unit] * scale;
        }
    }
}
