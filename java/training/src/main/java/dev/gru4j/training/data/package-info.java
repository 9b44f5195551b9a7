/**
 * Data. Batches as pure functions of the step number ({@link dev.gru4j.training.data.BatchSource}) and the
 * thread that prepares them ahead of the training loop ({@link dev.gru4j.training.data.Prefetcher}); data
 * sets that need no download, readers for the user's own files, and the baselines that a model has to beat.
 * Splits into training and held-out part come from a hash of the item, never from a random number.
 */
@NullMarked
package dev.gru4j.training.data;

import org.jspecify.annotations.NullMarked;
