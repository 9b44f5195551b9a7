// SPDX-License-Identifier: Apache-2.0
//
// The arguments of the kernels, a struct for each kind of kernel. gru_kernels.h has the rules of their layout and the
// orders of the steps.
#pragma once

#include <stddef.h>

/**
 * A matrix product. op names what is read transposed:
 *
 *   gru_gemm_nt   C(m,n) = A(m,k) · B(n,k)ᵀ     projections, dense forward
 *   gru_gemm_nn   C(m,n) = A(m,k) · B(k,n)      gradients of inputs and states
 *   gru_gemm_tn   C(m,n) = A(k,m)ᵀ · B(k,n)     gradients of weights
 *
 * Sums start at 0, run over k in a fixed order with fused multiply-adds; bias, then (accumulate) what C held, are
 * added last. C must not overlap A or B.
 *
 * Kernels whose names end with a precision round the elements of A and B to it (gru_device.cuh) and sum as tensor cores
 * do, chunk by chunk of 16 k counted from the split's first: a chunk is one multiply-add in bf16 and fp16, two of 8 k in
 * tf32; in 3xtf32 each of these is three, small(A)·big(B), big(A)·small(B), big·big, and a chunk starts at 0 and is then
 * added to the sum in fp32. In the large tile all chunks in order; in the small tile warp w of 8 takes the chunks w, w + 8,
 * …, in order, and the sums of the warps are added in fp32, in order.
 *
 * Padding: where lengths is given, the rows of A and C (nt, nn) or of A and B (tn: the k rows) are positions
 * (first_step + row / batch, row % batch). A row in padding takes no part whatever it holds: a padded row of C keeps
 * what it holds if accumulate, else it becomes 0; a padded k row adds nothing.
 *
 * Splits: split i (grid z) sums k from i·k_per_split on and writes to c + i·split_stride. With more than one, give each
 * its own C, bias null and accumulate 0, and add them up with gru_sum_splits.
 */
struct GruGemm {
    const float* a;         //   0
    const float* b;         //   8
    const float* bias;      //  16  (n), or null
    float* c;               //  24
    const int* lengths;     //  32  (batch), or null
    long long lda;          //  40  floats from one row to the next, here and below
    long long ldb;          //  48
    long long ldc;          //  56
    long long split_stride; //  64  floats; 0 without splits
    int m;                  //  72
    int n;                  //  76
    int k;                  //  80
    int k_per_split;        //  84  k without splits
    int batch;              //  88  B; read only with lengths
    int first_step;         //  92  index of the step, or time, of row 0; read only with lengths
    int accumulate;         //  96  0 or 1
    int padding;            // 100
};

/**
 * Adds up the splits of a product or of column sums, in their order:
 * c[i,j] = (accumulate ? c[i,j] : 0) + Σ_s partial[s·split_stride + i·columns + j], what c held added last. By row.
 */
struct GruSumSplits {
    const float* partial;   //   0
    float* c;               //   8  (rows,columns), ldc apart
    long long ldc;          //  16
    long long split_stride; //  24
    int rows;               //  32
    int columns;            //  36
    int splits;             //  40
    int accumulate;         //  44
};

/**
 * out[split·columns + j] = (accumulate ? out[j] : 0) + Σ a[row,j] over the rows of the split, padded rows left out as
 * in GruGemm. Several splits (grid y): accumulate 0 and gru_sum_splits with split_stride = columns.
 */
struct GruColumnSums {
    const float* a;     //   0  (rows,columns), lda apart
    float* out;         //   8
    const int* lengths; //  16  (batch), or null
    long long lda;      //  24
    int rows;           //  32
    int columns;        //  36
    int rows_per_split; //  40
    int batch;          //  44
    int first_step;     //  48
    int accumulate;     //  52
};

/**
 * The pointwise part of one step, forward. By row: B rows of width H. h_next may be h_prev. In padding h_next = hPrev,
 * y and gates are 0. y is written at t(s,b), so after T steps all of it is written.
 */
