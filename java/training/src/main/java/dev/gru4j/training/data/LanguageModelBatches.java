package dev.gru4j.training.data;

import java.util.List;
import java.util.Map;

/**
 * A set of short sequences, each a row of its own: input (boundary, s₁ … sₙ), targets (s₁ … sₙ,
 * boundary). Every epoch visits every sequence once, in an order drawn anew, in batches of similar
 * lengths so that there is little padding.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class LanguageModelBatches implements BatchSource<TokenBatch> {
    /**
     * @param sequences tokens of each, at least one sequence; an empty one is allowed
     * @param boundary the token that stands before and after every sequence and nowhere in it
     * @param maxB rows of a batch; the last batch of an epoch may have fewer
     * @param seed key of the order
     */
    public LanguageModelBatches(List<int[]> sequences, int boundary, int maxB, long seed) {
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
