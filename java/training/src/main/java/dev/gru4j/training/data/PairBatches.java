package dev.gru4j.training.data;

import java.util.List;
import java.util.Map;

/**
 * Pairs of sequences for {@link dev.gru4j.training.model.SequenceToSequence}. Every epoch visits every
 * pair once, in an order drawn anew, in batches of similar lengths.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class PairBatches implements BatchSource<PairBatch> {
    /**
     * @param sources source tokens of each pair, none empty
     * @param targets target tokens of each pair; an empty one is allowed
     * @param boundary the target token that stands before and after every target and nowhere in it
     * @param maxB rows of a batch; the last batch of an epoch may have fewer
     * @param seed key of the order
     */
    public PairBatches(List<int[]> sources, List<int[]> targets, int boundary, int maxB, long seed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public PairBatch batch(long step) {
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
