package dev.gru4j.training;

import java.time.Duration;

/**
 * Told after every step, in order, on the training thread. On a CPU backend no other step has begun by
 * then; on a GPU one more may have been given, so what a listener reads from the model is up to one step
 * ahead of what it is told.
 */
@FunctionalInterface
public interface TrainingListener {
    /**
     * One finished step.
     *
     * @param step number of steps done, this one included
     * @param totalSteps of the whole run; 0 while the clock has not decided yet
     * @param loss mean loss of this batch, before the update; never scaled
     * @param gradientNorm Euclidean norm of the gradient, before clipping and without the scale; NaN in a step that
     *     overflowed and was skipped
     * @param learningRate of this step
     * @param targets number of targets in the batch
     * @param flops FLOP of this step, 2 per multiply-add
     * @param elapsed time the run has taken so far, resumed parts included
     * @param share part of the run that is done, by steps or by the clock, 0 … 1
     * @param lossScale what the loss of this step was multiplied by; 1 without loss scaling
     * @param skippedSteps steps so far that overflowed and changed nothing, resumed parts included
     */
    record Step(
            long step,
            long totalSteps,
            float loss,
            double gradientNorm,
            float learningRate,
            long targets,
            long flops,
            Duration elapsed,
            double share,
            float lossScale,
            long skippedSteps) {}

    void afterStep(Step step);

    /** A checkpoint was written after {@code step} steps; {@link #afterStep} was told of all of them. */
    default void afterCheckpoint(long step) {}
}
