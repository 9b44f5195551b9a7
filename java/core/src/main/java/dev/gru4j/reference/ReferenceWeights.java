package dev.gru4j.reference;

import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of one layer and direction, or the gradients of these parameters:
 * weightIh (3H,I), weightHh (3H,H), biasIh (3H), biasHh (3H); a bias that the specification lacks is
 * null.
 */
final class ReferenceWeights {
    final double[] weightIh;
    final double[] weightHh;
    final double @Nullable [] biasIh;
    final double @Nullable [] biasHh;

    private ReferenceWeights(
            double[] weightIh, double[] weightHh, double @Nullable [] biasIh, double @Nullable [] biasHh) {
        this.weightIh = weightIh;
        this.weightHh = weightHh;
        this.biasIh = biasIh;
        this.biasHh = biasHh;
    }

    /** Copies of the four pieces out of the flat row. */
    static ReferenceWeights from(GruParameters layout, double[] flat, int layer, int direction) {
        return new ReferenceWeights(
                piece(layout, flat, layer, direction, Kind.WEIGHT_IH),
                piece(layout, flat, layer, direction, Kind.WEIGHT_HH),
                layout.exists(Kind.BIAS_IH) ? piece(layout, flat, layer, direction, Kind.BIAS_IH) : null,
                layout.exists(Kind.BIAS_HH) ? piece(layout, flat, layer, direction, Kind.BIAS_HH) : null);
    }

    /** Zeros of the same shapes, for the gradients to be summed in. */
    ReferenceWeights zerosLike() {
        return new ReferenceWeights(
                new double[weightIh.length],
                new double[weightHh.length],
                biasIh == null ? null : new double[biasIh.length],
                biasHh == null ? null : new double[biasHh.length]);
    }

    /** Copies the pieces to their places in the flat row. */
    void copyTo(GruParameters layout, double[] flat, int layer, int direction) {
        put(layout, flat, layer, direction, Kind.WEIGHT_IH, weightIh);
        put(layout, flat, layer, direction, Kind.WEIGHT_HH, weightHh);
        if (biasIh != null) {
            put(layout, flat, layer, direction, Kind.BIAS_IH, biasIh);
        }
        if (biasHh != null) {
            put(layout, flat, layer, direction, Kind.BIAS_HH, biasHh);
        }
    }

    private static double[] piece(GruParameters layout, double[] flat, int layer, int direction, Kind kind) {
        GruParameters.Parameter place = layout.get(layer, direction, kind);
        return Arrays.copyOfRange(flat, (int) place.offset(), (int) (place.offset() + place.length()));
    }

    private static void put(
            GruParameters layout, double[] flat, int layer, int direction, Kind kind, double[] piece) {
        System.arraycopy(piece, 0, flat, (int) layout.get(layer, direction, kind).offset(), piece.length);
    }
}
