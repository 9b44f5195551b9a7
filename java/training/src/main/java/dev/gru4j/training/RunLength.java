package dev.gru4j.training;

import java.time.Duration;

/**
 * How long a run goes on: a number of steps, given or fixed by the clock on the way; and the learning
 * rates that follow from it.
 */
final class RunLength {
    /** Part of the free share before the pace is taken: the JVM compiles its kernels in the first seconds. */
    private static final double WARM_UP_SHARE = 0.5;

    private final Schedule schedule;
    private final TrainingOptions options;

    /** 0 while the clock has not decided. */
    private long totalSteps;

    /** Where the pace was begun to be taken: steps done and time taken then; −1: not yet. */
    private long paceStep;

    private long paceNanos = -1;

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

    /** Stops the clock. The pace is taken anew when it starts again. */
    void stopClock() {
        paceNanos = -1;
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
        if (totalSteps == 0) {
            double share = shareDone(steps);
            if (share >= schedule.freeShare()) {
                totalSteps = Math.max(leastTotal(steps), totalInTime(steps));
            } else if (paceNanos < 0 && share >= schedule.freeShare() * WARM_UP_SHARE) {
                paceStep = steps;
                paceNanos = elapsed().toNanos();
            }
        }
        return totalSteps > 0 && steps >= totalSteps;
    }

    /** The number of steps that fills the clock at the present pace, which the slow first steps do not count in. */
    private long totalInTime(long steps) {
        Duration clock = options.clock();
        if (clock == null || paceNanos < 0) {
            return steps;
        }
        long now = elapsed().toNanos();
        return steps + stepsLeft(steps - paceStep, now - paceNanos, clock.toNanos() - now);
    }

    /** Steps done in {@code leftNanos} at the pace of {@code steps} in {@code nanos}; 0 if either time is over. */
    static long stepsLeft(long steps, long nanos, long leftNanos) {
        return nanos <= 0 || leftNanos <= 0 ? 0 : (long) ((double) steps / nanos * leftNanos);
    }

    /** The smallest number of steps of which those done are the free share: their rates stay as they were. */
    private long leastTotal(long steps) {
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
