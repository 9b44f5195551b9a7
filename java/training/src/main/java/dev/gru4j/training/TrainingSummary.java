package dev.gru4j.training;

import java.time.Duration;

/**
 * How a run ended.
 *
 * @param end why
 * @param steps done, skipped ones and resumed parts included; {@code --steps} of a run that repeats this one
 * @param totalSteps of the whole run; 0 if it was stopped before the clock had decided
 * @param elapsed time the run took, resumed parts included
 * @param lastLoss loss of the last batch; NaN if no step was done
 * @param skippedSteps steps that overflowed and changed nothing ({@link dev.gru4j.backend.LossScaling}), resumed parts
 *     included
 */
public record TrainingSummary(End end, long steps, long totalSteps, Duration elapsed, float lastLoss,
        long skippedSteps) {
    /** Why a run ended. */
    public enum End {
        /** All steps are done. */
        FINISHED,
        /** It was asked to stop; a checkpoint, if one is kept, was written. */
        STOPPED
    }
}
