package dev.gru4j.training.data;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Real-valued sequences of varying length and what is to be predicted at some of their positions.
 *
 * @param T steps of the longest row
 * @param B rows
 * @param inputSize I, features per step
 * @param outputs values predicted per position
 * @param x (T,B,I); padding may hold anything
 * @param lengths (B) valid steps of each row; absent: all T
 * @param positions (n) positions {@code t·B + b}, valid and distinct, at which a prediction is asked for
 * @param targets (n,outputs) what came after; empty when only a prediction is wanted
 */
@SuppressWarnings("ArrayRecordComponent") // Equality is not used; arrays are what the backend uploads.
public record SeriesBatch(
        int T, int B, int inputSize, int outputs, float[] x, int @Nullable [] lengths, int[] positions, float[] targets)
        implements Batch {
    /**
     * Whole series as the rows, in this order, asked for a prediction at their last step; no targets.
     *
     * @param series each (length,I) row-major, at least one step
     */
    public static SeriesBatch of(List<float[]> series, int inputSize, int outputs) {
        int B = series.size();
        int[] lengths = series.stream().mapToInt(s -> s.length / inputSize).toArray();
        int T = Arrays.stream(lengths).max().orElse(0);
        int[] positions = new int[B];
        float[] x = new float[Math.multiplyExact(Math.multiplyExact(T, B), inputSize)];
        for (int b = 0; b < B; b++) {
            if (lengths[b] < 1) {
                throw new IllegalArgumentException("series " + b + " has no step; at least 1 expected");
            }
            scatter(series.get(b), 0, lengths[b], inputSize, x, b, B);
            positions[b] = (lengths[b] - 1) * B + b;
        }
        return new SeriesBatch(T, B, inputSize, outputs, x, lengths, positions, new float[0]);
    }

    /** Puts {@code length} steps of {@code values}, from step {@code from} on, into a row of x (T,rows,I). */
    static void scatter(float[] values, int from, int length, int inputSize, float[] x, int row, int rows) {
        for (int t = 0; t < length; t++) {
            System.arraycopy(values, (from + t) * inputSize, x, (t * rows + row) * inputSize, inputSize);
        }
    }

    @Override
    public long targetCount() {
        return positions.length;
    }
}
