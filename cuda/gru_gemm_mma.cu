// SPDX-License-Identifier: Apache-2.0
//
// The matrix products on tensor cores; gru_gemm_mma.cuh has how they work.

#include "gru_gemm_mma.cuh"

#ifdef GRU4J_TENSOR_CORES

#define GRU_GEMM_MMA(op, a_along_k, b_along_k, precision, Chunk)                                                       \
    GRU4J_KERNEL(gru_gemm_##op##_128x128_##precision, GRU_GEMM_THREADS, GruGemm, p) {                                  \
        gru_gemm_mma_large<Chunk, a_along_k, b_along_k>(p);                                                            \
    }                                                                                                                  \
    GRU4J_KERNEL(gru_gemm_##op##_32x32_##precision, GRU_GEMM_THREADS, GruGemm, p) {                                    \
        gru_gemm_mma_small<Chunk, a_along_k, b_along_k>(p);                                                            \
    }

#define GRU_GEMM_MMA_OF(precision, Chunk)                                                                              \
    GRU_GEMM_MMA(nt, true, true, precision, Chunk)                                                                     \
    GRU_GEMM_MMA(nn, true, false, precision, Chunk)                                                                    \
    GRU_GEMM_MMA(tn, false, false, precision, Chunk)

GRU_GEMM_MMA_OF(tf32, GruChunkTf32)
GRU_GEMM_MMA_OF(3xtf32, GruChunkTf32x3)
GRU_GEMM_MMA_OF(bf16, GruChunkBf16)
GRU_GEMM_MMA_OF(fp16, GruChunkFp16)

#endif
