package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ForecastBaselinesTest {
    private static final float[] SERIES = {1, 2, 3, 4, 5, 6, 7, 8};

    @Test
    void persistenceRepeatsTheLastKnownValue() {
        assertArrayEquals(new float[] {5, 5, 5}, ForecastBaselines.persistence(SERIES, 5, 3));
    }

    /** Known 1 … 5 with season 3: the last season is 3, 4, 5, repeated. */
    @Test
    void seasonalNaiveRepeatsTheLastSeason() {
        assertArrayEquals(new float[] {3, 4, 5, 3, 4}, ForecastBaselines.seasonalNaive(SERIES, 5, 5, 3));
    }

    @Test
    void aSeasonOfOneIsPersistence() {
        assertArrayEquals(
                ForecastBaselines.persistence(SERIES, 6, 2), ForecastBaselines.seasonalNaive(SERIES, 6, 2, 1));
    }

    /** |6 − 5| + |7 − 5| + |8 − 5| over 3. */
    @Test
    void meanAbsoluteErrorEqualsTheHandWorkedNumber() {
        assertEquals(2.0, ForecastBaselines.meanAbsoluteError(SERIES, 5, new float[] {5, 5, 5}));
    }

    @Test
    void theSeasonOfANoisyWaveOnATrendIsFound() {
        Random random = new Random(3);
        float[] series = new float[600];
        for (int t = 0; t < series.length; t++) {
            series[t] = (float) (0.05 * t + 4 * Math.sin(2 * Math.PI * t / 12) + 0.3 * random.nextGaussian());
        }
        assertEquals(12, ForecastBaselines.estimateSeason(series, series.length, 200));
    }

    @Test
    void aStraightLineHasNoSeason() {
        assertEquals(1, ForecastBaselines.estimateSeason(SERIES, SERIES.length, 100));
        assertEquals(1, ForecastBaselines.estimateSeason(SERIES, 2, 100));
    }

    @Test
    void shouldRefuseASeasonLongerThanWhatIsKnown() {
        assertThrows(
                IllegalArgumentException.class, () -> ForecastBaselines.seasonalNaive(SERIES, 5, 1, 6));
        assertThrows(IllegalArgumentException.class, () -> ForecastBaselines.persistence(SERIES, 9, 1));
    }
}
