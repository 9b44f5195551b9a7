/**
 * The training loop ({@link dev.gru4j.training.Trainer}) and what it drives: a
 * {@link dev.gru4j.training.TrainableModel}, its {@link dev.gru4j.training.ParameterSet}, an
 * {@link dev.gru4j.training.Optimizer} with a {@link dev.gru4j.training.Schedule}, and
 * {@link dev.gru4j.training.Checkpoint}s.
 *
 * <p>Everything a run computes is a function of its seed and its step number: batches, dropout masks,
 * learning rate. The clock only decides when to stop. So a run continued from a checkpoint, or
 * repeated with the number of steps that another one reached, gives the same bits on the same backend.
 *
 * <p>Parameters, gradients, activations and optimizer state stay in the memory of the backend; per
 * step the batch goes there and the loss comes back, both while the backend computes: the copy of one
 * batch runs beside the step before it, and the loss is looked at when the next step was given. For
 * products in fp16 the loss can be scaled ({@link dev.gru4j.backend.LossScaling}); the backend skips a step that
 * overflowed, and counts it, by itself.
 */
@NullMarked
package dev.gru4j.training;

import org.jspecify.annotations.NullMarked;
