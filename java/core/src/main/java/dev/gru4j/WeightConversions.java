package dev.gru4j;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Weights written for the other conventions that GRUs are published in, turned into ours. */
public final class WeightConversions {
    private WeightConversions() {}

    /** What a concatenated weight matrix multiplies. */
    public enum Columns {
        /** {@code W·[h, x]}: the first H columns belong to the state. */
        HIDDEN_FIRST,
        /** {@code W·[x, h]}: the first I columns belong to the input. */
        INPUT_FIRST
    }

    /**
     * Converts in place between {@code h' = (1 − z) ⊙ h + z ⊙ n} and ours, {@code h' = (1 − z) ⊙ n + z ⊙ h},
     * in either direction: since σ(−a) = 1 − σ(a), the update gate's rows of all weights and biases are
     * negated. Exact, and undone by a second call.
     */
    public static void negateUpdateGate(GruWeights weights) {
        float[] values = weights.values();
        for (Parameter p : weights.layout().all()) {
            int block = weights.spec().hiddenSize() * p.columns(); // floats of one gate
            int first = (int) p.offset() + Gates.UPDATE * block;
            for (int i = first; i < first + block; i++) {
                values[i] = -values[i];
            }
        }
    }

    /**
     * Sets one layer and direction from the form {@code W·[h, x] + b} of the textbooks, by splitting W by
     * its columns. b becomes the input bias and the recurrent bias, where there is one, becomes 0.
     *
     * <p>Texts that write {@code W_n·[r ⊙ h, x]} mean {@link GruVariant#RESET_BEFORE}.
     *
     * @param weight (3H,H+I_l), gate order r, z, n, row-major
     * @param columns the order of h and x
     * @param bias (3H), or absent: 0
     */
    public static void setConcatenated(
            GruWeights weights, int layer, int direction, float[] weight, Columns columns, float @Nullable [] bias) {
        GruSpec spec = weights.spec();
        int H = spec.hiddenSize();
        int I = spec.layerInputSize(layer);
        int rows = Gates.COUNT * H;
        int width = Math.addExact(H, I);
        if (weight.length != (long) rows * width) {
            throw new IllegalArgumentException(
                    "weight has " + weight.length + " floats; 3H·(H + I) = " + (long) rows * width
                            + " expected for H = " + H + ", I = " + I);
        }
        if (bias != null && !spec.bias().hasInput()) {
            throw new IllegalArgumentException("a bias was given; none expected for bias mode " + spec.bias());
        }
        if (bias != null && bias.length != rows) {
            throw new IllegalArgumentException(
                    "bias has " + bias.length + " floats; 3H = " + rows + " expected for H = " + H);
        }
        float[] weightIh = new float[rows * I];
        float[] weightHh = new float[rows * H];
        int hColumn = columns == Columns.HIDDEN_FIRST ? 0 : I;
        int xColumn = columns == Columns.HIDDEN_FIRST ? H : 0;
        for (int row = 0; row < rows; row++) {
            System.arraycopy(weight, row * width + hColumn, weightHh, row * H, H);
            System.arraycopy(weight, row * width + xColumn, weightIh, row * I, I);
        }
        weights.set(layer, direction, Kind.WEIGHT_IH, weightIh);
        weights.set(layer, direction, Kind.WEIGHT_HH, weightHh);
        if (spec.bias().hasInput()) {
            weights.set(layer, direction, Kind.BIAS_IH, bias == null ? new float[rows] : bias);
        }
        if (spec.bias().hasRecurrent()) {
            weights.set(layer, direction, Kind.BIAS_HH, new float[rows]);
        }
    }
}
