package dev.gru4j.parity;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs the reference network on a case, in any precision, and names what comes out. */
final class GruReference {
    /** Key and iteration of every dropout mask of the suite. */
    static final long DROPOUT_SEED = 0x5EED_0F_D809L;

    static final long DROPOUT_ITERATION = 3;

    private GruReference() {}

    /** y and hT without dropout. */
    static Map<String, double[]> inference(GruCase problem, GruInputs in, Precision precision) {
        return outputs(forward(problem, in, precision, null));
    }

    /** Everything that {@link Phase#TRAINING} and {@link Phase#BACKWARD} return. */
    static Map<String, double[]> training(GruCase problem, GruInputs in, Precision precision) {
        GruSpec spec = problem.spec();
        ReferenceNetwork.Dropout dropout = new ReferenceNetwork.Dropout(DROPOUT_SEED, DROPOUT_ITERATION);
        ReferenceNetwork.Forward forward = forward(problem, in, precision, dropout);
        Map<String, double[]> tensors = outputs(forward);
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                tensors.putAll(splitReserve(spec, layer, d, forward.reserve(layer, d)));
            }
        }
        ReferenceNetwork.Gradients gradients =
                network(problem, in, precision).backward(forward, doubles(in.dy()), doubles(in.dhT()));
        tensors.put("dx", gradients.dx());
        tensors.put("dh0", gradients.dh0());
        tensors.putAll(splitParameters(spec, added(precision, gradients.dParameters(), in.base())));
        return tensors;
    }

    /** The slots of one layer's and direction's reserve (T,B,slots·H), each as (T,B,H). */
    static Map<String, double[]> splitReserve(GruSpec spec, int layer, int direction, double[] reserve) {
        int H = spec.hiddenSize();
        int slots = GruTensors.reserveSlots(spec.variant());
        int positions = reserve.length / (slots * H);
        Map<String, double[]> tensors = new HashMap<>();
        for (int slot = 0; slot < slots; slot++) {
            double[] part = new double[positions * H];
            for (int at = 0; at < positions; at++) {
                System.arraycopy(reserve, (at * slots + slot) * H, part, at * H, H);
            }
            tensors.put(GruTensors.reserveName(spec, slot, layer, direction), part);
        }
        return tensors;
    }

    /** The gradients of all parameters by name, out of the flat row. */
    static Map<String, double[]> splitParameters(GruSpec spec, double[] flat) {
        Map<String, double[]> tensors = new HashMap<>();
        for (Parameter p : GruParameters.of(spec).all()) {
            int from = (int) p.offset();
            tensors.put("d" + p.name(),
                    Arrays.copyOfRange(flat, from, from + Gates.COUNT * spec.hiddenSize() * p.columns()));
        }
        return tensors;
    }

    static double[] doubles(float @Nullable [] floats, int length) {
        double[] result = new double[length];
        if (floats != null) {
            for (int k = 0; k < length; k++) {
                result[k] = floats[k];
            }
        }
        return result;
    }

    private static double @Nullable [] doubles(float @Nullable [] floats) {
        return floats == null ? null : doubles(floats, floats.length);
    }

    private static ReferenceNetwork network(GruCase problem, GruInputs in, Precision precision) {
        return new ReferenceNetwork(problem.spec(), precision, doubles(in.parameters(), in.parameters().length));
    }

    private static ReferenceNetwork.Forward forward(
            GruCase problem, GruInputs in, Precision precision, ReferenceNetwork.@Nullable Dropout dropout) {
        return network(problem, in, precision)
                .forward(
                        problem.shape().T(),
                        problem.shape().B(),
                        doubles(in.x(), in.x().length),
                        doubles(in.h0()),
                        in.lengths(),
                        dropout);
    }

    private static Map<String, double[]> outputs(ReferenceNetwork.Forward forward) {
        Map<String, double[]> tensors = new HashMap<>();
        tensors.put("y", forward.y());
        tensors.put("hT", forward.hT());
        return tensors;
    }

    private static double[] added(Precision precision, double[] gradient, float @Nullable [] base) {
        if (base == null) {
            return gradient;
        }
        double[] sum = new double[gradient.length];
        for (int k = 0; k < sum.length; k++) {
            sum[k] = precision.round(base[k] + gradient[k]);
        }
        return sum;
    }
}
