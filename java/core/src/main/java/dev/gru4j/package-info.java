/**
 * GRU layers: what they are ({@link dev.gru4j.GruSpec}), their parameters
 * ({@link dev.gru4j.GruParameters}, {@link dev.gru4j.GruWeights}) and the layer that runs them
 * ({@link dev.gru4j.Gru}).
 *
 * <p>Letters everywhere: T steps, B batch rows, I input size, H hidden size, L layers, D
 * directions. Tensors are row-major, rightmost index fastest, time-major: {@code x (T,B,I)}.
 */
@NullMarked
package dev.gru4j;

import org.jspecify.annotations.NullMarked;
