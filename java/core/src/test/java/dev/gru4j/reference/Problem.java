package dev.gru4j.reference;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A GRU, its inputs and the gradients that arrive at its outputs, drawn from a seed. The loss is
 * Σ dy·y + Σ dhT·hT, whose gradients at y and hT are dy and dhT. x and dy are NaN in padding.
 */
@SuppressWarnings("InconsistentCapitalization") // T steps and step t are the letters of the field.
record Problem(
        GruSpec spec,
        int T,
        int B,
        @Nullable List<Integer> rowLengths,
        ReferenceNetwork.@Nullable Dropout dropout,
        Arriving arriving,
        Tensors tensors) {

    /** Where gradients arrive. */
    enum Arriving {
        DY,
        DHT,
        DY_AND_DHT
    }

    /** The numbers of a problem. */
    static final class Tensors {
        final double[] parameters;
        final double[] x;
        final double[] h0;
        final double[] dy;
        final double[] dhT;

        Tensors(GruSpec spec, int T, int B, Random random) {
            parameters = uniform(random, Math.toIntExact(GruParameters.of(spec).length()));
            x = uniform(random, T * B * spec.inputSize());
            h0 = uniform(random, spec.states() * B * spec.hiddenSize());
            dy = uniform(random, T * B * spec.outputSize());
            dhT = uniform(random, h0.length);
        }
    }

    static Problem of(
            GruSpec spec,
            int T,
            int B,
            @Nullable List<Integer> rowLengths,
            ReferenceNetwork.@Nullable Dropout dropout,
            Arriving arriving,
            long seed) {
        Tensors tensors = new Tensors(spec, T, B, new Random(seed));
        Problem problem = new Problem(spec, T, B, rowLengths, dropout, arriving, tensors);
        for (int t = 0; t < T; t++) {
            for (int b = 0; b < B; b++) {
                if (!problem.isValid(t, b)) {
                    fillPosition(tensors.x, t * B + b, spec.inputSize(), Double.NaN);
                    fillPosition(tensors.dy, t * B + b, spec.outputSize(), Double.NaN);
                }
            }
        }
        return problem;
    }

    /** All T steps, no dropout, gradients arriving everywhere. */
    static Problem of(GruSpec spec, int T, int B, long seed) {
        return of(spec, T, B, null, null, Arriving.DY_AND_DHT, seed);
    }

    int length(int b) {
        return rowLengths == null ? T : rowLengths.get(b);
    }

    boolean isValid(int t, int b) {
        return t < length(b);
    }

    int @Nullable [] lengths() {
        return rowLengths == null ? null : rowLengths.stream().mapToInt(Integer::intValue).toArray();
    }

    double @Nullable [] dy() {
        return arriving == Arriving.DHT ? null : tensors.dy;
    }

    double @Nullable [] dhT() {
        return arriving == Arriving.DY ? null : tensors.dhT;
    }

    ReferenceNetwork network() {
        return new ReferenceNetwork(spec, Precision.DOUBLE, tensors.parameters);
    }

    ReferenceNetwork.Forward forward() {
        return network().forward(T, B, tensors.x, tensors.h0, lengths(), dropout);
    }

    ReferenceNetwork.Gradients backward() {
        return network().backward(forward(), dy(), dhT());
    }

    /** Σ dy·y + Σ dhT·hT over the valid positions. */
    double loss() {
        ReferenceNetwork.Forward forward = forward();
        double loss = 0;
        if (arriving != Arriving.DHT) {
            double[] y = forward.y();
            for (int k = 0; k < y.length; k++) {
                int position = k / spec.outputSize();
                loss += isValid(position / B, position % B) ? tensors.dy[k] * y[k] : 0;
            }
        }
        if (arriving != Arriving.DY) {
            double[] hT = forward.hT();
            for (int k = 0; k < hT.length; k++) {
                loss += tensors.dhT[k] * hT[k];
            }
        }
        return loss;
    }

    /** Number of products that the loss sums, each at most 1 in magnitude. */
    int lossTerms() {
        return tensors.dy.length + tensors.dhT.length;
    }

    /** Numbers in [−1, 1). */
    static double[] uniform(Random random, int count) {
        return random.doubles(count, -1, 1).toArray();
    }

    /** Sets the features of one position. */
    static void fillPosition(double[] tensor, int position, int width, double value) {
        Arrays.fill(tensor, position * width, (position + 1) * width, value);
    }

    @Override
    public String toString() {
        return "T" + T + " B" + B + " " + spec + (rowLengths == null ? "" : " lengths " + rowLengths)
                + (dropout == null ? "" : " seed " + Objects.requireNonNull(dropout).seed()) + " " + arriving;
    }
}
