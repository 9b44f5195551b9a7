package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ScheduleTest {
    @Test
    void aTrapezoidRisesStaysAndFalls() {
        Schedule schedule = Schedule.trapezoid(0.5f, 4, 40);
        float[] expected = {0.125f, 0.25f, 0.375f, 0.5f, 0.5f, 0.5f, 0.5f, 0.375f, 0.25f, 0.125f};
        for (int step = 0; step < 10; step++) {
            assertEquals(expected[step], schedule.rate(step, 10), "step " + step);
        }
    }

    @Test
    void aLineFallsToZeroBehindTheLastStep() {
        Schedule schedule = Schedule.warmupLinear(1, 2);
        float[] expected = {0.5f, 0.75f, 0.5f, 0.25f};
        for (int step = 0; step < 4; step++) {
            assertEquals(expected[step], schedule.rate(step, 4), "step " + step);
        }
    }

    @Test
    void aCosineStartsAtThePeakAndHalvesInTheMiddle() {
        Schedule schedule = Schedule.warmupCosine(2, 10);
        assertEquals(0.2f, schedule.rate(0, 110));
        assertEquals(2f, schedule.rate(9, 110));
        assertEquals(2f, schedule.rate(10, 110));
        assertEquals(1f, schedule.rate(60, 110));
        assertTrue(schedule.rate(109, 110) < 0.001f && schedule.rate(109, 110) > 0);
    }

    @Test
    void theFreeShareDoesNotDependOnTheNumberOfSteps() {
        List<Schedule> schedules = List.of(
                Schedule.constant(0.1f), Schedule.trapezoid(0.1f, 5, 40), Schedule.trapezoid(0.1f, 30, 33));
        for (Schedule schedule : schedules) {
            for (long total : new long[] {1, 2, 3, 7, 50, 99, 100, 101, 12_345}) {
                long free = (long) Math.floor(total * schedule.freeShare());
                for (long step = 0; step < free; step++) {
                    assertEquals(
                            schedule.rate(step, Long.MAX_VALUE),
                            schedule.rate(step, total),
                            schedule.description() + ", step " + step + " of " + total);
                }
            }
        }
    }

    @Test
    void shouldRejectRatesThatTeachNothing() {
        for (float rate : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> Schedule.constant(rate), () -> "rate " + rate);
        }
        assertThrows(IllegalArgumentException.class, () -> Schedule.trapezoid(1, -1, 40));
        assertThrows(IllegalArgumentException.class, () -> Schedule.trapezoid(1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> Schedule.trapezoid(1, 1, 101));
    }
}