struct GruCellForward {
    const float* gx;     //   0  (T,B,3H), time order, all steps
    const float* gh;     //   8  (B,3H) of this step; reset-before: block n only before the candidate kernel
    const float* h_prev; //  16  (B,H)
    float* h_next;       //  24  (B,H)
    float* gates;        //  32  (B,4H) of this step: r, z, n, gh_n or rh; or null for reset-after in inference
    float* y;            //  40  position t of row b at y + (t·B + b)·y_stride; or null
    const int* lengths;  //  48  (B), or null
    long long y_stride;  //  56  floats, D·H
    int T;               //  64
    int B;               //  68
    int H;               //  72
    int step;            //  76
    int reverse;         //  80
    int padding;         //  84
};

/**
 * The pointwise part of one step, backward. By row: B rows of width H. In padding dh stays and dgx, dgh are 0.
 * Where directions run forward and the variant is reset-before, dgh may be dgx + step·B·3H (they are equal).
 */
struct GruCellBackward {
    const float* gates;  //   0  (B,4H) of this step
    const float* h_prev; //   8  (B,H)
    const float* dy;     //  16  at (t·B + b)·dy_stride; or null
    float* dh;           //  24  (B,H) in and out: in, what arrives from step s+1; out, without the parts through W_hh
    const float* drh;    //  32  (B,H); read by gru_cell_backward_reset_before_reset only
    float* dgx;          //  40  (T,B,3H), time order, all steps
    float* dgh;          //  48  (B,3H) of this step
    const int* lengths;  //  56  (B), or null
    long long dy_stride; //  64  floats, D·H
    int T;               //  72
    int B;               //  76
    int H;               //  80
    int step;            //  84
    int reverse;         //  88
    int padding;         //  92
};

/**
 * The whole loop over the steps of a forward pass, in one launch. y, states and gates are as GruCellForward leaves them
 * after all steps, bit for bit what the products gru_gemm_nt_32x32 and the cell kernels give.
 *
 * Blocks with one y index are a group: together they hold W_hh, `units` units each, and work on `rows` rows of the
 * batch. Groups know nothing of one another.
 */
struct GruPersistentForward {
    const float* w_hh; //   0  (3H,H)
    const float* b_hh; //   8  (3H), or null
    const float* gx;   //  16  (T,B,3H), time order
    float* states;     //  24  (state_blocks,B,H), block 0 = h0; the state after step s is block (s + 1) % state_blocks
    float* gates; //  32  (gate_blocks,B,4H), of step s: block s % gate_blocks; or null for reset-after in inference
    float* y;     //  40  position t of row b at y + (t·B + b)·y_stride; or null
    const int* lengths; //  48  (B), or null
    unsigned* flags;    //  56  one per group, GRU_FLAG_STRIDE apart, 0 before the launch
    long long y_stride; //  64  floats, D·H
    int state_blocks;   //  72  T + 1, or 2 where only the last is wanted
    int gate_blocks;    //  76  T, or 1
    int T;              //  80
    int B;              //  84
    int H;              //  88
    int reverse;        //  92
    int units;          //  96  of a block
    int rows;           // 100  of a group
};

/**
 * The whole loop over the steps of a backward pass, in one launch. dgx, dgh and dh are as GruCellBackward leaves them
 * after all steps, bit for bit what the cell kernels and the products gru_gemm_nn_32x32 give. Groups as forward.
 */
struct GruPersistentBackward {
    const float* w_hh;   //   0  (3H,H)
    const float* gates;  //   8  (T,B,4H)
    const float* states; //  16  (T,B,H): the states before the steps
    const float* dy;     //  24  at (t·B + b)·dy_stride; or null
    float* dh;           //  32  (B,H) in and out: in, dhT; out, dh0
    float* dgx;          //  40  (T,B,3H), time order
    float* dgh;          //  48  (T,B,3H), step order
    const int* lengths;  //  56  (B), or null
    unsigned* flags;     //  64  as forward
    long long dy_stride; //  72  floats, D·H
    int T;               //  80
    int B;               //  84
    int H;               //  88
    int reverse;         //  92
    int units;           //  96
    int rows;            // 100
};

/**
 * out = in ⊙ dropout scales of dev.gru4j.Philox, 0 in padding; out may be in. By row: T·B rows of width
 * ceil(width / 4), for a thread draws four neighbours from one block of the generator. What changes from call to call
 * is read from memory, so that the launch can be recorded once.
 */
