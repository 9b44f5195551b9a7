// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels of the forward pass in fp32.

#include "gru_persistent.cuh"
#include "gru_persistent_forward.cuh"

#define GRU_PERSISTENT_FORWARD(units, rows)                                                                            \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,              \
                       GruPersistentForward, p) {                                                                      \
        gru_persistent_forward<GruPersistentForwardProducts<units / 8, rows / 8>, false>(p);                           \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_##units##x##rows##_f32, GRU_PERSISTENT_THREADS,             \
                       GruPersistentForward, p) {                                                                      \
        gru_persistent_forward<GruPersistentForwardProducts<units / 8, rows / 8>, true>(p);                            \
    }

GRU_PERSISTENT_FORWARD(8, 8)
GRU_PERSISTENT_FORWARD(8, 32)
GRU_PERSISTENT_FORWARD(16, 8)
GRU_PERSISTENT_FORWARD(16, 32)

#undef GRU_PERSISTENT_FORWARD
