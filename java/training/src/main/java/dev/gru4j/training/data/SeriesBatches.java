package dev.gru4j.training.data;

import java.util.Map;

/**
 * Windows of varying length cut out of one series, for {@link dev.gru4j.training.model.Forecaster}. At
 * every position from {@code minLength} values on, the next {@code horizon} values of one feature are to
 * be predicted. Every epoch visits every end of a window once, in an order drawn anew.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class SeriesBatches implements BatchSource<SeriesBatch> {
    /**
     * @param values (N,I) the series, scaled to numbers around 1
     * @param inputSize I, features per step
     * @param targetFeature the feature to be predicted, 0 … I−1
     * @param horizon values predicted, at least 1
     * @param minLength steps of the shortest window, at least 1
     * @param maxLength steps of the longest window
     * @param maxB rows of a batch; the last batch of an epoch may have fewer
     * @param seed key of order and lengths
     */
    public SeriesBatches(
            float[] values,
            int inputSize,
            int targetFeature,
            int horizon,
            int minLength,
            int maxLength,
            int maxB,
            long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SeriesBatch batch(long step) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long batchesPerEpoch() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int maxT() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int maxB() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Map<String, String> configuration() {
        throw new UnsupportedOperationException();
    }
}