struct GruDropout {
    const float* in;      //   0  (T,B,width), time order
    float* out;           //   8
    const int* lengths;   //  16  (B), or null
    const unsigned* draw; //  24  (3): low and high word of the seed, low word of the iteration
    int layer;            //  32  whose output this is
    int T;                //  36
    int B;                //  40
    int width;            //  44
    float probability;    //  48  p
    float keep;           //  52  1 / (1 − p) in float
};

/**
 * Embedding. By row; forward: n rows of width, positions[k,:] = table[ids[k],:] or 0; backward: `rows` rows of width,
 * table[row,:] = (accumulate ? table[row,:] : 0) + positions[k,:] of all k with ids[k] = row, in the order of k.
 * An id outside GRU_NONE … rows−1 counts as GRU_NONE and sets fault[0] to 1.
 */
struct GruEmbedding {
    const int* ids;   //   0  (n)
    float* table;     //   8  (rows,width): read by forward; dTable, written by backward
    float* positions; //  16  (n,width): written by forward; dOut, read by backward
    int* fault;       //  24  (1), or null
    int n;            //  32
    int rows;         //  36
    int width;        //  40
    int accumulate;   //  44
};

/**
 * Softmax cross-entropy, row k: row_loss[k] = −log softmax(logits[k,:])[targets[k]], 0 without a target; d_logits =
 * scale·(softmax − [j is the target]), 0 without. Grid (n), block GRU_ROW_THREADS, shared GRU_ROW_THREADS·8 bytes. A
 * target outside GRU_NONE … classes−1 counts as GRU_NONE and sets fault[0] to 1. The loss is gru_sum_f64 over row_loss.
 */
struct GruSoftmax {
    const float* logits;     //   0  (n,classes)
    const int* targets;      //   8  (n)
    float* d_logits;         //  16  (n,classes), may be logits; or null
    double* row_loss;        //  24  (n)
    int* fault;              //  32  (1), or null
    const float* loss_scale; //  40  (1), another factor of d_logits; or null
    int n;                   //  48
    int classes;             //  52
    float scale;             //  56
    int padding;             //  60
};

/**
 * Squared error. By element over n·width, shared GRU_SUM_SHARED: partial[block] = Σ w·(prediction − target)² of the
 * elements of the block; d_prediction = 2·scale·w·(prediction − target). Rows of weight 0 are not read. The loss is
 * gru_sum_f64 over partial.
 */
struct GruSquaredError {
    const float* prediction;  //   0  (n,width)
    const float* target;      //   8  (n,width)
    const float* row_weights; //  16  (n), or null for 1
    float* d_prediction;      //  24  (n,width), may be prediction; or null
    double* partial;          //  32  (grid)
    const float* loss_scale;  //  40  (1), another factor of d_prediction; or null
    int n;                    //  48
    int width;                //  52
    float scale;              //  56
    int padding;              //  60
};

/** partial[block] = Σ v² of the elements of the block. By element, shared GRU_SUM_SHARED. */
struct GruSquaredNorm {
    const float* v;  //   0  (n)
    double* partial; //   8  (grid)
    long long n;     //  16
};

/** result[0] = scale · Σ values, in a fixed order. Grid 1, block GRU_ELEMENT_THREADS, shared GRU_SUM_SHARED. */
struct GruSum {
    const double* values; //   0  (count)
    float* result;        //   8  (1)
    long long count;      //  16
    double scale;         //  24
};

/** Indices of the state of loss scaling: those of dev.gru4j.backend.LossScaling, which says what they hold. */
enum { GRU_SCALE = 0, GRU_CLEAN_STEPS = 1, GRU_SKIPPED_STEPS = 2, GRU_UNSCALE = 3, GRU_LOSS_SCALE_STATE = 4 };

/**
 * The state of loss scaling after a step whose scaled gradient has the partial sums of gru_squared_norm_f32, and the
 * squared norm without the scale. A sum that is not finite skips the step: it is kept in double, where floats that are
 * finite cannot overflow it. Grid 1, block GRU_ELEMENT_THREADS, shared GRU_SUM_SHARED.
 */
