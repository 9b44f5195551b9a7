package dev.gru4j.training;

import dev.gru4j.backend.LossScaling;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long and how a run trains.
 *
 * @param steps number of steps of the whole run; 0: the clock decides
 * @param clock time of the whole run, resumed parts included; absent: {@code steps} decides. Exactly one of
 *     the two must be given.
 * @param seed key of the dropout masks; recorded in checkpoints
 * @param maxGradientNorm gradients longer than this are scaled down to it; infinity: never
 * @param checkpoint file to write; absent: none
 * @param checkpointEvery steps between checkpoints; 0: only at the end or when stopped
 * @param prefetch batches prepared ahead on another thread, at least 1
 * @param notes recorded in checkpoints and handed back by {@link Checkpoint#notes()}: what the caller needs to
 *     set the run up again (text file, vocabulary)
 * @param lossScaling of the gradient, for products in fp16; absent: none. Part of a run's configuration
 */
public record TrainingOptions(
        long steps,
        @Nullable Duration clock,
        long seed,
        float maxGradientNorm,
        @Nullable Path checkpoint,
        long checkpointEvery,
        int prefetch,
        Map<String, String> notes,
        @Nullable LossScaling lossScaling) {

    public TrainingOptions {
        if (steps < 0) {
            throw new IllegalArgumentException("steps is " + steps + "; 0 or more expected");
        }
        if ((steps == 0) == (clock == null)) {
            throw new IllegalArgumentException("steps is " + steps + " and clock is " + clock
                    + "; exactly one of the two must limit a run");
        }
        if (clock != null && (clock.isNegative() || clock.isZero())) {
            throw new IllegalArgumentException("clock is " + clock + "; a positive time expected");
        }
        if (!(maxGradientNorm > 0)) {
            throw new IllegalArgumentException(
                    "maxGradientNorm is " + maxGradientNorm + "; a positive number expected");
        }
        if (checkpointEvery < 0) {
            throw new IllegalArgumentException("checkpointEvery is " + checkpointEvery + "; 0 or more steps expected");
        }
        if (prefetch < 1) {
            throw new IllegalArgumentException("prefetch is " + prefetch + "; at least 1 batch expected");
        }
        notes = Map.copyOf(notes);
    }

    /** A run of that many steps: clipping at norm 1, no checkpoint, four batches ahead. */
    public static TrainingOptions ofSteps(long steps, long seed) {
        return new TrainingOptions(steps, null, seed, 1f, null, 0, 4, Map.of(), null);
    }

    /** A run of that much time: clipping at norm 1, no checkpoint, four batches ahead. */
    public static TrainingOptions ofClock(Duration clock, long seed) {
        return new TrainingOptions(0, clock, seed, 1f, null, 0, 4, Map.of(), null);
    }

    public TrainingOptions withMaxGradientNorm(float norm) {
        return new TrainingOptions(
                steps, clock, seed, norm, checkpoint, checkpointEvery, prefetch, notes, lossScaling);
    }

    public TrainingOptions withCheckpoint(Path file, long everySteps) {
        return new TrainingOptions(
                steps, clock, seed, maxGradientNorm, file, everySteps, prefetch, notes, lossScaling);
    }

    public TrainingOptions withPrefetch(int batches) {
        return new TrainingOptions(
                steps, clock, seed, maxGradientNorm, checkpoint, checkpointEvery, batches, notes, lossScaling);
    }

    public TrainingOptions withNotes(Map<String, String> newNotes) {
        return new TrainingOptions(
                steps, clock, seed, maxGradientNorm, checkpoint, checkpointEvery, prefetch, newNotes, lossScaling);
    }

    /** Another scaling of the loss; absent: none. */
    public TrainingOptions withLossScaling(@Nullable LossScaling scaling) {
        return new TrainingOptions(
                steps, clock, seed, maxGradientNorm, checkpoint, checkpointEvery, prefetch, notes, scaling);
    }
}
