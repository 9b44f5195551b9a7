package dev.gru4j.training;

/**
 * The learning rate as a function of step and total number of steps alone.
 *
 * <p>A run that the clock limits does not know its number of steps at the start. It needs a schedule
 * whose first part does not depend on that number: when {@link #freeShare} of the time is over, the
 * number of steps is fixed so that the rest takes the time that is left, and from there on the run is
 * the very run that {@code steps = N} gives.
 */
public interface Schedule {
    /**
     * Learning rate of one step.
     *
     * @param step 0 … totalSteps−1
     * @param totalSteps of the whole run; {@link Long#MAX_VALUE} while it is not known yet
     */
    float rate(long step, long totalSteps);

    /** Share of the steps, in [0, 1], whose rate does not depend on the total number of steps. */
    double freeShare();

    /** Kind and numbers, for people and checkpoints. */
    String description();

    /** The same rate at every step. */
    static Schedule constant(float rate) {
        return new Schedules.Constant(rate);
    }

    /** Rises over {@code warmup} steps to {@code peak}, then falls to zero along a cosine. For runs of known length. */
    static Schedule warmupCosine(float peak, long warmup) {
        return new Schedules.Cosine(peak, warmup);
    }

    /** Rises over {@code warmup} steps to {@code peak}, then falls to zero along a line. For runs of known length. */
    static Schedule warmupLinear(float peak, long warmup) {
        return new Schedules.Trapezoid(peak, warmup, 100);
    }

    /**
     * Rises over {@code warmup} steps to {@code peak}, stays, and falls to zero along a line over the last
     * {@code decayPercent} of the steps. The one for runs that the clock limits.
     *
     * @param decayPercent 1 … 100
     */
    static Schedule trapezoid(float peak, long warmup, int decayPercent) {
        return new Schedules.Trapezoid(peak, warmup, decayPercent);
    }
}
