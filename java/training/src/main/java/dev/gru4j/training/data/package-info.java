/**
 * Batches as pure functions of the step number ({@link dev.gru4j.training.data.BatchSource}), and the
 * thread that prepares them ahead of the training loop ({@link dev.gru4j.training.data.Prefetcher}).
 */
@NullMarked
package dev.gru4j.training.data;

import org.jspecify.annotations.NullMarked;
