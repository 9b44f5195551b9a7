// SPDX-License-Identifier: Apache-2.0
//
// The list of kernels, their launches and their arguments: the contract between cuda/*.cu and whoever launches them.
//
// Every kernel takes ONE struct by value, so a launch has one parameter slot. A struct holds 8-byte pointers, then
// 8-byte integers and doubles, then 4-byte integers and floats, little-endian, without holes other than the named
// padding at its end; the byte offsets below are asserted by the compiler. A pointer may be null only where "or null"
// is said. Nothing is aligned beyond its own type: kernels use wider accesses where they find that they may.
//
// Orders of the steps. Row b has length[b] valid steps (T where lengths is null). Its step s is the s-th that the
// direction reads. Tensors are in one of two orders, rows of one index lie together:
//
//   time order   (T,B,...)  position t·B + b              x, gx, dgx, y, dy, dx
//   step order   (T,B,...)  position s·B + b              states, gates, dgh
//
//   t(s,b) = s < length[b] ? (reverse ? length[b] − 1 − s : s) : s         a permutation of 0 … T−1 for every b
//
// So hPrev of all rows of one step is one contiguous (B,H) block, both directions run the same loop s = 0 … T−1, and
// a position is padding in the one order exactly where it is padding in the other: where its index is at or beyond
// length[b]. Kernels with `lengths` never let a padded position's numbers, NaN included, reach another position.
//
// A layer and direction, forward (states has T+1 blocks (B,H), block 0 = h0; hT = block T):
//
//   gx = x·W_ihᵀ + b_ih                       gru_gemm_nt, m = T·B, all steps at once
//   for s = 0 … T−1, reset-after              gh = hPrev·W_hhᵀ + b_hh         gru_gemm_nt, m = B
//                                             h  = cell(gx, gh, hPrev)        gru_cell_forward_reset_after
//   for s = 0 … T−1, reset-before             gh[r,z] = hPrev·W_h[r,z]ᵀ + b_h[r,z]
//                                             r, z, rh                        gru_cell_forward_reset_before_gates
//                                             gh_n = rh·W_hnᵀ + b_hn          A = gates + 3H, lda = 4H
//                                             h                               gru_cell_forward_reset_before_candidate
//
// Backward (dh starts as dhT and ends as dh0; dgh in step order, dgx in time order):
//
//   for s = T−1 … 0, reset-after              dgx, dgh, dh ⊙= z               gru_cell_backward_reset_after
//                                             dh += dgh·W_hh                  gru_gemm_nn, accumulate, first_step = s
//   for s = T−1 … 0, reset-before             dgx, dgh blocks z, n            gru_cell_backward_reset_before_candidate
//                                             drh = dgh_n·W_hn                gru_gemm_nn, A = dgh + 2H, lda = 3H
//                                             dgx, dgh block r                gru_cell_backward_reset_before_reset
//                                             dh += dgh[r,z]·W_h[r,z]         gru_gemm_nn, k = 2H, accumulate
//   dW_ih = dgxᵀ·x, dW_hh = dghᵀ·hPrev        gru_gemm_tn, k = T·B (reset-before: block n is dgh_nᵀ·rh, ldb = 4H)
//   db_ih = Σ dgx, db_hh = Σ dgh              gru_column_sums
//   dx    = dgx·W_ih                          gru_gemm_nn (second direction: accumulate)
#pragma once

#include "gru_arguments.h"
#include "gru_launches.h"

