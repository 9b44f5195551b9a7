package dev.gru4j.training.data;

import java.util.Arrays;

/** The forecasts that cost nothing, and what a forecast is judged by. */
public final class ForecastBaselines {
    /** Multiples of a season are seasons too; a shorter one that is nearly as good is the one meant. */
    private static final double NEARLY = 0.9;

    private static final double NOTICEABLE = 0.1;

    private ForecastBaselines() {}

    /**
     * Persistence: every future value equals the last known one.
     *
     * @param series the series; {@code series[known − 1]} is the last value known
     */
    public static float[] persistence(float[] series, int known, int horizon) {
        checkKnown(series, known, 1);
        float[] forecast = new float[horizon];
        Arrays.fill(forecast, series[known - 1]);
        return forecast;
    }

    /** Seasonal naive: every future value equals the last known one a whole number of seasons before it. */
    public static float[] seasonalNaive(float[] series, int known, int horizon, int season) {
        if (season < 1) {
            throw new IllegalArgumentException("season is " + season + "; at least 1 expected");
        }
        checkKnown(series, known, season);
        float[] forecast = new float[horizon];
        for (int i = 0; i < horizon; i++) {
            forecast[i] = series[known - season + i % season];
        }
        return forecast;
    }

    /**
     * The shortest lag, between 2 and {@code maxSeason}, at which the series resembles itself nearly as much
     * as at any: a local maximum of the autocorrelation of the differences (differences, so that a trend does
     * not pass for a season) of at least 90 % of the highest. 1, which makes {@link #seasonalNaive} persistence, if none of them is above a tenth of the variance.
     *
     * @param length the first so many values are looked at: the training part
     */
    public static int estimateSeason(float[] series, int length, int maxSeason) {
        int n = length - 1;
        double[] difference = new double[Math.max(n, 0)];
        for (int i = 0; i < n; i++) {
            difference[i] = (double) series[i + 1] - series[i];
        }
        // The differences sum to last minus first; taken so, those of a straight line have no noise about it.
        double mean = n > 0 ? ((double) series[n] - series[0]) / n : 0;
        int longest = Math.min(maxSeason, n / 2); // two whole seasons at least, or it is no season
        double[] autocorrelation = new double[Math.max(longest + 2, 2)];
        for (int lag = 0; lag <= longest + 1 && lag < n; lag++) {
            double sum = 0;
            for (int i = lag; i < n; i++) {
                sum += (difference[i] - mean) * (difference[i - lag] - mean);
            }
            autocorrelation[lag] = sum / (n - lag);
        }
        double highest = 0;
        double noticeable = NOTICEABLE * autocorrelation[0];
        for (int lag = 2; lag <= longest; lag++) {
            highest = isPeak(autocorrelation, lag) ? Math.max(highest, autocorrelation[lag]) : highest;
        }
        for (int lag = 2; lag <= longest && highest > noticeable; lag++) {
            if (isPeak(autocorrelation, lag) && autocorrelation[lag] >= NEARLY * highest) {
                return lag;
            }
        }
        return 1;
    }

    /** Mean of the absolute differences between a forecast and {@code series[known], series[known + 1], …}. */
    public static double meanAbsoluteError(float[] series, int known, float[] forecast) {
        double sum = 0;
        for (int i = 0; i < forecast.length; i++) {
            sum += Math.abs((double) forecast[i] - series[known + i]);
        }
        return sum / forecast.length;
    }

    private static boolean isPeak(double[] values, int at) {
        return values[at] >= values[at - 1] && values[at] >= values[at + 1];
    }

    private static void checkKnown(float[] series, int known, int least) {
        if (known < least || known > series.length) {
            throw new IllegalArgumentException(
                    "known is " + known + "; " + least + " to " + series.length + " values expected");
        }
    }
}
