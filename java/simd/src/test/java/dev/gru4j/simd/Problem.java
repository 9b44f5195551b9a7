package dev.gru4j.simd;

import dev.gru4j.GruParameters;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One seeded problem: a specification, a shape, all inputs, and how to solve it with a backend or the reference. */
final class Problem {
    private static final long DROPOUT_SEED = 7;
    private static final long DROPOUT_ITERATION = 3;

    final GruSpec spec;
    final GruShape shape;
    final int @Nullable [] lengths;
    final float[] parameters;
    final float[] x;
    final float[] h0;
    final float[] dy;
    final float[] dhT;

    Problem(GruSpec spec, GruShape shape, int @Nullable [] lengths, long seed) {
        this.spec = spec;
        this.shape = shape;
        this.lengths = lengths;
        Random random = new Random(seed);
        int states = spec.states() * shape.B() * spec.hiddenSize();
        this.parameters = normal(random, (int) GruParameters.of(spec).length(), 0.3);
        this.x = normal(random, shape.T() * shape.B() * spec.inputSize(), 1);
        this.h0 = normal(random, states, 0.5);
        this.dy = normal(random, shape.T() * shape.B() * spec.outputSize(), 1);
        this.dhT = normal(random, states, 1);
    }

    /** Lengths that fall and rise, with 0 and T among them. */
    static int[] mixedLengths(int T, int B) {
        int[] lengths = new int[B];
        for (int b = 0; b < B; b++) {
            lengths[b] = b % 4 == 1 ? 0 : b % 4 == 2 ? T : (b * 5 + 1) % (T + 1);
        }
        return lengths;
    }

    private static float[] normal(Random random, int n, double deviation) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** Fills the padded positions of x and dy. */
    Problem withPadding(float value) {
        for (int t = 0; t < shape.T(); t++) {
            for (int b = 0; b < shape.B(); b++) {
                if (lengths != null && t >= lengths[b]) {
                    int row = t * shape.B() + b;
                    java.util.Arrays.fill(x, row * spec.inputSize(), (row + 1) * spec.inputSize(), value);
                    java.util.Arrays.fill(dy, row * spec.outputSize(), (row + 1) * spec.outputSize(), value);
                }
            }
        }
        return this;
    }

    /** All results of a training forward and backward, by name; NaN was in every output before. */
    Map<String, float[]> solve(GruBackend backend) {
        try (GruPlan plan = backend.plan(spec, shape.T(), shape.B(), GruPlan.Mode.TRAINING)) {
            GruCall call = new GruCall().shape(shape.T(), shape.B()).x(filled(x)).h0(filled(h0)).lengths(lengths);
            call.dropout(DROPOUT_SEED, DROPOUT_ITERATION).dy(filled(dy)).dhT(filled(dhT));
            call.workspace(poisoned(plan.workspaceLength())).reserve(poisoned(plan.reserveLength()));
            FloatMemory y = poisoned(dy.length);
            FloatMemory hT = poisoned(h0.length);
            FloatMemory dx = poisoned(x.length);
            FloatMemory dh0 = poisoned(h0.length);
            FloatMemory dParameters = poisoned(parameters.length);
            call.y(y).hT(hT).dx(dx).dh0(dh0).dParameters(dParameters);
            plan.loadParameters(filled(parameters));
            plan.forward(call);
            Map<String, float[]> results = new LinkedHashMap<>();
            for (int layer = 0; layer < spec.layers(); layer++) {
                for (int d = 0; d < spec.directions().count(); d++) {
                    results.put("reserve l" + layer + " d" + d, plan.exportReserve(call, layer, d));
                }
            }
            call.workspace(poisoned(plan.workspaceLength()));
            plan.backward(call);
            results.put("y", y.toArray());
            results.put("hT", hT.toArray());
            results.put("dx", dx.toArray());
            results.put("dh0", dh0.toArray());
            results.put("dParameters", dParameters.toArray());
            return results;
        }
    }

    /** y and hT of an inference plan. */
    Map<String, float[]> infer(GruBackend backend) {
        try (GruPlan plan = backend.plan(spec, shape.T(), shape.B(), GruPlan.Mode.INFERENCE)) {
            GruCall call = new GruCall().shape(shape.T(), shape.B()).x(filled(x)).h0(filled(h0)).lengths(lengths);
            call.workspace(poisoned(plan.workspaceLength()));
            FloatMemory y = poisoned(dy.length);
            FloatMemory hT = poisoned(h0.length);
            plan.loadParameters(filled(parameters));
            plan.forward(call.y(y).hT(hT));
            Map<String, float[]> results = new LinkedHashMap<>();
            results.put("y", y.toArray());
            results.put("hT", hT.toArray());
            return results;
        }
    }

    /** The same, by the reference in double or float. */
    Map<String, double[]> solve(Precision precision) {
        ReferenceNetwork network = new ReferenceNetwork(spec, precision, doubles(parameters));
        ReferenceNetwork.Forward forward = network.forward(
                shape.T(), shape.B(), doubles(x), doubles(h0), lengths,
                new ReferenceNetwork.Dropout(DROPOUT_SEED, DROPOUT_ITERATION));
        ReferenceNetwork.Gradients gradients = network.backward(forward, doubles(dy), doubles(dhT));
        Map<String, double[]> results = new LinkedHashMap<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                results.put("reserve l" + layer + " d" + d, forward.reserve(layer, d));
            }
        }
        results.put("y", forward.y());
        results.put("hT", forward.hT());
        results.put("dx", gradients.dx());
        results.put("dh0", gradients.dh0());
        results.put("dParameters", gradients.dParameters());
        return results;
    }

    static FloatMemory filled(float... values) {
        FloatMemory memory = HostFloatMemory.allocate(values.length);
        memory.upload(values);
        return memory;
    }

    /** Memory of NaN: whatever reads it without having written it shows. */
    static FloatMemory poisoned(long length) {
        FloatMemory memory = HostFloatMemory.allocate(length);
        memory.fill(Float.NaN);
        return memory;
    }

    private static double[] doubles(float... values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    @Override
    public String toString() {
        return spec + " " + shape + (lengths == null ? "" : " lengths " + java.util.Arrays.toString(lengths));
    }
}
