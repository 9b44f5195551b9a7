package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.training.TrainingListener.Step;
import dev.gru4j.training.TrainingSummary;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LossHistoryTest {
    @Test
    void fewStepsAreKeptAsTheyAre() {
        LossHistory history = new LossHistory(2);
        history.afterStep(step(1, 3));
        history.afterStep(step(2, 5));
        assertArrayEquals(new double[] {1, 2}, history.steps());
        assertArrayEquals(new double[] {6, 10}, history.losses());
    }

    /** The loss of step k is k, so a mean over steps a … b is (a + b)/2. */
    @Test
    void manyStepsAreJoinedToMeans() {
        LossHistory history = new LossHistory(1);
        for (int k = 1; k <= 10_000; k++) {
            history.afterStep(step(k, k));
        }
        double[] steps = history.steps();
        assertTrue(steps.length >= 100 && steps.length <= 400, steps.length + " points");
        double before = 0;
        for (int i = 0; i < steps.length; i++) {
            assertEquals((before + 1 + steps[i]) / 2, history.losses()[i], 1e-9, "mean of point " + i);
            before = steps[i];
        }
    }

    @Test
    void theSummaryNamesSkippedStepsWhereThereAreAny() {
        LossHistory history = new LossHistory(1);
        history.afterStep(step(1, 3));
        assertTrue(summary(history, 0).startsWith("1,200 steps in 2.0 s, "), () -> summary(history, 0));
        assertTrue(
                summary(history, 3).startsWith("1,200 steps (3 skipped, their gradients overflowed) in 2.0 s, "),
                () -> summary(history, 3));
    }

    private static String summary(LossHistory history, long skipped) {
        TrainingSummary run = new TrainingSummary(
                TrainingSummary.End.FINISHED, 1200, 1200, Duration.ofSeconds(2), 3, skipped);
        return history.summary(run, Progress.Units.CHARACTERS);
    }

    private static Step step(long number, float loss) {
        return new Step(number, 0, loss, 1, 1e-3f, 10, 100, Duration.ofSeconds(number), 0, 1, 0);
    }
}
