package dev.gru4j.training.data;

import java.util.Map;

/**
 * One long text for truncated backpropagation through time: cut into B streams of equal length that
 * are read side by side, T tokens a step, each row going on where it was ({@link TokenBatch#carried}).
 * When the streams are through, they start again with a zero state.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class StreamBatches implements BatchSource<TokenBatch> {
    /**
     * @param tokens the text, at least B + 1 tokens; up to B − 1 tokens at its end are not used
     * @param B streams, the rows of every batch
     * @param T tokens of each stream per step; the last step of an epoch may have fewer
     */
    public StreamBatches(int[] tokens, int B, int T) {
        throw new UnsupportedOperationException();
    }

    @Override
    public TokenBatch batch(long step) {
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
