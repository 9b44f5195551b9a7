/**
 * Models built of embedding, GRU and dense head: {@link dev.gru4j.training.model.LanguageModel},
 * {@link dev.gru4j.training.model.SequenceToSequence} and {@link dev.gru4j.training.model.Forecaster}.
 *
 * <p>A model and what it made (samplers, translators) belong to one thread.
 */
@NullMarked
package dev.gru4j.training.model;

import org.jspecify.annotations.NullMarked;
