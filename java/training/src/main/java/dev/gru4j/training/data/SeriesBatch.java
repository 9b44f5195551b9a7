package dev.gru4j.training.data;

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
    @Override
    public long targetCount() {
        return positions.length;
    }
}
