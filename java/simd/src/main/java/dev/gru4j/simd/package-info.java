/**
 * The GRU on the Vector API, at 128, 256 and 512 bits, without native code.
 *
 * <p>Reading order: {@link dev.gru4j.simd.SimdPlan} (what one call does),
 * {@link dev.gru4j.simd.SimdSchedule} (which rows run at which step), {@link dev.gru4j.simd.SimdForward},
 * {@link dev.gru4j.simd.SimdBackward}, {@link dev.gru4j.simd.SimdWeightGradient}, then the kernels behind
 * {@link dev.gru4j.simd.SimdKernels}: cell, activations and tiles, which the build generates once per
 * width from {@code src/template}. Layouts, tiles and measurements are in the module's README.
 */
@NullMarked
package dev.gru4j.simd;

import org.jspecify.annotations.NullMarked;
