package dev.gru4j;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a forward reads. The arrays are used as they are, not copied; leave them unchanged until the call
 * returns or, in training, until its backward has returned.
 *
 * @param x input (T,B,I), exactly that many floats; padding may hold anything
 * @param T steps, at least 0
 * @param B batch rows, at least 1
 * @param h0 initial states (L·D,B,H), direction fastest; absent: zero
 * @param lengths valid steps of each row (B), each 0 … T; absent: all T
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, told apart by identity; nobody compares inputs.
public record GruInput(float[] x, int T, int B, float @Nullable [] h0, int @Nullable [] lengths) {
    public GruInput {
        Objects.requireNonNull(x, "x");
        GruShapes.checkBatch(T, B);
    }

    /** Rows that all have T valid steps and begin with state 0. */
    public GruInput(float[] x, int T, int B) {
        this(x, T, B, null, null);
    }

    /** The same with these initial states (L·D,B,H). */
    public GruInput withH0(float @Nullable [] newH0) {
        return new GruInput(x, T, B, newH0, lengths);
    }

    /** The same with these valid steps of each row (B). */
    public GruInput withLengths(int @Nullable [] newLengths) {
        return new GruInput(x, T, B, h0, newLengths);
    }
}
