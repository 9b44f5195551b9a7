package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ForecastTaskTest {
    /** Ten values, eight for training, horizon 1: forecasts from 8 and from 9 known values. */
    @Test
    void originsCoverTheHeldOutPart() {
        assertArrayEquals(new int[] {8, 9}, new ForecastTask(new float[10], 8, 1, 4, 1).origins());
    }

    @Test
    void manyOriginsAreThinnedOutAndEndWithTheLast() {
        int[] origins = new ForecastTask(new float[10_000], 8_000, 1, 4, 10).origins();
        assertEquals(9_990, origins[origins.length - 1]);
        IntStream.of(origins).forEach(k -> assertTrue(k >= 8_000 && k <= 9_990, "origin " + k));
        assertEquals(498, origins.length);
    }
}
