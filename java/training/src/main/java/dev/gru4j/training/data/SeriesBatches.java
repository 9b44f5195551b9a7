package dev.gru4j.training.data;

import dev.gru4j.Philox;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;

/**
 * Windows of varying length cut out of one series, for {@link dev.gru4j.training.model.Forecaster}. At
 * every position from {@code minLength} values on, the next {@code horizon} values of one feature are to
 * be predicted. Every epoch visits every end of a window once, in an order drawn anew.
 */
public final class SeriesBatches implements BatchSource<SeriesBatch> {
    /** Tells the lengths of windows from their order. */
    private static final long LENGTHS = 0x6C656E6774687321L;

    private final float[] values;
    private final int inputSize;
    private final int targetFeature;
    private final int horizon;
    private final int minLength;
    private final int maxLength;
    private final int maxB;
    private final long seed;
    private final int windows;
    private final Map<String, String> configuration;

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
        if (inputSize < 1 || values.length % inputSize != 0) {
            throw new IllegalArgumentException(
                    "values has " + values.length + " floats; a multiple of I = " + inputSize + " expected");
        }
        Objects.checkIndex(targetFeature, inputSize);
        int steps = values.length / inputSize;
        if (horizon < 1 || minLength < 1 || maxLength < minLength || maxB < 1) {
            throw new IllegalArgumentException("horizon is " + horizon + ", minLength " + minLength + ", maxLength "
                    + maxLength + ", maxB " + maxB + "; at least 1 each, and maxLength not below minLength, expected");
        }
        if ((long) minLength + horizon > steps) {
            throw new IllegalArgumentException("the series has " + steps + " steps; at least "
                    + ((long) minLength + horizon) + ", minLength + horizon, expected");
        }
        this.values = values.clone();
        this.inputSize = inputSize;
        this.targetFeature = targetFeature;
        this.horizon = horizon;
        this.minLength = minLength;
        this.maxLength = Math.min(maxLength, steps - horizon);
        this.windows = steps - horizon - minLength + 1;
        this.maxB = Math.min(maxB, windows);
        this.seed = seed;
        this.configuration = Map.ofEntries(
                Map.entry("kind", "series"),
                Map.entry("steps", Integer.toString(steps)),
                Map.entry("features", Integer.toString(inputSize)),
                Map.entry("target_feature", Integer.toString(targetFeature)),
                Map.entry("horizon", Integer.toString(horizon)),
                Map.entry("min_length", Integer.toString(minLength)),
                Map.entry("max_length", Integer.toString(maxLength)),
                Map.entry("batch", Integer.toString(maxB)),
                Map.entry("seed", Long.toString(seed)),
                Map.entry("checksum", Fingerprint.of(values)));
    }

    @Override
    public SeriesBatch batch(long step) {
        if (step < 0) {
            throw new IllegalArgumentException("step is " + step + "; 0 or more expected");
        }
        long epoch = step / batchesPerEpoch();
        int from = (int) (step % batchesPerEpoch()) * maxB;
        int B = Math.min(maxB, windows - from);
        Permutation order = new Permutation(windows, seed, epoch);
        // Longest first, as −length·2^32 + end.
        long[] rows = new long[B];
        for (int b = 0; b < B; b++) {
            int end = order.at(from + b) + minLength; // step after the window's last
            rows[b] = ((long) -drawLength(end, epoch) << Integer.SIZE) | end;
        }
        Arrays.sort(rows);
        int[] lengths = Arrays.stream(rows).mapToInt(row -> (int) -(row >> Integer.SIZE)).toArray();
        int[] ends = Arrays.stream(rows).mapToInt(row -> (int) row).toArray();
        return cut(lengths, ends);
    }

    /** Between minLength and maxLength, at most as many steps as there are before the window's end. */
    private int drawLength(int end, long epoch) {
        int[] words = new int[4];
        Philox.block(end, 0, (int) epoch, (int) (epoch >>> Integer.SIZE), seed ^ LENGTHS, words);
        int choices = Math.min(maxLength, end) - minLength + 1;
        return minLength + (int) ((Integer.toUnsignedLong(words[0]) * choices) >>> Integer.SIZE);
    }

    private SeriesBatch cut(int[] lengths, int[] ends) {
        int B = lengths.length;
        int T = lengths[0];
        float[] x = new float[Math.multiplyExact(Math.multiplyExact(T, B), inputSize)];
        for (int b = 0; b < B; b++) {
            SeriesBatch.scatter(values, ends[b] - lengths[b], lengths[b], inputSize, x, b, B);
        }
        int n = Arrays.stream(lengths).map(length -> length - minLength + 1).sum();
        int[] positions = new int[n];
        float[] targets = new float[Math.multiplyExact(n, horizon)];
        int k = 0;
        for (int t = minLength - 1; t < T; t++) {
            for (int b = 0; b < B && lengths[b] > t; b++) {
                positions[k] = t * B + b;
                int next = ends[b] - lengths[b] + t + 1;
                for (int ahead = 0; ahead < horizon; ahead++) {
                    targets[k * horizon + ahead] = values[(next + ahead) * inputSize + targetFeature];
                }
                k++;
            }
        }
        return new SeriesBatch(T, B, inputSize, horizon, x, lengths, positions, targets);
    }

    @Override
    public long batchesPerEpoch() {
        return ((long) windows + maxB - 1) / maxB;
    }

    @Override
    public int maxT() {
        return maxLength;
    }

    @Override
    public int maxB() {
        return maxB;
    }

    @Override
    public Map<String, String> configuration() {
        return configuration;
    }
}
