package dev.gru4j.cli;

import dev.gru4j.training.TrainingListener;
import java.util.Arrays;

/**
 * The loss of a run for its chart: means over neighbouring steps, at most {@value #MAX_POINTS} of them. When
 * they are full, neighbours are joined, so any number of steps fits.
 */
final class LossHistory implements TrainingListener {
    private static final int MAX_POINTS = 400;

    private final double scale;
    private double[] steps = new double[MAX_POINTS];
    private double[] losses = new double[MAX_POINTS];
    private int points;
    private int stepsPerPoint = 1;
    private double sum;
    private int summed;

    /** @param scale turns a loss into the chart's unit */
    LossHistory(double scale) {
        this.scale = scale;
    }

    @Override
    public void afterStep(Step step) {
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

    /** Number of the last step of each point. */
    double[] steps() {
        return Arrays.copyOf(steps, points);
    }

    /** Mean loss of each point, in the chart's unit. */
    double[] losses() {
        return Arrays.copyOf(losses, points);
    }
}
