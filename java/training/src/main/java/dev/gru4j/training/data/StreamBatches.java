package dev.gru4j.training.data;

import java.util.Map;

/**
 * One long text for truncated backpropagation through time: cut into B streams of equal length that
 * are read side by side, T tokens a step, each row going on where it was ({@link TokenBatch#carried}).
 * When the streams are through, they start again with a zero state.
 */
public final class StreamBatches implements BatchSource<TokenBatch> {
    private final int[] tokens;
    private final int B;
    private final int T;
    private final int streamLength;
    private final Map<String, String> configuration;

    /**
     * @param tokens the text, at least B + 1 tokens; up to B − 1 tokens at its end are not used
     * @param B streams, the rows of every batch
     * @param T tokens of each stream per step; the last step of an epoch may have fewer
     */
    public StreamBatches(int[] tokens, int B, int T) {
        if (B < 1 || T < 1) {
            throw new IllegalArgumentException("T is " + T + " and B is " + B + "; at least 1 each expected");
        }
        if (tokens.length <= B) {
            throw new IllegalArgumentException("the text has " + tokens.length + " tokens; at least " + (B + 1L)
                    + " expected for B = " + B + " streams");
        }
        this.tokens = tokens.clone();
        this.B = B;
        this.streamLength = (tokens.length - 1) / B;
        this.T = Math.min(T, streamLength);
        this.configuration = Map.of(
                "kind", "stream",
                "tokens", Integer.toString(tokens.length),
                "batch", Integer.toString(B),
                "steps_per_batch", Integer.toString(T),
                "checksum", Fingerprint.of(tokens));
    }

    @Override
    public TokenBatch batch(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("step is " + step + "; 0 or more expected");
        }
        int first = (int) (step % batchesPerEpoch()) * T;
        int steps = Math.min(T, streamLength - first);
        int[] ids = new int[steps * B];
        int[] targets = new int[steps * B];
        for (int b = 0; b < B; b++) {
            int start = b * streamLength + first;
            for (int t = 0; t < steps; t++) {
                ids[t * B + b] = tokens[start + t];
                targets[t * B + b] = tokens[start + t + 1];
            }
        }
        return new TokenBatch(steps, B, ids, null, null, targets, first > 0);
    }

    @Override
    public long batchesPerEpoch() {
        return ((long) streamLength + T - 1) / T;
    }

    @Override
    public int maxT() {
        return T;
    }

    @Override
    public int maxB() {
        return B;
    }

    @Override
    public Map<String, String> configuration() {
        return configuration;
    }
}
