package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.GruWeights;
import java.util.SplittableRandom;

/**
 * The data of a shape, seeded: the same in every process. Gates are in the order reset, update, candidate, and every
 * tensor is row-major.
 *
 * @param shape T, B, I, H
 * @param weightIh input weights (3H,I)
 * @param weightHh recurrent weights (3H,H)
 * @param biasIh input bias (3H)
 * @param biasHh recurrent bias (3H)
 * @param x input (T,B,I)
 * @param h0 initial state (B,H)
 * @param dy gradient of the loss at y (T,B,H)
 * @param dhT gradient of the loss at the last state (B,H), added to that of y's last step
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, never compared or hashed.
public record Problem(
        GruShape shape,
        float[] weightIh,
        float[] weightHh,
        float[] biasIh,
        float[] biasHh,
        float[] x,
        float[] h0,
        float[] dy,
        float[] dhT) {
    /** Random numbers that repeat after that many: a prime, so that no two rows agree. */
    private static final int PERIOD = 1_048_573;

    /** Weights from ±1/√H, as PyTorch draws them; x and h0 from ±1; dy and dhT from ±10⁻³. */
    public static Problem of(GruShape shape) {
        SplittableRandom random = new SplittableRandom(42);
        long gates = 3L * shape.H();
        long rows = (long) shape.T() * shape.B();
        long states = (long) shape.B() * shape.H();
        double range = 1 / Math.sqrt(shape.H());
        return new Problem(
                shape,
                uniform(random, gates * shape.I(), range),
                uniform(random, gates * shape.H(), range),
                uniform(random, gates, range),
                uniform(random, gates, range),
                uniform(random, rows * shape.I(), 1),
                uniform(random, states, 1),
                uniform(random, rows * shape.H(), 1e-3),
                uniform(random, states, 1e-3));
    }

    private static float[] uniform(SplittableRandom random, long length, double range) {
        float[] values = new float[Math.toIntExact(length)];
        int period = Math.min(values.length, PERIOD);
        for (int i = 0; i < period; i++) {
            values[i] = (float) ((2 * random.nextDouble() - 1) * range);
        }
        for (int i = period; i < values.length; i += period) {
            System.arraycopy(values, 0, values, i, Math.min(period, values.length - i));
        }
        return values;
    }

    /** The weights as gru4j holds them, for one layer of that variant: a copy. */
    public GruWeights weights(GruVariant variant) {
        GruWeights weights = new GruWeights(GruSpec.of(shape.I(), shape.H()).withVariant(variant));
        weights.set("weight_ih_l0", weightIh);
        weights.set("weight_hh_l0", weightHh);
        weights.set("bias_ih_l0", biasIh);
        weights.set("bias_hh_l0", biasHh);
        return weights;
    }

    /**
     * The same with gradients of the loss at the first steps of the given rows alone, 0 elsewhere: the gradients of
     * weights and biases are then those of so many steps of these rows, and a scalar reference can compute them.
     */
    public Problem withLossAt(int steps, int... rows) {
        float[] some = new float[dy.length];
        float[] last = new float[dhT.length];
        int H = shape.H();
        for (int b : rows) {
            for (int t = 0; t < steps; t++) {
                int at = (t * shape.B() + b) * H;
                System.arraycopy(dy, at, some, at, H);
            }
            if (steps == shape.T()) {
                System.arraycopy(dhT, b * H, last, b * H, H);
            }
        }
        return new Problem(shape, weightIh, weightHh, biasIh, biasHh, x, h0, some, last);
    }
}
