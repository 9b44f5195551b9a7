package dev.gru4j.reference;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.HostFloatMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The whole GRU — layers, directions, lengths, dropout — in scalar loops that a person can check
 * against the equations. It refuses to be clever: one row and one step at a time, a new array
 * wherever one is convenient, no blocking, no threads, no vectors. It is not to be made fast; other
 * backends are, and are held to this one. If it is too slow for a test, the test takes a smaller shape.
 *
 * <p>One text runs in every precision: it computes on {@code double[]} and rounds every input and every
 * intermediate to its {@link Precision}. Shapes are those of {@link dev.gru4j.backend.GruCall}.
 *
 * <p>Immutable: any number of threads may use one network.
 */
public final class ReferenceNetwork {
    /**
     * Draws the dropout masks of a training forward, see {@link dev.gru4j.Philox}.
     *
     * @param seed key of the generator
     * @param iteration training step
     */
    public record Dropout(long seed, long iteration) {}

    /** A forward: its outputs, and all that backward needs. The arrays are not copied: do not change them. */
    public static final class Forward {
        private final GruSpec spec;
        final int T;
        final int B;
        final double[] x;
        final double[] h0;
        final int @Nullable [] lengths;
        final @Nullable Dropout dropout;
        /** Of every layer and direction, direction fastest. */
        final List<ReferenceForward.Trace> traces = new ArrayList<>();

        Forward(
                GruSpec spec,
                int T,
                int B,
                double[] x,
                double[] h0,
                int @Nullable [] lengths,
                @Nullable Dropout dropout) {
            this.spec = spec;
            this.T = T;
            this.B = B;
            this.x = x;
            this.h0 = h0;
            this.lengths = lengths;
            this.dropout = dropout;
        }

        /** States of the last layer (T,B,D·H), 0 in padding. */
        public double[] y() {
            return joinedStates(spec.layers() - 1);
        }

        /** State after each row's last valid step (L·D,B,H); for length 0, h0. */
        public double[] hT() {
            int H = spec.hiddenSize();
            double[] hT = new double[h0.length];
            for (int layer = 0; layer < spec.layers(); layer++) {
                for (int d = 0; d < spec.directions().count(); d++) {
                    int index = index(layer, d);
                    double[] first = h0(layer, d);
                    ReferenceSequence s = sequence(d);
                    for (int b = 0; b < B; b++) {
                        double[] last = s.hPrev(b, s.length(b), first, traces.get(index).states, H);
                        ReferenceSequence.setRow(hT, index * B + b, last);
                    }
                }
            }
            return hT;
        }

        /** Reserve of one layer and direction: r, z, n, gh_n (T,B,4H) or r, z, n (T,B,3H); 0 in padding. */
        public double[] reserve(int layer, int direction) {
            Objects.checkIndex(layer, spec.layers());
            Objects.checkIndex(direction, spec.directions().count());
            return traces.get(index(layer, direction)).gates;
        }

        int index(int layer, int direction) {
            return layer * spec.directions().count() + direction;
        }

        ReferenceSequence sequence(int direction) {
            return new ReferenceSequence(T, B, lengths, spec.directions().isReverse(direction));
        }

        /** Initial states of one layer and direction (B,H). */
        double[] h0(int layer, int direction) {
            return ReferenceSequence.row(h0, index(layer, direction), B * spec.hiddenSize());
        }

        /** What layer {@code layer} reads (T,B,I_l): x, or the layer below after dropout. */
        double[] layerInput(Precision p, int layer) {
            return layer == 0 ? x : dropped(p, layer - 1, joinedStates(layer - 1));
        }

        /** The output of layer {@code layer}, or the gradient arriving there, after dropout (T,B,D·H). */
        double[] dropped(Precision p, int layer, double[] values) {
            return ReferenceStacking.dropped(p, spec, sequence(0), dropout, layer, values);
        }

        private double[] joinedStates(int layer) {
            return ReferenceStacking.join(spec, traces.subList(index(layer, 0), index(layer + 1, 0)));
        }
    }

    /** What a backward returns. */
    public static final class Gradients {
        private final double[] dx;
        private final double[] dh0;
        private final double[] dParameters;

        Gradients(double[] dx, double[] dh0, double[] dParameters) {
            this.dx = dx;
            this.dh0 = dh0;
            this.dParameters = dParameters;
        }

        /** (T,B,I), 0 in padding. */
        public double[] dx() {
            return dx;
        }

        /** (L·D,B,H). */
        public double[] dh0() {
            return dh0;
        }

        /** {@link GruParameters} layout. */
        public double[] dParameters() {
            return dParameters;
        }
    }

    private final GruSpec spec;
    private final GruParameters layout;
    private final Precision precision;
    /** Of every layer and direction, direction fastest. */
    private final List<ReferenceWeights> weights = new ArrayList<>();

