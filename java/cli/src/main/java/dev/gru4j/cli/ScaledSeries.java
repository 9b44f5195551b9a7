package dev.gru4j.cli;

import dev.gru4j.training.data.DataException;
import dev.gru4j.training.data.SeriesBatch;
import java.util.Arrays;

/**
 * A series as the forecaster reads and predicts it. Per step it reads two features: the difference to the
 * value before, in standard deviations of the differences, and the level, in standard deviations from the
 * mean. It predicts differences, and a forecast is the last known value plus their sums, so a trend leads
 * nowhere the model has not been. Means and deviations are those of the training part.
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record ScaledSeries(float[] series, float[] features, float differenceDeviation) {
    static final int FEATURES = 2;

    /** The feature that is predicted: the difference. */
    static final int TARGET = 0;

    /**
     * @param training number of values in the training part, at least 3
     * @param name of the column, for messages
     */
    static ScaledSeries of(float[] series, int training, String name) throws DataException {
        double mean = 0;
        for (int i = 0; i < training; i++) {
            mean += series[i] / (double) training;
        }
        double levelSquares = 0;
        double differenceSquares = 0;
        for (int i = 1; i < training; i++) {
            double level = series[i] - mean;
            double difference = (double) series[i] - series[i - 1];
            levelSquares += level * level;
            differenceSquares += difference * difference;
        }
        float levelDeviation = (float) Math.sqrt(levelSquares / (training - 1));
        float differenceDeviation = (float) Math.sqrt(differenceSquares / (training - 1));
        if (!(differenceDeviation > 0)) {
            throw new DataException(name + " is constant over the training part; nothing to learn");
        }
        float[] features = new float[(series.length - 1) * FEATURES];
        for (int i = 1; i < series.length; i++) {
            features[(i - 1) * FEATURES] = (series[i] - series[i - 1]) / differenceDeviation;
            features[(i - 1) * FEATURES + 1] = (float) ((series[i] - mean) / levelDeviation);
        }
        return new ScaledSeries(series, features, differenceDeviation);
    }

    /** The features up to the training part's end. */
    float[] trainingFeatures(int training) {
        return Arrays.copyOf(features, (training - 1) * FEATURES);
    }

    /**
     * One row per number of known values: the last {@code T} steps before it.
     *
     * @param known each above T
     */
    SeriesBatch windows(int[] known, int from, int rows, int T, int horizon) {
        float[] x = new float[T * rows * FEATURES];
        int[] positions = new int[rows];
        for (int b = 0; b < rows; b++) {
            int first = known[from + b] - 1 - T; // feature i belongs to value i + 1
            for (int t = 0; t < T; t++) {
                System.arraycopy(features, (first + t) * FEATURES, x, (t * rows + b) * FEATURES, FEATURES);
            }
            positions[b] = (T - 1) * rows + b;
        }
        return new SeriesBatch(T, rows, FEATURES, horizon, x, null, positions, new float[0]);
    }

    /** The forecast that follows from predicted differences: {@code differences[at … at + horizon)}. */
    float[] levels(int known, float[] differences, int at, int horizon) {
        float[] forecast = new float[horizon];
        double level = series[known - 1];
        for (int i = 0; i < horizon; i++) {
            level += (double) differences[at + i] * differenceDeviation;
            forecast[i] = (float) level;
        }
        return forecast;
    }
}
