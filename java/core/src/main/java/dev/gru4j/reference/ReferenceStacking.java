package dev.gru4j.reference;

import dev.gru4j.GruSpec;
import dev.gru4j.Philox;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What lies between the cells of a stack: directions side by side, and dropout from layer to layer. */
final class ReferenceStacking {
    private ReferenceStacking() {}

    /** The states (T,B,H) of one layer's directions side by side (T,B,D·H). */
    static double[] join(GruSpec spec, List<ReferenceForward.Trace> directions) {
        int H = spec.hiddenSize();
        int D = directions.size();
        int positions = directions.get(0).states.length / H;
        double[] joined = new double[positions * D * H];
        for (int d = 0; d < D; d++) {
            for (int at = 0; at < positions; at++) {
                System.arraycopy(directions.get(d).states, at * H, joined, (at * D + d) * H, H);
            }
        }
        return joined;
    }

    /** The (T,B,H) of one direction out of (T,B,D·H). */
    static double[] part(GruSpec spec, double[] joined, int direction) {
        int H = spec.hiddenSize();
        int D = spec.directions().count();
        double[] part = new double[joined.length / D];
        for (int at = 0; at < part.length / H; at++) {
            System.arraycopy(joined, (at * D + direction) * H, part, at * H, H);
        }
        return part;
    }

    /**
     * The output of layer {@code layer} (T,B,D·H) times its dropout scales; its gradient takes the same
     * way back. Padding stays 0.
     *
     * @param dropout the masks; absent: nothing is dropped
     */
    static double[] dropped(
            Precision p,
            GruSpec spec,
            ReferenceSequence s,
            ReferenceNetwork.@Nullable Dropout dropout,
            int layer,
            double[] values) {
        if (dropout == null || spec.dropout() == 0) {
            return values;
        }
        double[] result = new double[values.length];
        float[] scales = new float[spec.outputSize()];
        for (int b = 0; b < s.B(); b++) {
            for (int t = 0; t < s.length(b); t++) {
                Philox.dropoutScales(spec.dropout(), dropout.seed(), dropout.iteration(), layer, t, b, scales);
                int at = (t * s.B() + b) * scales.length;
                for (int j = 0; j < scales.length; j++) {
                    result[at + j] = p.round(values[at + j] * scales[j]);
                }
            }
        }
        return result;
    }
}
