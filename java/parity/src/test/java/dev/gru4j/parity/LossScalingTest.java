package dev.gru4j.parity;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.TrainingKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Loss scaling on every backend. Scales are powers of two, so a scaled step must give the very bits of a plain one,
 * which {@link KernelParityTest} holds to their formulas; and a skipped step must leave the bits it found.
 */
@ExtendWith(ClosingTable.class)
final class LossScalingTest {
    /** One; one more than a block of the cuda kernels; more than one thread of the simd backend takes. */
    private static final int[] SIZES = {1, 257, 33_003};

    private static final float SCALE = 0x1p10f;
    private static final LossScaling OPTIONS = new LossScaling(SCALE, 1, 0x1p24f, 3);

    static List<Subject> subjects() {
        return Subject.all();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void theGradientOfALossIsScaledAndTheLossIsNot(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            int n = 13;
            int classes = 37;
            try (Floats floats = new Floats(subject);
                    IntMemory targets = floats.backend.allocateInts(n)) {
                targets.upload(0, new int[] {3, 0, TrainingKernels.NONE, 36}, 0, 4);
                FloatMemory state = floats.of(OPTIONS.initialState());
                FloatMemory logits = floats.of(normals(1, n * classes));
                FloatMemory target = floats.of(normals(2, n * classes));
                for (FloatMemory scale : new FloatMemory[] {state, state.slice(0, 1)}) {
                    FloatMemory plain = floats.of(new float[n * classes]);
                    FloatMemory scaled = floats.of(new float[n * classes]);
                    FloatMemory loss = floats.of(0, 0);
                    TrainingKernels kernels = floats.kernels;
                    kernels.softmaxCrossEntropy(logits, targets, n, classes, 0.37f, loss.slice(0, 1), plain);
                    kernels.softmaxCrossEntropy(
                            logits, targets, n, classes, 0.37f, loss.slice(1, 1), scaled, scale);
                    floats.assertSame("dLogits", times(plain, SCALE), scaled.toArray());
                    floats.assertSame("loss", loss.slice(0, 1).toArray(), loss.slice(1, 1).toArray());
                    kernels.squaredError(logits, target, null, n, classes, 0.37f, loss.slice(0, 1), plain);
                    kernels.squaredError(
                            logits, target, null, n, classes, 0.37f, loss.slice(1, 1), scaled, scale);
                    floats.assertSame("dPrediction", times(plain, SCALE), scaled.toArray());
                    floats.assertSame("loss", loss.slice(0, 1).toArray(), loss.slice(1, 1).toArray());
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void theNormComesWithoutTheScaleWhichDoublesInTime(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (int n : SIZES) {
                try (Floats floats = new Floats(subject)) {
                    FloatMemory plain = floats.of(normals(n, n));
                    FloatMemory scaled = floats.of(times(plain, SCALE));
                    FloatMemory norm = floats.of(0);
                    FloatMemory state = floats.of(OPTIONS.initialState());
                    floats.kernels.squaredNorm(plain, n, norm);
                    float expected = norm.toArray()[0];
                    for (int step = 1; step <= 3; step++) {
                        floats.kernels.updateLossScale(scaled, n, OPTIONS, state, norm);
                        floats.assertSame("squaredNorm", new float[] {expected}, norm.toArray());
                        floats.assertSame(
                                "state after step " + step,
                                step == 3
                                        ? new float[] {2 * SCALE, 0, 0, 1 / SCALE}
                                        : new float[] {SCALE, step, 0, 1 / SCALE},
                                state.toArray());
                    }
                    state.upload(0x1p24f, 2, 0, 0);
                    floats.kernels.updateLossScale(scaled, n, OPTIONS, state, norm);
                    floats.assertSame(
                            "state at the largest scale", new float[] {0x1p24f, 0, 0, 0x1p-24f}, state.toArray());
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void anyElementThatIsNotFiniteSkipsTheStep(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (int n : SIZES) {
                for (float bad : new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN}) {
                    try (Floats floats = new Floats(subject)) {
                        float[] values = normals(n, n);
                        values[n - 1 - n / 3] = bad;
                        FloatMemory gradient = floats.of(values);
                        FloatMemory norm = floats.of(0);
                        FloatMemory state = floats.of(4, 2, 8, 0.25f);
                        for (float[] expected : new float[][] {{2, 0, 9, 0}, {1, 0, 10, 0}, {1, 0, 11, 0}}) {
                            floats.kernels.updateLossScale(gradient, n, OPTIONS, state, norm);
                            floats.assertSame("state", expected, state.toArray());
                            floats.assertSame("squaredNorm", new float[] {Float.NaN}, norm.toArray());
                        }
                        floats.assertSame("gradient", values, gradient.toArray());
                    }
                }
            }
        });
    }

    /** Its squares reach 2^254 and their sum more, which no float can hold; 2^−100 of it can. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void aGradientOfFiniteNumbersNeverOverflows(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            try (Floats floats = new Floats(subject)) {
                float[] values = new float[300];
                Arrays.fill(values, 0x1p127f);
                FloatMemory state = floats.of(0x1p100f, 0, 0, 0);
                FloatMemory norm = floats.of(0);
                floats.kernels.updateLossScale(
                        floats.of(values), values.length, new LossScaling(0x1p100f, 1, 0x1p100f, 9), state, norm);
                floats.assertSame("state", new float[] {0x1p100f, 1, 0, 0x1p-100f}, state.toArray());
                floats.assertSame("squaredNorm", new float[] {300 * 0x1p54f}, norm.toArray());
            }
        });
    }

    /** Clipped or not, by the norm without the scale; then three optimizers, the tenth step with three skipped before. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void aScaledStepChangesTheParametersAsAPlainOneDoes(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (int n : SIZES) {
                for (float maxNorm : new float[] {0.25f, 1e6f}) {
                    try (Floats floats = new Floats(subject)) {
                        FloatMemory plain = floats.of(normals(n, n));
                        FloatMemory scaled = floats.of(times(plain, SCALE));
                        FloatMemory norm = floats.of(0);
                        FloatMemory state = floats.of(SCALE, 0, 3, 0);
                        floats.kernels.updateLossScale(scaled, n, OPTIONS, state, norm);
                        floats.kernels.clipByNorm(scaled, n, norm, maxNorm);
                        floats.kernels.clipByNorm(plain, n, norm, maxNorm);
                        floats.assertSame("clipped gradient", times(plain, SCALE), scaled.toArray());
                        Step expected = new Step(floats, n).run(plain, 7, null);
                        Step found = new Step(floats, n).run(scaled, 10, state);
                        found.assertSame(expected);
                    }
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void aSkippedStepChangesNoBit(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (int n : SIZES) {
                try (Floats floats = new Floats(subject)) {
                    float[] values = normals(n, n);
                    values[n / 2] = Float.NaN;
                    FloatMemory gradient = floats.of(values);
                    FloatMemory norm = floats.of(0);
                    FloatMemory state = floats.of(OPTIONS.initialState());
                    floats.kernels.updateLossScale(gradient, n, OPTIONS, state, norm);
                    floats.kernels.clipByNorm(gradient, n, norm, 0.25f);
                    Step found = new Step(floats, n).run(gradient, 1, state);
                    found.assertSame(new Step(floats, n));
                }
            }
        });
    }

    /** What the three ways to change parameters begin with, and what they leave. */
    private static final class Step {
        private final Floats floats;
        private final int n;
        private final Map<String, FloatMemory> memories;

        Step(Floats floats, int n) {
            this.floats = floats;
            this.n = n;
            float[] second = normals(n + 6, n);
            for (int k = 0; k < n; k++) {
                second[k] *= second[k];
            }
            this.memories = Map.of(
                    "sgd parameters", floats.of(normals(n + 1, n)),
                    "momentum parameters", floats.of(normals(n + 2, n)),
                    "velocity", floats.of(normals(n + 3, n)),
                    "adam parameters", floats.of(normals(n + 4, n)),
                    "m", floats.of(normals(n + 5, n)),
                    "v", floats.of(second));
        }

        private FloatMemory get(String name) {
            return Objects.requireNonNull(memories.get(name), name);
        }

        Step run(FloatMemory gradient, long step, @Nullable FloatMemory state) {
            TrainingKernels kernels = floats.kernels;
            kernels.sgd(get("sgd parameters"), gradient, null, n, 0.05f, 0.9f, state);
            kernels.sgd(get("momentum parameters"), gradient, get("velocity"), n, 0.05f, 0.9f, state);
            TrainingKernels.Adam adam = new TrainingKernels.Adam(0.003f, 0.8f, 0.99f, 1e-6f, 0.1f, step);
            kernels.adam(get("adam parameters"), gradient, get("m"), get("v"), n, adam, state);
            return this;
        }

        void assertSame(Step expected) {
            memories.forEach((name, memory) -> floats.assertSame(name, expected.get(name).toArray(), memory.toArray()));
        }
    }

    /** Memories of one test on one subject. */
    private static final class Floats implements AutoCloseable {
        private final Subject subject;
        private final GruBackend backend;
        private final TrainingKernels kernels;
        private final List<FloatMemory> held = new ArrayList<>();

        Floats(Subject subject) {
            this.subject = subject;
            this.backend = subject.backend();
            this.kernels = backend.trainingKernels();
        }

        FloatMemory of(float... values) {
            FloatMemory memory = backend.allocate(values.length);
            held.add(memory);
            memory.upload(values);
            return memory;
        }

        void assertSame(String tensor, float[] expected, float[] found) {
            Bits.assertSame(
                    subject + " (repeat: mvn -pl java/parity -am test -Dtest=LossScalingTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false)",
                    List.of(Tensor.vector(tensor, "k", expected.length)),
                    Map.of(tensor, GruReference.doubles(expected, expected.length)),
                    Map.of(tensor, GruReference.doubles(found, found.length)));
        }

        @Override
        public void close() {
            held.forEach(FloatMemory::close);
        }
    }

    private static float[] times(FloatMemory memory, float factor) {
        float[] values = memory.toArray();
        for (int k = 0; k < values.length; k++) {
            values[k] *= factor;
        }
        return values;
    }

    private static float[] normals(long seed, int n) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[n];
        for (int k = 0; k < n; k++) {
            values[k] = (float) random.nextGaussian();
        }
        return values;
    }
}
