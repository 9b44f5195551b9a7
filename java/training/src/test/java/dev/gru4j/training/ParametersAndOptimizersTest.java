package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ParametersAndOptimizersTest {
    /** Both sides round a value near 1 a handful of times. */
    private static final double BOUND = 8 * 0x1p-24;

    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    @Test
    void tensorsLieOneBehindTheOtherUnderTheirNames() {
        ParameterSet.Layout layout = new ParameterSet.Layout()
                .weight("embedding.weight", 1, 7, 2)
                .gru("gru.", GruSpec.of(2, 3))
                .bias("head.bias", 0, 7);
        try (ParameterSet parameters = new ParameterSet(backend, layout)) {
            assertEquals(
                    List.of(
                            "embedding.weight",
                            "gru.weight_ih_l0",
                            "gru.weight_hh_l0",
                            "gru.bias_ih_l0",
                            "gru.bias_hh_l0",
                            "head.bias"),
                    parameters.tensors().stream().map(ParameterSet.Tensor::name).toList());
            long offset = 0;
            for (ParameterSet.Tensor tensor : parameters.tensors()) {
                assertEquals(offset, tensor.offset(), tensor.name());
                offset += tensor.length();
            }
            assertEquals(offset, parameters.length());
            assertEquals(List.of(9, 3), parameters.tensor("gru.weight_hh_l0").shape());
            parameters.value("head.bias").fill(5);
            assertEquals(5, parameters.values().toArray()[(int) parameters.length() - 1]);
        }
    }

    @Test
    void initialValuesAreAFunctionOfTheSeedWithinTheirBounds() {
        ParameterSet.Layout layout =
                new ParameterSet.Layout().weight("a", 0.5f, 300, 301).weight("b", 2, 50).bias("c", 0, 3);
        try (ParameterSet one = new ParameterSet(backend, layout);
                ParameterSet two = new ParameterSet(backend, layout)) {
            one.initialize(1);
            two.initialize(1);
            assertArrayEquals(one.values().toArray(), two.values().toArray());
            two.initialize(2);
            assertFalse(Arrays.equals(one.values().toArray(), two.values().toArray()), "the seed does not count");
            float[] a = one.value("a").toArray();
            double sum = 0;
            double squares = 0;
            for (float v : a) {
                assertTrue(v >= -0.5f && v < 0.5f, "a has " + v);
                sum += v;
                squares += (double) v * v;
            }
            // Uniform: mean 0 ± 0.29/√n, variance 1/12; five standard deviations.
            assertEquals(0, sum / a.length, 5 * 0.29 / Math.sqrt(a.length));
            assertEquals(1.0 / 12, squares / a.length, 5 * 0.075 / Math.sqrt(a.length));
            assertArrayEquals(new float[3], one.value("c").toArray());
            assertFalse(one.value("b").toArray()[0] == 4 * a[0], "all tensors start with the same numbers");
        }
    }

    @Test
    void shouldRejectTwoParametersOfOneName() {
        ParameterSet.Layout layout = new ParameterSet.Layout().bias("x", 0, 3);
        assertThrows(IllegalArgumentException.class, () -> layout.bias("x", 0, 3));
        assertThrows(IllegalArgumentException.class, () -> layout.weight("y", 1, 3, 0));
        assertThrows(IllegalArgumentException.class, () -> layout.weight("y", Float.NaN, 3));
    }

    @Test
    void adamFollowsItsPaperAndDecaysWeightsOnly() {
        ParameterSet.Layout layout = new ParameterSet.Layout().weight("w", 1, 2).bias("b", 1, 2);
        Adam.Options options = new Adam.Options(0.9f, 0.99f, 1e-6f, 0.1f);
        try (ParameterSet parameters = new ParameterSet(backend, layout);
                Adam adam = new Adam(backend, parameters, options)) {
            double[] p = {1, -2, 0.5, 3};
            parameters.values().upload(1f, -2f, 0.5f, 3f);
            double[] m = new double[4];
            double[] v = new double[4];
            for (int step = 0; step < 5; step++) {
                float[] gradient = {0.3f, -1f + step, 0.01f, -step};
                parameters.gradients().upload(gradient);
                float rate = 0.1f / (step + 1);
                adam.update(backend.trainingKernels(), parameters, rate, step);
                for (int i = 0; i < 4; i++) {
                    double decay = i < 2 ? 0.1f : 0;
                    m[i] = 0.9f * m[i] + (1 - 0.9f) * gradient[i];
                    v[i] = 0.99f * v[i] + (1 - 0.99f) * (double) gradient[i] * gradient[i];
                    double mHat = m[i] / (1 - Math.pow(0.9f, step + 1));
                    double vHat = v[i] / (1 - Math.pow(0.99f, step + 1));
                    p[i] = p[i] * (1 - rate * decay) - rate * mHat / (Math.sqrt(vHat) + 1e-6f);
                }
            }
            float[] found = parameters.values().toArray();
            for (int i = 0; i < 4; i++) {
                assertEquals(p[i], found[i], 20 * BOUND * Math.abs(p[i]), "parameter " + i);
            }
        }
    }

    @Test
    void sgdWithMomentumFollowsItsFormula() {
        ParameterSet.Layout layout = new ParameterSet.Layout().weight("w", 1, 2);
        try (ParameterSet parameters = new ParameterSet(backend, layout);
                Sgd sgd = new Sgd(backend, parameters, 0.5f)) {
            parameters.values().upload(1f, 2f);
            parameters.gradients().upload(1f, -4f);
            sgd.update(backend.trainingKernels(), parameters, 0.25f, 0);
            assertArrayEquals(new float[] {0.75f, 3f}, parameters.values().toArray());
            sgd.update(backend.trainingKernels(), parameters, 0.25f, 1);
            assertArrayEquals(new float[] {0.375f, 4.5f}, parameters.values().toArray());
            assertEquals(1, sgd.state().size());
        }
    }

    @Test
    void bothOptimizersDescendAParabola() {
        ParameterSet.Layout layout = new ParameterSet.Layout().weight("w", 1, 3);
        try (ParameterSet parameters = new ParameterSet(backend, layout);
                Sgd sgd = new Sgd(backend, parameters, 0);
                Adam adam = new Adam(backend, parameters, Adam.Options.DEFAULT)) {
            for (Optimizer optimizer : List.of(sgd, adam)) {
                parameters.values().upload(1f, -2f, 0.5f);
                for (int step = 0; step < 300; step++) {
                    parameters.gradients().upload(parameters.values().toArray()); // of |p|²/2
                    optimizer.update(backend.trainingKernels(), parameters, 0.05f, step);
                }
                for (float p : parameters.values().toArray()) {
                    assertEquals(0, p, 0.01, optimizer.configuration().toString());
                }
            }
        }
    }

    @Test
    void shouldRejectHyperparametersOutsideTheirRange() {
        try (ParameterSet parameters = new ParameterSet(backend, new ParameterSet.Layout().weight("w", 1, 1))) {
            assertThrows(IllegalArgumentException.class, () -> new Sgd(backend, parameters, 1));
        }
        assertThrows(IllegalArgumentException.class, () -> new Adam.Options(1, 0.9f, 1e-8f, 0));
        assertThrows(IllegalArgumentException.class, () -> new Adam.Options(0.9f, -0.1f, 1e-8f, 0));
        assertThrows(IllegalArgumentException.class, () -> new Adam.Options(0.9f, 0.9f, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Adam.Options(0.9f, 0.9f, 1e-8f, Float.NaN));
    }
}
