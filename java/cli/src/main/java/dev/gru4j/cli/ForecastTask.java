package dev.gru4j.cli;

import dev.gru4j.training.data.CsvColumn;
import dev.gru4j.training.data.DataException;
import dev.gru4j.training.data.ForecastBaselines;
import java.io.IOException;

/**
 * A series, cut into a training part and the held-out part behind it.
 *
 * @param series all values
 * @param training number of values in the training part: the first four fifths
 * @param season values per season; 1: none found
 * @param window values the model looks back at, at most
 * @param horizon values of a forecast
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record ForecastTask(float[] series, int training, int season, int window, int horizon) {
    private static final int HELD_OUT_ONE_IN = 5;
    private static final int MIN_WINDOW = 8;
    private static final int MAX_WINDOW = 512;

    /** Held-out forecasts are made from this many points in time at most. */
    private static final int MAX_ORIGINS = 500;

    static ForecastTask of(ForecastOptions.Resolved chosen) throws IOException {
        float[] series = CsvColumn.read(chosen.csv(), chosen.column());
        int training = series.length - series.length / HELD_OUT_ONE_IN;
        int horizon = chosen.horizon();
        int least = Math.max(HELD_OUT_ONE_IN * horizon, 2 * (MIN_WINDOW + horizon) + 1);
        if (series.length < least) {
            throw new DataException(chosen.csv() + " has " + series.length + " values in column '" + chosen.column()
                    + "'; at least " + least + " expected for a horizon of " + horizon);
        }
        int season = chosen.season() > 0
                ? chosen.season()
                : ForecastBaselines.estimateSeason(series, training, MAX_WINDOW);
        if (season > training) {
            throw new UsageException(
                    "--season is " + season + "; at most " + training + ", the training part's values, expected");
        }
        int longest = training - horizon - 1;
        int wished = chosen.window() > 0 ? chosen.window() : Math.min(2 * season + 2 * horizon, MAX_WINDOW);
        return new ForecastTask(series, training, season, Math.clamp(wished, Math.min(MIN_WINDOW, longest), longest),
                horizon);
    }

    /** Numbers of known values from which the held-out part is forecast, evenly spread. */
    int[] origins() {
        int all = series.length - horizon - training + 1;
        int step = Math.ceilDiv(all, MAX_ORIGINS);
        int[] origins = new int[Math.ceilDiv(all, step)];
        for (int i = 0; i < origins.length; i++) {
            origins[i] = series.length - horizon - (origins.length - 1 - i) * step;
        }
        return origins;
    }
}