struct GruLossScale {
    const double* partial; //   0  (count)
    float* state;          //   8  (GRU_LOSS_SCALE_STATE), updated
    float* squared_norm;   //  16  (1): NaN in a skipped step
    long long count;       //  24
    float smallest;        //  32
    float largest;         //  36
    int growth_interval;   //  40
    int padding;           //  44
};

/** gradient ·= max_norm / √squared_norm[0] where that is below 1. By element. */
struct GruClip {
    float* gradient;           //   0  (n)
    const float* squared_norm; //   8  (1)
    long long n;               //  16
    float max_norm;            //  24
    int padding;               //  28
};

/**
 * velocity = momentum·velocity + gradient; parameters −= learning_rate·velocity (without velocity: gradient). By
 * element. With loss_scale the gradient is multiplied by loss_scale[GRU_UNSCALE]; where that is 0, nothing changes.
 */
struct GruSgd {
    float* parameters;       //   0  (n)
    const float* gradient;   //   8  (n)
    float* velocity;         //  16  (n), or null
    const float* loss_scale; //  24  (GRU_LOSS_SCALE_STATE), or null
    long long n;             //  32
    float learning_rate;     //  40
    float momentum;          //  44
};

/**
 * One Adam step. By element, shared GRU_ADAM_SHARED. With α, λ, β1, β2 and step of TrainingKernels.Adam; decay, rate and
 * root_scale are computed in double, then rounded. With loss_scale the gradient is multiplied by loss_scale[GRU_UNSCALE],
 * and where that is 0, nothing changes; rate and root_scale are then computed here, from the number of applied steps
 * t = step − loss_scale[GRU_SKIPPED_STEPS] instead of step.
 */
struct GruAdam {
    float* parameters;       //   0  (n)
    const float* gradient;   //   8  (n)
    float* m;                //  16  (n)
    float* v;                //  24  (n)
    const float* loss_scale; //  32  (GRU_LOSS_SCALE_STATE), or null
    long long n;             //  40
    long long step;          //  48  1 for the first; read with loss_scale
    float learning_rate;     //  56  α; read with loss_scale
    float beta1;             //  60
    float beta2;             //  64
    float decay;             //  68  α·λ
    float rate;              //  72  α / (1 − β1^step)
    float root_scale;        //  76  1 / √(1 − β2^step)
    float epsilon;           //  80
    int padding;             //  84
};

