// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels of the backward pass in fp32.

#include "gru_persistent.cuh"
#include "gru_persistent_backward.cuh"

#define GRU_PERSISTENT_BACKWARD(units, rows)                                                                           \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,             \
                       GruPersistentBackward, p) {                                                                     \
        gru_persistent_backward<GruPersistentBackwardProducts<units / 8, rows / 8, false>, false>(p);                  \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,            \
                       GruPersistentBackward, p) {                                                                     \
        gru_persistent_backward<GruPersistentBackwardProducts<units / 8, rows / 8, true>, true>(p);                    \
    }

GRU_PERSISTENT_BACKWARD(8, 8)
GRU_PERSISTENT_BACKWARD(8, 32)
GRU_PERSISTENT_BACKWARD(16, 8)
GRU_PERSISTENT_BACKWARD(16, 32)

#undef GRU_PERSISTENT_BACKWARD
