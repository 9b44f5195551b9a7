/**
 * What a backend is ({@link dev.gru4j.backend.GruBackend}), the work it can be given
 * ({@link dev.gru4j.backend.GruPlan}, {@link dev.gru4j.backend.TrainingKernels}), the memory it works on
 * ({@link dev.gru4j.backend.FloatMemory}), results that are fetched later
 * ({@link dev.gru4j.backend.FloatReadback}) and how one is chosen ({@link dev.gru4j.backend.Backends}).
 *
 * <p>This is the layer for framework adapters and training loops: explicit memory, no allocation and
 * no synchronisation inside a call. Most users want {@link dev.gru4j.Gru}.
 */
@NullMarked
package dev.gru4j.backend;

import org.jspecify.annotations.NullMarked;