// clang-format off
#define GRU_AT(type, field, offset) \
    static_assert(offsetof(type, field) == offset, #type "." #field " is not at the byte the launcher writes")
#define GRU_SIZE(type, bytes) static_assert(sizeof(type) == bytes, #type " has not the size the launcher writes")

GRU_AT(GruGemm, a, 0); GRU_AT(GruGemm, b, 8); GRU_AT(GruGemm, bias, 16); GRU_AT(GruGemm, c, 24);
GRU_AT(GruGemm, lengths, 32); GRU_AT(GruGemm, lda, 40); GRU_AT(GruGemm, ldb, 48); GRU_AT(GruGemm, ldc, 56);
GRU_AT(GruGemm, split_stride, 64); GRU_AT(GruGemm, m, 72); GRU_AT(GruGemm, n, 76); GRU_AT(GruGemm, k, 80);
GRU_AT(GruGemm, k_per_split, 84); GRU_AT(GruGemm, batch, 88); GRU_AT(GruGemm, first_step, 92);
GRU_AT(GruGemm, accumulate, 96); GRU_SIZE(GruGemm, 104);

GRU_AT(GruSumSplits, partial, 0); GRU_AT(GruSumSplits, c, 8); GRU_AT(GruSumSplits, ldc, 16);
GRU_AT(GruSumSplits, split_stride, 24); GRU_AT(GruSumSplits, rows, 32); GRU_AT(GruSumSplits, columns, 36);
GRU_AT(GruSumSplits, splits, 40); GRU_AT(GruSumSplits, accumulate, 44); GRU_SIZE(GruSumSplits, 48);

GRU_AT(GruColumnSums, a, 0); GRU_AT(GruColumnSums, out, 8); GRU_AT(GruColumnSums, lengths, 16);
GRU_AT(GruColumnSums, lda, 24); GRU_AT(GruColumnSums, rows, 32); GRU_AT(GruColumnSums, columns, 36);
GRU_AT(GruColumnSums, rows_per_split, 40); GRU_AT(GruColumnSums, batch, 44); GRU_AT(GruColumnSums, first_step, 48);
GRU_AT(GruColumnSums, accumulate, 52); GRU_SIZE(GruColumnSums, 56);

GRU_AT(GruCellForward, gx, 0); GRU_AT(GruCellForward, gh, 8); GRU_AT(GruCellForward, h_prev, 16);
GRU_AT(GruCellForward, h_next, 24); GRU_AT(GruCellForward, gates, 32); GRU_AT(GruCellForward, y, 40);
GRU_AT(GruCellForward, lengths, 48); GRU_AT(GruCellForward, y_stride, 56); GRU_AT(GruCellForward, T, 64);
GRU_AT(GruCellForward, B, 68); GRU_AT(GruCellForward, H, 72); GRU_AT(GruCellForward, step, 76);
GRU_AT(GruCellForward, reverse, 80); GRU_SIZE(GruCellForward, 88);

GRU_AT(GruCellBackward, gates, 0); GRU_AT(GruCellBackward, h_prev, 8); GRU_AT(GruCellBackward, dy, 16);
GRU_AT(GruCellBackward, dh, 24); GRU_AT(GruCellBackward, drh, 32); GRU_AT(GruCellBackward, dgx, 40);
GRU_AT(GruCellBackward, dgh, 48); GRU_AT(GruCellBackward, lengths, 56); GRU_AT(GruCellBackward, dy_stride, 64);
GRU_AT(GruCellBackward, T, 72); GRU_AT(GruCellBackward, B, 76); GRU_AT(GruCellBackward, H, 80);
GRU_AT(GruCellBackward, step, 84); GRU_AT(GruCellBackward, reverse, 88); GRU_SIZE(GruCellBackward, 96);

GRU_AT(GruDropout, in, 0); GRU_AT(GruDropout, out, 8); GRU_AT(GruDropout, lengths, 16); GRU_AT(GruDropout, draw, 24);
GRU_AT(GruDropout, layer, 32); GRU_AT(GruDropout, T, 36); GRU_AT(GruDropout, B, 40); GRU_AT(GruDropout, width, 44);
GRU_AT(GruDropout, probability, 48); GRU_AT(GruDropout, keep, 52); GRU_SIZE(GruDropout, 56);

GRU_AT(GruEmbedding, ids, 0); GRU_AT(GruEmbedding, table, 8); GRU_AT(GruEmbedding, positions, 16);
GRU_AT(GruEmbedding, fault, 24); GRU_AT(GruEmbedding, n, 32); GRU_AT(GruEmbedding, rows, 36);
GRU_AT(GruEmbedding, width, 40); GRU_AT(GruEmbedding, accumulate, 44); GRU_SIZE(GruEmbedding, 48);

GRU_AT(GruSoftmax, logits, 0); GRU_AT(GruSoftmax, targets, 8); GRU_AT(GruSoftmax, d_logits, 16);
GRU_AT(GruSoftmax, row_loss, 24); GRU_AT(GruSoftmax, fault, 32); GRU_AT(GruSoftmax, loss_scale, 40);
GRU_AT(GruSoftmax, n, 48); GRU_AT(GruSoftmax, classes, 52); GRU_AT(GruSoftmax, scale, 56); GRU_SIZE(GruSoftmax, 64);

GRU_AT(GruSquaredError, prediction, 0); GRU_AT(GruSquaredError, target, 8); GRU_AT(GruSquaredError, row_weights, 16);
GRU_AT(GruSquaredError, d_prediction, 24); GRU_AT(GruSquaredError, partial, 32);
GRU_AT(GruSquaredError, loss_scale, 40); GRU_AT(GruSquaredError, n, 48); GRU_AT(GruSquaredError, width, 52);
GRU_AT(GruSquaredError, scale, 56); GRU_SIZE(GruSquaredError, 64);

GRU_AT(GruSquaredNorm, v, 0); GRU_AT(GruSquaredNorm, partial, 8); GRU_AT(GruSquaredNorm, n, 16);
GRU_SIZE(GruSquaredNorm, 24);

GRU_AT(GruSum, values, 0); GRU_AT(GruSum, result, 8); GRU_AT(GruSum, count, 16); GRU_AT(GruSum, scale, 24);
GRU_SIZE(GruSum, 32);

GRU_AT(GruLossScale, partial, 0); GRU_AT(GruLossScale, state, 8); GRU_AT(GruLossScale, squared_norm, 16);
GRU_AT(GruLossScale, count, 24); GRU_AT(GruLossScale, smallest, 32); GRU_AT(GruLossScale, largest, 36);
GRU_AT(GruLossScale, growth_interval, 40); GRU_SIZE(GruLossScale, 48);

GRU_AT(GruClip, gradient, 0); GRU_AT(GruClip, squared_norm, 8); GRU_AT(GruClip, n, 16); GRU_AT(GruClip, max_norm, 24);
GRU_SIZE(GruClip, 32);

GRU_AT(GruSgd, parameters, 0); GRU_AT(GruSgd, gradient, 8); GRU_AT(GruSgd, velocity, 16);
GRU_AT(GruSgd, loss_scale, 24); GRU_AT(GruSgd, n, 32); GRU_AT(GruSgd, learning_rate, 40); GRU_AT(GruSgd, momentum, 44);
GRU_SIZE(GruSgd, 48);

GRU_AT(GruAdam, parameters, 0); GRU_AT(GruAdam, gradient, 8); GRU_AT(GruAdam, m, 16); GRU_AT(GruAdam, v, 24);
GRU_AT(GruAdam, loss_scale, 32); GRU_AT(GruAdam, n, 40); GRU_AT(GruAdam, step, 48); GRU_AT(GruAdam, learning_rate, 56);
GRU_AT(GruAdam, beta1, 60); GRU_AT(GruAdam, beta2, 64); GRU_AT(GruAdam, decay, 68); GRU_AT(GruAdam, rate, 72);
GRU_AT(GruAdam, root_scale, 76); GRU_AT(GruAdam, epsilon, 80); GRU_SIZE(GruAdam, 88);

GRU_AT(GruPersistentForward, w_hh, 0); GRU_AT(GruPersistentForward, b_hh, 8); GRU_AT(GruPersistentForward, gx, 16);
GRU_AT(GruPersistentForward, states, 24); GRU_AT(GruPersistentForward, gates, 32); GRU_AT(GruPersistentForward, y, 40);
GRU_AT(GruPersistentForward, lengths, 48); GRU_AT(GruPersistentForward, flags, 56);
GRU_AT(GruPersistentForward, y_stride, 64); GRU_AT(GruPersistentForward, state_blocks, 72);
GRU_AT(GruPersistentForward, gate_blocks, 76); GRU_AT(GruPersistentForward, T, 80); GRU_AT(GruPersistentForward, B, 84);
GRU_AT(GruPersistentForward, H, 88); GRU_AT(GruPersistentForward, reverse, 92); GRU_AT(GruPersistentForward, units, 96);
GRU_AT(GruPersistentForward, rows, 100); GRU_SIZE(GruPersistentForward, 104);

GRU_AT(GruPersistentBackward, w_hh, 0); GRU_AT(GruPersistentBackward, gates, 8); GRU_AT(GruPersistentBackward, states, 16);
GRU_AT(GruPersistentBackward, dy, 24); GRU_AT(GruPersistentBackward, dh, 32); GRU_AT(GruPersistentBackward, dgx, 40);
GRU_AT(GruPersistentBackward, dgh, 48); GRU_AT(GruPersistentBackward, lengths, 56);
GRU_AT(GruPersistentBackward, flags, 64); GRU_AT(GruPersistentBackward, dy_stride, 72);
GRU_AT(GruPersistentBackward, T, 80); GRU_AT(GruPersistentBackward, B, 84); GRU_AT(GruPersistentBackward, H, 88);
GRU_AT(GruPersistentBackward, reverse, 92); GRU_AT(GruPersistentBackward, units, 96);
GRU_AT(GruPersistentBackward, rows, 100); GRU_SIZE(GruPersistentBackward, 104);

#undef GRU_AT
#undef GRU_SIZE
// clang-format on
