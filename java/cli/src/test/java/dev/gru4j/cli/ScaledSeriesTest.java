package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.training.data.DataException;
import dev.gru4j.training.data.SeriesBatch;
import org.junit.jupiter.api.Test;

class ScaledSeriesTest {
    /**
     * 1, 3, 5, 6 with three values for training: differences 2, 2, 1, their deviation √((4 + 4)/2) = 2; levels
     * −2, 0, 2, 3 about the mean 3, their deviation √((0 + 4)/2) = √2 over the values behind the first.
     */
    @Test
    void featuresEqualTheHandWorkedNumbers() throws DataException {
        ScaledSeries scaled = ScaledSeries.of(new float[] {1, 3, 5, 6}, 3, "a");
        float root = (float) Math.sqrt(2);
        assertEquals(2f, scaled.differenceDeviation());
        assertArrayEquals(new float[] {1, 0, 1, 2 / root, 0.5f, 3 / root}, scaled.features(), 1e-6f);
    }

    @Test
    void aForecastSumsThePredictedDifferencesUp() throws DataException {
        ScaledSeries scaled = ScaledSeries.of(new float[] {1, 3, 5, 6}, 3, "a");
        assertArrayEquals(new float[] {7, 6}, scaled.levels(3, new float[] {9, 1, -0.5f}, 1, 2));
    }

    /** The step before the forecast is the last of its row, time-major. */
    @Test
    void windowsEndWithTheLastKnownValue() throws DataException {
        ScaledSeries scaled = ScaledSeries.of(new float[] {1, 2, 4, 8, 16, 32}, 3, "a");
        SeriesBatch batch = scaled.windows(new int[] {0, 4, 6}, 1, 2, 2, 3);
        float[] f = scaled.features();
        // Row 0 knows 4 values: features of values 3 and 4; row 1 knows 6: those of values 5 and 6.
        assertArrayEquals(new float[] {f[2], f[3], f[6], f[7], f[4], f[5], f[8], f[9]}, batch.x());
        assertArrayEquals(new int[] {2, 3}, batch.positions());
    }

    @Test
    void aConstantSeriesIsRefused() {
        assertThrows(DataException.class, () -> ScaledSeries.of(new float[] {2, 2, 2, 3}, 3, "a"));
    }
}
