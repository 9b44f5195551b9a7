package dev.gru4j.training.data;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Pairs of sequences for {@link dev.gru4j.training.model.SequenceToSequence}. Every epoch visits every
 * pair once, in an order drawn anew, in batches of similar lengths.
 */
public final class PairBatches implements BatchSource<PairBatch> {
    private final List<int[]> sources;
    private final List<int[]> targets;
    private final int boundary;
    private final LengthBuckets buckets;
    private final int maxSourceT;
    private final int maxTargetT;
    private final Map<String, String> configuration;

    /**
     * @param sources source tokens of each pair, none empty
     * @param targets target tokens of each pair; an empty one is allowed
     * @param boundary the target token that stands before and after every target and nowhere in it
     * @param maxB rows of a batch; the last batch of an epoch may have fewer
     * @param seed key of the order
     */
    public PairBatches(List<int[]> sources, List<int[]> targets, int boundary, int maxB, long seed) {
        if (sources.size() != targets.size()) {
            throw new IllegalArgumentException("there are " + sources.size() + " sources and " + targets.size()
                    + " targets; one target per source expected");
        }
        int[] lengths = new int[sources.size()];
        int longestSource = 0;
        int longestTarget = 0;
        for (int k = 0; k < lengths.length; k++) {
            int source = sources.get(k).length;
            int target = targets.get(k).length;
            if (source == 0) {
                throw new IllegalArgumentException("source " + k + " is empty; at least one token expected");
            }
            // The target decides first: its side has the dense head, so its padding costs more.
            lengths[k] = Math.addExact(Math.multiplyExact(target, 2), source);
            longestSource = Math.max(longestSource, source);
            longestTarget = Math.max(longestTarget, target);
        }
        this.sources = List.copyOf(sources);
        this.targets = List.copyOf(targets);
        this.boundary = boundary;
        this.buckets = new LengthBuckets(lengths, maxB, seed);
        this.maxSourceT = longestSource;
        this.maxTargetT = longestTarget + 1;
        this.configuration = Map.of(
                "kind", "pairs",
                "pairs", Integer.toString(sources.size()),
                "boundary", Integer.toString(boundary),
                "batch", Integer.toString(maxB),
                "seed", Long.toString(seed),
                "checksum", Fingerprint.of(sources) + " " + Fingerprint.of(targets));
    }

    @Override
    public PairBatch batch(long step) {
        int[] items = buckets.items(step);
        List<int[]> sourceRows = Arrays.stream(items).mapToObj(sources::get).toList();
        List<int[]> targetRows = Arrays.stream(items).mapToObj(targets::get).toList();
        return new PairBatch(PairBatch.Side.of(sourceRows), TokenBatch.of(targetRows, boundary));
    }

    @Override
    public long batchesPerEpoch() {
        return buckets.batchesPerEpoch();
    }

    @Override
    public int maxB() {
        return buckets.maxB();
    }

    @Override
    public int maxT() {
        return Math.max(maxSourceT, maxTargetT);
    }

    /** Longest source, in tokens. */
    public int maxSourceT() {
        return maxSourceT;
    }

    /** Longest target, in tokens, the boundary included. */
    public int maxTargetT() {
        return maxTargetT;
    }

    @Override
    public Map<String, String> configuration() {
        return configuration;
    }
}
