package dev.gru4j.training;

import java.time.Duration;

/**
 * How long a run goes on: a number of steps, given or fixed by the clock on the way; and the learning
 * rates that follow from it.
 */
final class RunLength {
    private final Schedule schedule;
    private final TrainingOptions options;

    /** 0 while the clock has not decided. */
    private long totalSteps;

    private Duration elapsedBefore = Duration.ZERO;
    private long startNanos = System.nanoTime();

    RunLength(Schedule schedule, TrainingOptions options) {
        if (options.clock() != null && schedule.freeShare() == 0) {
            throw new IllegalArgumentException("the schedule '" + schedule.description()
                    + "' depends on the number of steps from the first on; a run limited by the clock expects one"
                    + " that does not, such as Schedule.trapezoid");
        }
        this.schedule = schedule;
        this.options = options;
        this.totalSteps = options.steps();
    }

    /** Steps of the whole run; 0 while the clock has not decided. */
    long totalSteps() {
        return totalSteps;
    }

    /** Learning rate of a step. */
    float rate(long step) {
        return rate(step, totalSteps);
    }

    private float rate(long step, long total) {
        return schedule.rate(step, total == 0 ? Long.MAX_VALUE : total);
    }

    /** Starts the clock, which goes on from the time taken so far. */
    void startClock() {
        startNanos = System.nanoTime();
    }

    /** Stops the clock. */
    void stopClock() {
        elapsedBefore = elapsed();
        startNanos = System.nanoTime();
    }

    /** Time taken so far, resumed parts included. */
    Duration elapsed() {
        return elapsedBefore.plusNanos(System.nanoTime() - startNanos);
    }

    /** Part of the run that is done after that many steps, by steps or by the clock. */
    double shareDone(long steps) {
        Duration clock = options.clock();
        if (totalSteps > 0 || clock == null) {
            return (double) steps / totalSteps;
        }
        return (double) elapsed().toNanos() / clock.toNanos();
    }

    /** Whether all steps are done; where the clock limits the run, fixes their number in time. */
    boolean isOver(long steps) {
        if (totalSteps == 0 && shareDone(steps) >= schedule.freeShare()) {
            totalSteps = totalFor(steps);
        }
        return totalSteps > 0 && steps >= totalSteps;
    }

    /** The smallest number of steps of which those done are the free share: their rates stay as they were. */
    private long totalFor(long steps) {
        long total = Math.max(1, Math.max(steps, (long) Math.ceil(steps / schedule.freeShare())));
        while (steps > 0 && rate(steps - 1, total) != rate(steps - 1, 0)) {
            total++;
        }
        return total;
    }

    /**
     * Goes on from a checkpoint.
     *
     * @throws CheckpointException if the steps done had other learning rates than this run has there
     */
    void resume(Checkpoint checkpoint) throws CheckpointException {
        long before = checkpoint.totalSteps();
        long total = options.steps() == 0 ? before : options.steps();
        if (total != before) {
            checkExtends(checkpoint, before, total);
        }
        totalSteps = total;
        elapsedBefore = checkpoint.elapsed();
    }

    private void checkExtends(Checkpoint checkpoint, long before, long total) throws CheckpointException {
        if (total < checkpoint.step()) {
            throw new CheckpointException(checkpoint.file() + " holds step " + checkpoint.step() + "; a run of " + total
                    + " steps cannot go on from there");
        }
        for (long step = 0; step < checkpoint.step(); step++) {
            if (rate(step, before) != rate(step, total)) {
                throw new CheckpointException(checkpoint.file() + " belongs to a run of " + before + " steps, whose"
                        + " learning rate at step " + step + " was " + rate(step, before) + "; a run of " + total
                        + " steps has " + rate(step, total) + " there. Resume with " + before
                        + " steps, or start anew");
            }
        }
    }
}
