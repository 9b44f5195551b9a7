package dev.gru4j.cli;

import dev.gru4j.training.TrainingListener;
import dev.gru4j.training.TrainingSummary;
import java.util.Arrays;
import java.util.Locale;

/**
 * What is left of a run's steps: the loss for its chart, and mean rates. The loss is kept as means over
 * neighbouring steps, at most {@value #MAX_POINTS} of them; when they are full, neighbours are joined, so any
 * number of steps fits.
 */
final class LossHistory implements TrainingListener {
    private static final int MAX_POINTS = 400;
    private static final double GIGA = 1e9;

    private final double scale;
    private double[] steps = new double[MAX_POINTS];
    private double[] losses = new double[MAX_POINTS];
    private int points;
    private int stepsPerPoint = 1;
    private double sum;
    private int summed;
    private long targets;
    private long flops;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;

    /** @param scale turns a loss into the chart's unit */
    LossHistory(double scale) {
        this.scale = scale;
    }

    @Override
    public void afterStep(Step step) {
        targets += step.targets();
        flops += step.flops();
        lastNanos = System.nanoTime();
        sum += step.loss() * scale;
        summed++;
        if (summed == stepsPerPoint) {
            steps[points] = step.step();
            losses[points] = sum / summed;
            points++;
            sum = 0;
            summed = 0;
            if (points == MAX_POINTS) {
                join();
            }
        }
    }

    private void join() {
        for (int i = 0; i < MAX_POINTS / 2; i++) {
            steps[i] = steps[2 * i + 1];
            losses[i] = (losses[2 * i] + losses[2 * i + 1]) / 2;
        }
        points = MAX_POINTS / 2;
        stepsPerPoint *= 2;
    }

    /** Steps, time and the mean rates of the part that was trained here. */
    String summary(TrainingSummary run, Progress.Units units) {
        double seconds = Math.max(1, lastNanos - startNanos) / GIGA;
        return String.format(
                Locale.ROOT,
                "%,d steps%s in %.1f s, %,.0f %s/s, %.1f GFLOP/s",
                run.steps(),
                run.skippedSteps() == 0
                        ? ""
                        : String.format(
                                Locale.ROOT, " (%,d skipped, their gradients overflowed)", run.skippedSteps()),
                run.elapsed().toMillis() / 1e3,
                targets / seconds,
                units.targetUnit(),
                flops / seconds / GIGA);
    }

    /** Number of the last step of each point. */
    double[] steps() {
        return Arrays.copyOf(steps, points);
    }

    /** Mean loss of each point, in the chart's unit. */
    double[] losses() {
        return Arrays.copyOf(losses, points);
    }
}
