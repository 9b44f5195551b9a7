// SPDX-License-Identifier: Apache-2.0
//
// The persistent kernels of the backward pass on tensor cores.

#include "gru_persistent_backward.cuh"
#include "gru_persistent_mma.cuh"

#ifdef GRU4J_TENSOR_CORES

#define GRU_PERSISTENT_BACKWARD(units, rows, precision, Chunk)                                                         \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_after_##units##x##rows##_##precision, GRU_PERSISTENT_THREADS,     \
                       GruPersistentBackward, p) {                                                                     \
        gru_persistent_backward<GruMmaBackwardProducts<Chunk, units / 8, rows / 16, false>, false>(p);                 \
    }                                                                                                                  \
    GRU4J_KERNEL_ALONE(gru_persistent_backward_reset_before_##units##x##rows##_##precision, GRU_PERSISTENT_THREADS,    \
                       GruPersistentBackward, p) {                                                                     \
        gru_persistent_backward<GruMmaBackwardProducts<Chunk, units / 8, rows / 16, true>, true>(p);                   \
    }
#define GRU_PERSISTENT_BACKWARD_TILES(precision, Chunk)                                                                \
    GRU_PERSISTENT_BACKWARD(8, 16, precision, Chunk)                                                                   \
    GRU_PERSISTENT_BACKWARD(8, 32, precision, Chunk)                                                                   \
    GRU_PERSISTENT_BACKWARD(16, 16, precision, Chunk)                                                                  \
    GRU_PERSISTENT_BACKWARD(16, 32, precision, Chunk)

GRU_PERSISTENT_BACKWARD_TILES(tf32, GruChunkTf32)
// No tiles of 32 rows in 3xtf32: its split operands leave no registers for their sums.
GRU_PERSISTENT_BACKWARD(8, 16, 3xtf32, GruChunkTf32x3)
GRU_PERSISTENT_BACKWARD(16, 16, 3xtf32, GruChunkTf32x3)
GRU_PERSISTENT_BACKWARD_TILES(bf16, GruChunkBf16)
GRU_PERSISTENT_BACKWARD_TILES(fp16, GruChunkFp16)

#undef GRU_PERSISTENT_BACKWARD_TILES
#undef GRU_PERSISTENT_BACKWARD

#endif
