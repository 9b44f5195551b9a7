package dev.gru4j.parity;

import dev.gru4j.GruParameters;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.WeightStorage;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The data of a case. Padding of x and dy is NaN, since it may hold anything and must reach nothing.
 *
 * @param x (T,B,I)
 * @param h0 (L·D,B,H), or absent
 * @param lengths (B), or absent
 * @param parameters {@link GruParameters} layout
 * @param dy (T,B,D·H), or absent
 * @param dhT (L·D,B,H), or absent
 * @param base what dParameters holds before an accumulating backward; absent when it is overwritten
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared or hashed: a bundle of arguments.
record GruInputs(
        float[] x,
        float @Nullable [] h0,
        int @Nullable [] lengths,
        float[] parameters,
        float @Nullable [] dy,
        float @Nullable [] dhT,
        float @Nullable [] base) {
    /** Standard deviation of x and h0 in cases of large values. */
    private static final double LARGE = 40;

    /** Seeded by the case's text alone. */
    static GruInputs of(GruCase problem) {
        GruSpec spec = problem.spec();
        GruShape shape = problem.shape();
        SplittableRandom random = new SplittableRandom(problem.seed());
        double scale = problem.is(Factor.VALUES, "large") ? LARGE : 1;
        int positions = shape.T() * shape.B();
        int states = spec.states() * shape.B() * shape.H();
        // PyTorch's initial distribution: pre-activations of order 1 for x and h of order 1.
        double weightBound = 1 / Math.sqrt(shape.H());

        float[] x = array(positions * shape.I(), () -> scale * random.nextGaussian());
        float[] h0 = array(states, () -> scale * random.nextGaussian());
        float[] parameters = array(
                (int) GruParameters.of(spec).length(), () -> random.nextDouble(-weightBound, weightBound));
        float[] dy = array(positions * spec.outputSize(), random::nextGaussian);
        float[] dhT = array(states, random::nextGaussian);
        float[] base = array(parameters.length, random::nextGaussian);
        int[] lengths = lengths(problem, random);
        if (lengths != null) {
            poisonPadding(x, lengths, shape.I());
            poisonPadding(dy, lengths, spec.outputSize());
        }
        return new GruInputs(
                x,
                problem.is(Factor.H0, "absent") ? null : h0,
                lengths,
                parameters,
                problem.is(Factor.INCOMING, "dhT") ? null : dy,
                problem.is(Factor.INCOMING, "dy") ? null : dhT,
                problem.is(Factor.GRADIENTS, "accumulated") ? base : null);
    }

    /** With the recurrent weights as a backend keeps them: rounded, which is then what the reference computes with. */
    GruInputs withRecurrentWeights(GruSpec spec, WeightStorage storage) {
        float[] kept = parameters.clone();
        for (GruParameters.Parameter p : GruParameters.of(spec).all()) {
            if (p.kind() == GruParameters.Kind.WEIGHT_HH) {
                for (int k = (int) p.offset(); k < p.offset() + p.length(); k++) {
                    kept[k] = storage.round(kept[k]);
                }
            }
        }
        return new GruInputs(x, h0, lengths, kept, dy, dhT, base);
    }

    /** Nearly the same data: draw 0 is this, any other has each number changed by less than {@code change} of itself. */
    GruInputs redraw(int draw, double change) {
        if (draw == 0) {
            return this;
        }
        SplittableRandom random = new SplittableRandom(draw);
        return new GruInputs(
                redrawn(x, random, change),
                h0 == null ? null : redrawn(h0, random, change),
                lengths,
                redrawn(parameters, random, change),
                dy == null ? null : redrawn(dy, random, change),
                dhT == null ? null : redrawn(dhT, random, change),
                base == null ? null : redrawn(base, random, change));
    }

    /** Each number changed by less than {@code change} of itself; NaN stays NaN. */
    static float[] redrawn(float[] values, SplittableRandom random, double change) {
        float[] result = new float[values.length];
        for (int k = 0; k < values.length; k++) {
            result[k] = (float) (values[k] * (1 + random.nextDouble(-change, change)));
        }
        return result;
    }

    private static float[] array(int length, DoubleSupplier next) {
        float[] array = new float[length];
        for (int k = 0; k < length; k++) {
            array[k] = (float) next.getAsDouble();
        }
        return array;
    }

    private static int @Nullable [] lengths(GruCase problem, SplittableRandom random) {
        int T = problem.shape().T();
        int B = problem.shape().B();
        if (problem.is(Factor.LENGTHS, "absent")) {
            return null;
        }
        int[] lengths = new int[B];
        if (problem.is(Factor.LENGTHS, "zero")) {
            return lengths;
        }
        for (int b = 0; b < B; b++) {
            lengths[b] = random.nextInt(T + 1);
        }
        if (B > 1) {
            int empty = random.nextInt(B);
            lengths[empty] = 0;
            lengths[(empty + 1 + random.nextInt(B - 1)) % B] = T;
        }
        if (problem.is(Factor.LENGTHS, "sorted")) {
            Arrays.sort(lengths);
            for (int b = 0; b < B / 2; b++) {
                int swap = lengths[b];
                lengths[b] = lengths[B - 1 - b];
                lengths[B - 1 - b] = swap;
            }
        }
        return lengths;
    }

    private static void poisonPadding(float[] sequence, int[] lengths, int width) {
        for (int k = 0; k < sequence.length; k++) {
            int position = k / width;
            if (position / lengths.length >= lengths[position % lengths.length]) {
                sequence[k] = Float.NaN;
            }
        }
    }
}
