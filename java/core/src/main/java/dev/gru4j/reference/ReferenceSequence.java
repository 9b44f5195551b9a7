package dev.gru4j.reference;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which positions of a (T,B,…) tensor one direction visits, and in what order. A row's steps are
 * counted 0 … length − 1 in the order the direction reads them: the reverse direction's step 0 is the
 * row's own last valid position. Positions in padding are never visited.
 */
final class ReferenceSequence {
    private final int steps;
    private final int batch;
    private final int @Nullable [] lengths;
    private final boolean reverse;

    ReferenceSequence(int T, int B, int @Nullable [] lengths, boolean reverse) {
        this.steps = T;
        this.batch = B;
        this.lengths = lengths;
        this.reverse = reverse;
    }

    int T() {
        return steps;
    }

    int B() {
        return batch;
    }

    /** Valid steps of row b. */
    int length(int b) {
        return lengths == null ? steps : lengths[b];
    }

    /** Position t·B + b that row b visits at its {@code step}. */
    int position(int b, int step) {
        int t = reverse ? length(b) - 1 - step : step;
        return t * batch + b;
    }

    /** The state that enters a step of row b: the one before it, or h0 (B,H) at step 0. */
    double[] hPrev(int b, int step, double[] h0, double[] states, int H) {
        return step == 0 ? row(h0, b, H) : row(states, position(b, step - 1), H);
    }

    /** A copy of row {@code at} of a (…,width) tensor. */
    static double[] row(double[] tensor, int at, int width) {
        return Arrays.copyOfRange(tensor, at * width, (at + 1) * width);
    }

    /** Writes row {@code at} of a (…,width) tensor. */
    static void setRow(double[] tensor, int at, double[] row) {
        System.arraycopy(row, 0, tensor, at * row.length, row.length);
    }
}
