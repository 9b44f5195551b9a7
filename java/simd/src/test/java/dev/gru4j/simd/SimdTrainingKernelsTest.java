package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The training kernels against the reference's, which sum in double, and against themselves on more threads. */
final class SimdTrainingKernelsTest {
    /** One kernel on seeded inputs; returns what it wrote. */
    private interface Work {
        List<float[]> run(GruBackend backend, TrainingKernels kernels, Random random);
    }

    private static void check(String name, double relative, Work work) {
        List<float[]> expected;
        try (GruBackend reference = Backends.open("reference", BackendOptions.DEFAULT)) {
            expected = work.run(reference, reference.trainingKernels(), new Random(1));
        }
        for (int bits : Widths.available()) {
            List<float[]> alone = run(work, bits, 1);
            for (int i = 0; i < expected.size(); i++) {
                compare("simd/" + bits + " " + name + " output " + i, expected.get(i), alone.get(i), relative);
            }
            for (int threads : new int[] {2, 3, 8}) {
                List<float[]> shared = run(work, bits, threads);
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(
                            alone.get(i), shared.get(i), "simd/" + bits + " threads " + threads + " " + name + " " + i);
                }
            }
        }
    }

    private static List<float[]> run(Work work, int bits, int threads) {
        try (GruBackend backend = SimdBackend.open(new BackendOptions(threads, bits))) {
            return work.run(backend, backend.trainingKernels(), new Random(1));
        }
    }

    private static void compare(String what, float[] expected, float[] found, double relative) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertEquals(expected.length, found.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[i], relative * largest, what + " [" + i + "]");
        }
    }

    private static FloatMemory normal(Random random, int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Problem.filled(values);
    }

    private static IntMemory ids(GruBackend backend, Random random, int n, int range) {
        IntMemory memory = backend.allocateInts(n);
        int[] values = new int[n];
        for (int i = 0; i < n; i++) {
            values[i] = random.nextInt(range + 1) - 1;
        }
        memory.upload(0, values, 0, n);
        return memory;
    }

    @Test
    void denseLayersAgree() {
        int[][] shapes = {{1, 1, 1}, {7, 5, 3}, {300, 37, 41}, {530, 70, 19}, {70, 130, 600}};
        for (int[] s : shapes) {
            for (boolean accumulate : new boolean[] {false, true}) {
                // Sums of up to 600 products of normal numbers: 1e-6 of the largest result is about 16 ULP.
                check("dense " + s[0] + "x" + s[1] + "x" + s[2], 1e-6, (backend, kernels, random) -> {
                    int n = s[0];
                    int in = s[1];
                    int out = s[2];
                    FloatMemory x = normal(random, n * in);
                    FloatMemory weight = normal(random, out * in);
                    FloatMemory bias = normal(random, out);
                    FloatMemory dy = normal(random, n * out);
                    FloatMemory y = Problem.poisoned((long) n * out);
                    FloatMemory dx = Problem.poisoned((long) n * in);
                    FloatMemory dWeight = normal(random, out * in);
                    FloatMemory dBias = normal(random, out);
                    kernels.denseForward(x, weight, bias, n, in, out, y);
                    kernels.denseBackward(x, weight, dy, n, in, out, dx, dWeight, dBias, accumulate);
                    return List.of(y.toArray(), dx.toArray(), dWeight.toArray(), dBias.toArray());
                });
            }
        }
    }

    @Test
    void embeddingsAgreeToTheBit() {
        check("embedding", 0, (backend, kernels, random) -> {
            int n = 900;
            int rows = 31;
            int width = 45;
            IntMemory ids = ids(backend, random, n, rows);
            FloatMemory table = normal(random, rows * width);
            FloatMemory out = Problem.poisoned((long) n * width);
            FloatMemory dTable = normal(random, rows * width);
            kernels.embeddingForward(ids, table, n, rows, width, out);
            kernels.embeddingBackward(ids, out, n, rows, width, dTable, true);
            FloatMemory fresh = Problem.poisoned((long) rows * width);
            kernels.embeddingBackward(ids, out, n, rows, width, fresh, false);
            return List.of(out.toArray(), dTable.toArray(), fresh.toArray());
        });
    }

    @Test
    void softmaxCrossEntropyAgrees() {
        for (int classes : new int[] {1, 3, 16, 77}) {
            check("softmax of " + classes, 4e-7, (backend, kernels, random) -> {
                int n = 700;
                FloatMemory logits = normal(random, n * classes);
                logits.upload(0, new float[] {200f}, 0, 1);
                IntMemory targets = ids(backend, random, n, classes);
                FloatMemory loss = Problem.poisoned(1);
                FloatMemory dLogits = Problem.poisoned((long) n * classes);
                kernels.softmaxCrossEntropy(logits, targets, n, classes, 1f / n, loss, dLogits);
                // In place, as training calls it.
                kernels.softmaxCrossEntropy(logits, targets, n, classes, 1f / n, loss, logits);
                assertArrayEquals(dLogits.toArray(), logits.toArray());
                return List.of(loss.toArray(), dLogits.toArray());
            });
        }
    }

    @Test
    void squaredErrorAgreesAndDoesNotReadRowsOfWeightZero() {
        check("squared error", 2e-7, (backend, kernels, random) -> {
            int n = 5000;
            int width = 9;
            FloatMemory prediction = normal(random, n * width);
            FloatMemory target = normal(random, n * width);
            float[] weights = new float[n];
            for (int k = 0; k < n; k++) {
                weights[k] = k % 3;
            }
            target.upload(0, new float[] {Float.NaN}, 0, 1);
            FloatMemory loss = Problem.poisoned(1);
            FloatMemory d = Problem.poisoned((long) n * width);
            kernels.squaredError(prediction, target, Problem.filled(weights), n, width, 0.01f, loss, d);
            return List.of(loss.toArray(), d.toArray());
        });
    }

    @Test
    void normsAndOptimizersAgree() {
        check("norm, clip, SGD, Adam", 3e-7, (backend, kernels, random) -> {
            int n = 100_003;
            FloatMemory gradient = normal(random, n);
            FloatMemory norm = Problem.poisoned(1);
            kernels.squaredNorm(gradient, n, norm);
            kernels.clipByNorm(gradient, n, norm, 5f);
            List<float[]> results = new ArrayList<>();
            results.add(norm.toArray());
            results.add(gradient.toArray());
            FloatMemory parameters = normal(random, n);
            FloatMemory velocity = normal(random, n);
            kernels.sgd(parameters, gradient, null, n, 0.1f, 0f);
            kernels.sgd(parameters, gradient, velocity, n, 0.1f, 0.9f);
            FloatMemory m = Problem.filled(new float[n]);
            FloatMemory v = Problem.filled(new float[n]);
            for (int step = 1; step <= 3; step++) {
                kernels.adam(
                        parameters, gradient, m, v, n,
                        new TrainingKernels.Adam(1e-2f, 0.9f, 0.999f, 1e-8f, 0.01f, step));
            }
            results.addAll(List.of(parameters.toArray(), velocity.toArray(), m.toArray(), v.toArray()));
            return results;
        });
    }

    @Test
    void anIdOutOfRangeIsNamedWithItsPlace() {
        try (GruBackend backend = SimdBackend.open(new BackendOptions(1, 0))) {
            IntMemory ids = backend.allocateInts(3);
            ids.upload(0, new int[] {0, -1, 4}, 0, 3);
            FloatMemory table = Problem.filled(new float[8]);
            FloatMemory out = Problem.filled(new float[6]);
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> backend.trainingKernels().embeddingForward(ids, table, 3, 4, 2, out));
            assertEquals("ids[2] is 4; 0 to 3, or -1 for none, expected", e.getMessage());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> backend.trainingKernels().softmaxCrossEntropy(table, ids, 3, 2, 1f, out, null));
        }
    }
}
