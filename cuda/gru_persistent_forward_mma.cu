// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels of the forward pass on tensor cores.

#include "gru_persistent_forward.cuh"
#include "gru_persistent_mma.cuh"

#ifdef GRU4J_TENSOR_CORES

#define GRU_PERSISTENT_FORWARD(units, rows, precision, Chunk)                                                          \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_after_##units##x##rows##_##precision, GRU_PERSISTENT_THREADS,      \
                       GruPersistentForward, p) {                                                                      \
        gru_persistent_forward<GruMmaForwardProducts<Chunk, units / 8, rows / 16, GRU_GATES>, false>(p);               \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_forward_reset_before_##units##x##rows##_##precision, GRU_PERSISTENT_THREADS,     \
                       GruPersistentForward, p) {                                                                      \
        gru_persistent_forward<GruMmaForwardProducts<Chunk, units / 8, rows / 16, GRU_CANDIDATE>, true>(p);            \
    }
#define GRU_PERSISTENT_FORWARD_TILES(precision, Chunk)                                                                 \
    GRU_PERSISTENT_FORWARD(8, 16, precision, Chunk)                                                                    \
    GRU_PERSISTENT_FORWARD(8, 32, precision, Chunk)                                                                    \
    GRU_PERSISTENT_FORWARD(16, 16, precision, Chunk)                                                                   \
    GRU_PERSISTENT_FORWARD(16, 32, precision, Chunk)

GRU_PERSISTENT_FORWARD_TILES(tf32, GruChunkTf32)
// No tiles of 32 rows in 3xtf32: its split operands leave no registers for their sums.
GRU_PERSISTENT_FORWARD(8, 16, 3xtf32, GruChunkTf32x3)
GRU_PERSISTENT_FORWARD(16, 16, 3xtf32, GruChunkTf32x3)
GRU_PERSISTENT_FORWARD_TILES(bf16, GruChunkBf16)
GRU_PERSISTENT_FORWARD_TILES(fp16, GruChunkFp16)

#undef GRU_PERSISTENT_FORWARD_TILES
#undef GRU_PERSISTENT_FORWARD

#endif