    /**
     * A network of these parameters.
     *
     * @param parameters in {@link GruParameters} layout; copied
     * @throws IllegalArgumentException if their number is not the layout's
     */
    public ReferenceNetwork(GruSpec spec, Precision precision, double[] parameters) {
        this.spec = Objects.requireNonNull(spec, "spec");
        this.precision = Objects.requireNonNull(precision, "precision");
        this.layout = GruParameters.of(spec);
        checkLength("parameters", parameters, layout.length());
        double[] rounded = rounded(parameters);
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                weights.add(ReferenceWeights.from(layout, rounded, layer, d));
            }
        }
    }

    public GruSpec spec() {
        return spec;
    }

    public Precision precision() {
        return precision;
    }

    /**
     * Runs x through all layers.
     *
     * @param T steps, at least 0
     * @param B batch rows, at least 1
     * @param x (T,B,I); not read in padding
     * @param h0 (L·D,B,H); absent: zero
     * @param lengths (B), each 0 … T; absent: all T
     * @param dropout masks of a training forward; absent: inference, no dropout
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public Forward forward(
            int T,
            int B,
            double[] x,
            double @Nullable [] h0,
            int @Nullable [] lengths,
            @Nullable Dropout dropout) {
        checkShape(T, B, lengths);
        checkLength("x", x, (long) T * B * spec.inputSize());
        int states = spec.states() * B * spec.hiddenSize();
        if (h0 != null) {
            checkLength("h0", h0, states);
        }
        Forward forward = new Forward(
                spec,
                T,
                B,
                rounded(x),
                h0 == null ? new double[states] : rounded(h0),
                lengths == null ? null : lengths.clone(),
                dropout);
        for (int layer = 0; layer < spec.layers(); layer++) {
            double[] input = forward.layerInput(precision, layer);
            for (int d = 0; d < spec.directions().count(); d++) {
                forward.traces.add(ReferenceForward.run(
                        precision,
                        spec.variant(),
                        weights.get(forward.index(layer, d)),
                        forward.sequence(d),
                        input,
                        forward.h0(layer, d)));
            }
        }
        return forward;
    }

    /**
     * Runs gradients back through all layers.
     *
     * @param forward of this network
     * @param dy (T,B,D·H), not read in padding; absent: zero
     * @param dhT (L·D,B,H); absent: zero
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public Gradients backward(Forward forward, double @Nullable [] dy, double @Nullable [] dhT) {
        if (!forward.spec.equals(spec)) {
            throw new IllegalArgumentException("forward is of " + forward.spec + "; one of " + spec + " expected");
        }
        int width = spec.outputSize();
        int positions = forward.T * forward.B;
        if (dy != null) {
            checkLength("dy", dy, (long) positions * width);
        }
        if (dhT != null) {
            checkLength("dhT", dhT, forward.h0.length);
        }
        double[] dStates = dy == null ? new double[positions * width] : rounded(dy);
        double[] dLast = dhT == null ? new double[forward.h0.length] : rounded(dhT);
        double[] dh0 = new double[forward.h0.length];
        double[] dParameters = new double[(int) layout.length()];
        double[] dInput = new double[0];
        for (int layer = spec.layers() - 1; layer >= 0; layer--) {
            double[] input = forward.layerInput(precision, layer);
            dInput = new double[input.length];
            for (int d = 0; d < spec.directions().count(); d++) {
                int index = forward.index(layer, d);
                ReferenceBackward.Result result = ReferenceBackward.run(
                        precision,
                        spec.variant(),
                        weights.get(index),
                        forward.sequence(d),
                        input,
                        forward.h0(layer, d),
                        forward.traces.get(index),
                        ReferenceStacking.part(spec, dStates, d),
                        ReferenceSequence.row(dLast, index, forward.B * spec.hiddenSize()));
                for (int k = 0; k < dInput.length; k++) {
                    dInput[k] = precision.round(dInput[k] + result.dx[k]);
                }
                ReferenceSequence.setRow(dh0, index, result.dh0);
                result.dw.copyTo(layout, dParameters, layer, d);
            }
            if (layer > 0) {
                dStates = forward.dropped(precision, layer - 1, dInput);
            }
        }
        return new Gradients(dInput, dh0, dParameters);
    }

    private double[] rounded(double[] values) {
        return Arrays.stream(values).map(precision::round).toArray();
    }

    private void checkShape(int T, int B, int @Nullable [] lengths) {
        if (T < 0 || B < 1) {
            throw new IllegalArgumentException("T is " + T + " and B is " + B + "; T >= 0 and B >= 1 expected");
        }
        long widest = Math.max(
                Math.max(spec.inputSize(), spec.outputSize()),
                (long) spec.variant().reserveGates() * spec.hiddenSize());
        if ((long) T * B > HostFloatMemory.MAX_LENGTH / widest
                || (long) spec.states() * B > HostFloatMemory.MAX_LENGTH / spec.hiddenSize()) {
            throw new IllegalArgumentException("T = " + T + ", B = " + B + " of " + spec
                    + " needs an array of more than " + HostFloatMemory.MAX_LENGTH + " numbers");
        }
        if (lengths == null) {
            return;
        }
        if (lengths.length != B) {
            throw new IllegalArgumentException(
                    "lengths has " + lengths.length + " entries; one per row, B = " + B + ", expected");
        }
        for (int b = 0; b < B; b++) {
            if (lengths[b] < 0 || lengths[b] > T) {
                throw new IllegalArgumentException(
                        "lengths[" + b + "] is " + lengths[b] + "; 0 to T = " + T + " expected");
            }
        }
    }

    private static void checkLength(String name, double[] values, long expected) {
        if (values.length != expected) {
            throw new IllegalArgumentException(
                    name + " has " + values.length + " numbers; " + expected + " expected");
        }
    }
}