/// Every kernel and its argument; what GRU4J_KERNEL in the .cu files declares, and a launcher looks up by this name.
#define GRU_KERNELS(KERNEL)                                                                                            \
    KERNEL(gru_gemm_nt_128x128_f32, GruGemm)                                                                           \
    KERNEL(gru_gemm_nn_128x128_f32, GruGemm)                                                                           \
    KERNEL(gru_gemm_tn_128x128_f32, GruGemm)                                                                           \
    KERNEL(gru_gemm_nt_32x32_f32, GruGemm)                                                                             \
    KERNEL(gru_gemm_nn_32x32_f32, GruGemm)                                                                             \
    KERNEL(gru_gemm_tn_32x32_f32, GruGemm)                                                                             \
    KERNEL(gru_gemm_nt_128x128_tf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_nn_128x128_tf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_tn_128x128_tf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_nt_32x32_tf32, GruGemm)                                                                            \
    KERNEL(gru_gemm_nn_32x32_tf32, GruGemm)                                                                            \
    KERNEL(gru_gemm_tn_32x32_tf32, GruGemm)                                                                            \
    KERNEL(gru_gemm_nt_128x128_3xtf32, GruGemm)                                                                        \
    KERNEL(gru_gemm_nn_128x128_3xtf32, GruGemm)                                                                        \
    KERNEL(gru_gemm_tn_128x128_3xtf32, GruGemm)                                                                        \
    KERNEL(gru_gemm_nt_32x32_3xtf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_nn_32x32_3xtf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_tn_32x32_3xtf32, GruGemm)                                                                          \
    KERNEL(gru_gemm_nt_128x128_bf16, GruGemm)                                                                          \
    KERNEL(gru_gemm_nn_128x128_bf16, GruGemm)                                                                          \
    KERNEL(gru_gemm_tn_128x128_bf16, GruGemm)                                                                          \
    KERNEL(gru_gemm_nt_32x32_bf16, GruGemm)                                                                            \
    KERNEL(gru_gemm_nn_32x32_bf16, GruGemm)                                                                            \
    KERNEL(gru_gemm_tn_32x32_bf16, GruGemm)                                                                            \
    KERNEL(gru_gemm_nt_128x128_fp16, GruGemm)                                                                          \
    KERNEL(gru_gemm_nn_128x128_fp16, GruGemm)                                                                          \
    KERNEL(gru_gemm_tn_128x128_fp16, GruGemm)                                                                          \
    KERNEL(gru_gemm_nt_32x32_fp16, GruGemm)                                                                            \
    KERNEL(gru_gemm_nn_32x32_fp16, GruGemm)                                                                            \
    KERNEL(gru_gemm_tn_32x32_fp16, GruGemm)                                                                            \
    KERNEL(gru_sum_splits_f32, GruSumSplits)                                                                           \
    KERNEL(gru_column_sums_f32, GruColumnSums)                                                                         \
    KERNEL(gru_cell_forward_reset_after_f32, GruCellForward)                                                           \
    KERNEL(gru_cell_forward_reset_before_gates_f32, GruCellForward)                                                    \
    KERNEL(gru_cell_forward_reset_before_candidate_f32, GruCellForward)                                                \
    KERNEL(gru_cell_backward_reset_after_f32, GruCellBackward)                                                         \
    KERNEL(gru_cell_backward_reset_before_candidate_f32, GruCellBackward)                                              \
    KERNEL(gru_cell_backward_reset_before_reset_f32, GruCellBackward)                                                  \
    KERNEL(gru_persistent_forward_reset_after_8x8_f32, GruPersistentForward)                                           \
    KERNEL(gru_persistent_forward_reset_after_8x32_f32, GruPersistentForward)                                          \
    KERNEL(gru_persistent_forward_reset_after_16x8_f32, GruPersistentForward)                                          \
    KERNEL(gru_persistent_forward_reset_after_16x16_f32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_16x32_f32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_before_8x8_f32, GruPersistentForward)                                          \
    KERNEL(gru_persistent_forward_reset_before_8x32_f32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_before_16x8_f32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_before_16x16_f32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_16x32_f32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_backward_reset_after_8x8_f32, GruPersistentBackward)                                         \
    KERNEL(gru_persistent_backward_reset_after_8x32_f32, GruPersistentBackward)                                        \
    KERNEL(gru_persistent_backward_reset_after_16x8_f32, GruPersistentBackward)                                        \
    KERNEL(gru_persistent_backward_reset_after_16x16_f32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_16x32_f32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_before_8x8_f32, GruPersistentBackward)                                        \
    KERNEL(gru_persistent_backward_reset_before_8x32_f32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_before_16x8_f32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_before_16x16_f32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_16x32_f32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_forward_reset_after_8x16_tf32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_8x32_tf32, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_16x16_tf32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_after_16x32_tf32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x16_tf32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x32_tf32, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_16x16_tf32, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_before_16x32_tf32, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_after_8x16_3xtf32, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_after_16x16_3xtf32, GruPersistentForward)                                      \
    KERNEL(gru_persistent_forward_reset_before_8x16_3xtf32, GruPersistentForward)                                      \
    KERNEL(gru_persistent_forward_reset_before_16x16_3xtf32, GruPersistentForward)                                     \
    KERNEL(gru_persistent_forward_reset_after_8x16_bf16, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_8x32_bf16, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_16x16_bf16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_after_16x32_bf16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x16_bf16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x32_bf16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_16x16_bf16, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_before_16x32_bf16, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_after_8x16_fp16, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_8x32_fp16, GruPersistentForward)                                         \
    KERNEL(gru_persistent_forward_reset_after_16x16_fp16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_after_16x32_fp16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x16_fp16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_8x32_fp16, GruPersistentForward)                                        \
    KERNEL(gru_persistent_forward_reset_before_16x16_fp16, GruPersistentForward)                                       \
    KERNEL(gru_persistent_forward_reset_before_16x32_fp16, GruPersistentForward)                                       \
    KERNEL(gru_persistent_backward_reset_after_8x16_tf32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_8x32_tf32, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_16x16_tf32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_after_16x32_tf32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x16_tf32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x32_tf32, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_16x16_tf32, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_before_16x32_tf32, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_after_8x16_3xtf32, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_after_16x16_3xtf32, GruPersistentBackward)                                    \
    KERNEL(gru_persistent_backward_reset_before_8x16_3xtf32, GruPersistentBackward)                                    \
    KERNEL(gru_persistent_backward_reset_before_16x16_3xtf32, GruPersistentBackward)                                   \
    KERNEL(gru_persistent_backward_reset_after_8x16_bf16, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_8x32_bf16, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_16x16_bf16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_after_16x32_bf16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x16_bf16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x32_bf16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_16x16_bf16, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_before_16x32_bf16, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_after_8x16_fp16, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_8x32_fp16, GruPersistentBackward)                                       \
    KERNEL(gru_persistent_backward_reset_after_16x16_fp16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_after_16x32_fp16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x16_fp16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_8x32_fp16, GruPersistentBackward)                                      \
    KERNEL(gru_persistent_backward_reset_before_16x16_fp16, GruPersistentBackward)                                     \
    KERNEL(gru_persistent_backward_reset_before_16x32_fp16, GruPersistentBackward)                                     \
    KERNEL(gru_dropout_f32, GruDropout)                                                                                \
    KERNEL(gru_embedding_forward_f32, GruEmbedding)                                                                    \
    KERNEL(gru_embedding_backward_f32, GruEmbedding)                                                                   \
    KERNEL(gru_softmax_cross_entropy_f32, GruSoftmax)                                                                  \
    KERNEL(gru_squared_error_f32, GruSquaredError)                                                                     \
    KERNEL(gru_squared_norm_f32, GruSquaredNorm)                                                                       \
    KERNEL(gru_sum_f64, GruSum)                                                                                        \
    KERNEL(gru_update_loss_scale_f32, GruLossScale)                                                                    \
    KERNEL(gru_clip_by_norm_f32, GruClip)                                                                              \
    KERNEL(gru_sgd_f32, GruSgd)                                                                                        \
    KERNEL(gru_adam_f32, GruAdam)
