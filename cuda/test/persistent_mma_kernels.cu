// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels on tensor cores once more, with one chunk of each warp and gate in registers: so a layer of 150
// units has weights in registers and in shared memory, as one of thousands has with the library's kernels.

#include "gru_persistent_backward.cuh"
#include "gru_persistent_forward.cuh"
#include "gru_persistent_mma.cuh"

// TEST_KEPT of persistent_layer.h
#define KERNELS(units, rows, precision, Chunk)                                                                         \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_##units##x##rows##_##precision##_test,                       \
                       GRU_PERSISTENT_THREADS, GruPersistentForward, p) {                                              \
        gru_persistent_forward<GruMmaForwardProducts<Chunk, units / 8, rows / 16, GRU_GATES, 1>, false>(p);            \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_##units##x##rows##_##precision##_test,                      \
                       GRU_PERSISTENT_THREADS, GruPersistentForward, p) {                                              \
        gru_persistent_forward<GruMmaForwardProducts<Chunk, units / 8, rows / 16, GRU_CANDIDATE, 1>, true>(p);         \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_##units##x##rows##_##precision##_test,                      \
                       GRU_PERSISTENT_THREADS, GruPersistentBackward, p) {                                             \
        gru_persistent_backward<GruMmaBackwardProducts<Chunk, units / 8, rows / 16, false, 1>, false>(p);              \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_##units##x##rows##_##precision##_test,                     \
                       GRU_PERSISTENT_THREADS, GruPersistentBackward, p) {                                             \
        gru_persistent_backward<GruMmaBackwardProducts<Chunk, units / 8, rows / 16, true, 1>, true>(p);                \
    }

KERNELS(16, 16, bf16, GruChunkBf16)
KERNELS(16, 32, tf32, GruChunkTf32)
KERNELS(16, 16, 3xtf32, GruChunkTf32x3)
