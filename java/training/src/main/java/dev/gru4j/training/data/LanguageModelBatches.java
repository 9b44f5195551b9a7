package dev.gru4j.training.data;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A set of short sequences, each a row of its own: input (boundary, s₁ … sₙ), targets (s₁ … sₙ,
 * boundary). Every epoch visits every sequence once, in an order drawn anew, in batches of similar
 * lengths so that there is little padding.
 */
public final class LanguageModelBatches implements BatchSource<TokenBatch> {
    private final List<int[]> sequences;
    private final int boundary;
    private final LengthBuckets buckets;
    private final int maxT;
    private final Map<String, String> configuration;

    /**
     * @param sequences tokens of each, at least one sequence; an empty one is allowed
     * @param boundary the token that stands before and after every sequence and nowhere in it
     * @param maxB rows of a batch; the last batch of an epoch may have fewer
     * @param seed key of the order
     */
    public LanguageModelBatches(List<int[]> sequences, int boundary, int maxB, long seed) {
        this.sequences = List.copyOf(sequences);
        this.boundary = boundary;
        int[] lengths = sequences.stream().mapToInt(s -> s.length).toArray();
        this.buckets = new LengthBuckets(lengths, maxB, seed);
        this.maxT = Arrays.stream(lengths).max().orElse(0) + 1;
        this.configuration = Map.of(
                "kind", "sequences",
                "sequences", Integer.toString(sequences.size()),
                "boundary", Integer.toString(boundary),
                "batch", Integer.toString(maxB),
                "seed", Long.toString(seed),
                "checksum", Fingerprint.of(sequences));
    }

    @Override
    public TokenBatch batch(long step) {
        List<int[]> rows =
                Arrays.stream(buckets.items(step)).mapToObj(sequences::get).toList();
        return TokenBatch.of(rows, boundary);
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
        return maxT;
    }

    @Override
    public Map<String, String> configuration() {
        return configuration;
    }
}
