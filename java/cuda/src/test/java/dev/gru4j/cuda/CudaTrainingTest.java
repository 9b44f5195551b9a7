package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A training run on the cuda backend is the reference's, step by step. */
class CudaTrainingTest {
    private static final long SEED = 41;
    private static final int STEPS = 25;
    private static final int VOCABULARY = 7;

    /** As many as the parity suite draws. */
    private static final int DRAWS = 4;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    /** Losses of all steps, the number of skipped steps after each, and whether each changed the parameters. */
    private record Curve(List<Float> losses, List<Long> skipped, List<Boolean> changed) {}

    @ParameterizedTest
    @EnumSource(GruVariant.class)
    void theLossCurveIsTheReferences(GruVariant variant) throws IOException {
        Curve found = checkCurve(variant, ProductPrecision.FP32, null);
        assertEquals(0, found.skipped().getLast());
    }

    /** Of the reference in the same precision: operands that round otherwise part the curves, in both alike. */
    @ParameterizedTest
    @EnumSource(names = {"TF32", "TF32X3", "BF16", "FP16"})
    void theLossCurveOfAReducedPrecisionIsTheReferences(ProductPrecision precision) throws IOException {
        Curve found = checkCurve(GruVariant.RESET_AFTER, precision, null);
        Curve plain = curve("cuda", GruVariant.RESET_AFTER, ProductPrecision.FP32, null, 0);
        assertNotEquals(plain.losses(), found.losses(), () -> "the bits of fp32 in " + precision);
    }

    /** The first scale makes operands overflow; the steps that find a smaller one are skipped on both. */
    @ParameterizedTest
    @EnumSource(GruVariant.class)
    void theLossCurveInFp16IsTheReferencesAndOverflowedStepsChangeNothing(GruVariant variant) throws IOException {
        Curve found = checkCurve(variant, ProductPrecision.FP16, LossScaling.DYNAMIC.withInitial(0x1p24f));
        long skipped = 0;
        for (int k = 0; k < STEPS; k++) {
            boolean isSkipped = found.skipped().get(k) > skipped;
            assertEquals(!isSkipped, found.changed().get(k), "parameters changed by step " + (k + 1));
            skipped = found.skipped().get(k);
        }
        assertEquals(3, found.skipped().get(2), "the first three steps are skipped");
        assertTrue(skipped <= 12, skipped + " steps skipped on the way down from 2^24");
    }

    /**
     * The bound is the parity suite's: twice what rounding does to the reference, plus 4 ULP. What rounding
     * does is measured on runs whose first parameters differ by one ULP.
     */
    private static Curve checkCurve(GruVariant variant, ProductPrecision precision, @Nullable LossScaling scaling)
            throws IOException {
        Curve expected = curve("reference", variant, precision, scaling, 0);
        Curve found = curve("cuda", variant, precision, scaling, 0);
        assertEquals(expected.skipped(), found.skipped());
        float worst = 0;
        for (int draw = 1; draw <= DRAWS; draw++) {
            Curve other = curve("reference", variant, precision, scaling, draw);
            for (int k = 0; k < STEPS; k++) {
                worst = Math.max(worst, Math.abs(other.losses().get(k) - expected.losses().get(k)));
            }
        }
        float first = expected.losses().getFirst();
        float bound = 2 * worst + 4 * Math.ulp(first);
        for (int k = 0; k < STEPS; k++) {
            float difference = Math.abs(found.losses().get(k) - expected.losses().get(k));
            String what = precision + ": loss of step " + (k + 1) + ": expected " + expected.losses().get(k)
                    + ", found "
                    + found.losses().get(k) + ", difference " + difference + ", bound " + bound + ", seed " + SEED
                    + "; repeat: mvn -pl java/cuda -am test -Dtest=CudaTrainingTest"
                    + " -Dsurefire.failIfNoSpecifiedTests=false";
            assertTrue(difference <= bound, what);
        }
        float last = found.losses().getLast();
        assertTrue(last < 0.9f * first, () -> "it learns: " + first + " to " + last);
        assertEquals(found, curve("cuda", variant, precision, scaling, 0), "the same bits in every run");
        return found;
    }

    /** A run: two layers, dropout between them, sequences of unequal length, Adam, clipping. */
    private static Curve curve(
            String name, GruVariant variant, ProductPrecision precision, @Nullable LossScaling scaling, int draw)
            throws IOException {
        GruSpec gru = new GruSpec(
                5, 9, 2, Directions.FORWARD, variant, BiasMode.BOTH, 0.2f);
        LanguageModelBatches batches = new LanguageModelBatches(sequences(), 0, 6, SEED);
        Curve curve = new Curve(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        try (GruBackend backend = Backends.open(name, BackendOptions.DEFAULT.withPrecision(precision));
                LanguageModel model = new LanguageModel(
                        backend, new LanguageModelSpec(VOCABULARY, gru), batches.maxT(), batches.maxB())) {
            model.initialize(SEED);
            perturb(model, draw);
            Adam.Options options = Adam.Options.DEFAULT.withWeightDecay(0.01f);
            try (Adam adam = new Adam(backend, model.parameters(), options);
                    Trainer<?> trainer = new Trainer<>(
                            backend, model, batches, adam, Schedule.trapezoid(0.03f, 3, STEPS),
                            TrainingOptions.ofSteps(STEPS, SEED).withLossScaling(scaling))) {
                trainer.listener(step -> {
                    curve.losses().add(step.loss());
                    curve.skipped().add(step.skippedSteps());
                });
                // Asked between steps; a listener may hear of a step when the next one was given already.
                List<float[]> parameters = new ArrayList<>();
                trainer.run(() -> {
                    parameters.add(model.parameters().values().toArray());
                    return false;
                });
                parameters.add(model.parameters().values().toArray());
                for (int k = 0; k < STEPS; k++) {
                    curve.changed().add(!Arrays.equals(parameters.get(k), parameters.get(k + 1)));
                }
            }
        }
        return curve;
    }

    /** Changes every parameter by about one ULP; draw 0 changes none. */
    private static void perturb(LanguageModel model, int draw) {
        if (draw == 0) {
            return;
        }
        SplittableRandom random = new SplittableRandom(draw);
        float[] values = model.parameters().values().toArray();
        for (int k = 0; k < values.length; k++) {
            values[k] *= random.nextBoolean() ? 1 + 0x1p-23f : 1 - 0x1p-24f;
        }
        model.parameters().values().upload(values);
        model.parametersChanged();
    }

    private static List<int[]> sequences() {
        SplittableRandom random = new SplittableRandom(SEED);
        List<int[]> sequences = new ArrayList<>();
        for (int k = 0; k < 31; k++) {
            int[] sequence = new int[1 + random.nextInt(9)];
            int start = random.nextInt(VOCABULARY - 1);
            for (int i = 0; i < sequence.length; i++) {
                sequence[i] = 1 + (start + 2 * i) % (VOCABULARY - 1);
            }
            sequences.add(sequence);
        }
        return sequences;
    }
}
