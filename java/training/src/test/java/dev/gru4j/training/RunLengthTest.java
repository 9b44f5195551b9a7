package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunLengthTest {
    /** 30 steps in 10 s are 3 a second: 60 in 20 s, and 7 whole ones in 2.5 s. */
    @Test
    void theStepsLeftFollowFromThePace() {
        assertEquals(60, RunLength.stepsLeft(30, 10_000_000_000L, 20_000_000_000L));
        assertEquals(7, RunLength.stepsLeft(30, 10_000_000_000L, 2_500_000_000L));
    }

    @Test
    void noTimeLeavesNoSteps() {
        assertEquals(0, RunLength.stepsLeft(30, 10, 0));
        assertEquals(0, RunLength.stepsLeft(30, 10, -5));
        assertEquals(0, RunLength.stepsLeft(0, 0, 10));
    }

    /** However the pace was, the steps done before the number was fixed keep their learning rates. */
    @Test
    void fixingTheNumberOfStepsChangesNoRateOfTheStepsDone() {
        Schedule schedule = Schedule.trapezoid(0.5f, 3, 40);
        TrainingOptions options = TrainingOptions.ofClock(Duration.ofMillis(200), 1);
        RunLength length = new RunLength(schedule, options);
        length.startClock();
        List<Float> rates = new ArrayList<>();
        for (long step = 0; !length.isOver(step); step++) {
            rates.add(length.rate(step));
        }
        for (int step = 0; step < rates.size(); step++) {
            assertEquals(schedule.rate(step, length.totalSteps()), rates.get(step), "rate of step " + step);
        }
        assertEquals(length.totalSteps(), rates.size());
    }
}
