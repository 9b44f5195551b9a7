package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
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

    /**
     * The bound is the parity suite's: twice what rounding does to the reference, plus 4 ULP. What rounding
     * does is measured on runs whose first parameters differ by one ULP.
     */
    @ParameterizedTest
    @EnumSource(GruVariant.class)
    void theLossCurveIsTheReferences(GruVariant variant) throws IOException {
        isTheReferences(variant, ProductPrecision.FP32);
    }

    /** Of the reference in the same precision: operands that round otherwise part the curves, in both alike. */
    @ParameterizedTest
    @EnumSource(names = {"TF32", "TF32X3", "BF16", "FP16"})
    void theLossCurveOfAReducedPrecisionIsTheReferences(ProductPrecision precision) throws IOException {
        float[] found = isTheReferences(GruVariant.RESET_AFTER, precision);
        assertFalse(
                Arrays.equals(losses("cuda", GruVariant.RESET_AFTER, ProductPrecision.FP32, 0), found),
                () -> "the bits of fp32 in " + precision);
    }

    private static float[] isTheReferences(GruVariant variant, ProductPrecision precision) throws IOException {
        float[] expected = losses("reference", variant, precision, 0);
        float[] found = losses("cuda", variant, precision, 0);
        float worst = 0;
        for (int draw = 1; draw <= DRAWS; draw++) {
            float[] other = losses("reference", variant, precision, draw);
            for (int k = 0; k < STEPS; k++) {
                worst = Math.max(worst, Math.abs(other[k] - expected[k]));
            }
        }
        float bound = 2 * worst + 4 * Math.ulp(expected[0]);
        for (int k = 0; k < STEPS; k++) {
            float difference = Math.abs(found[k] - expected[k]);
            int step = k + 1;
            assertTrue(
                    difference <= bound,
                    () -> precision + ": loss of step " + step + ": expected " + expected[step - 1] + ", found "
                            + found[step - 1]
                            + ", difference " + difference + ", bound " + bound + ", seed " + SEED
                            + "; repeat: mvn -pl java/cuda -am test -Dtest=CudaTrainingTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false");
        }
        assertTrue(found[STEPS - 1] < 0.9f * found[0], () -> "it learns: " + found[0] + " to " + found[STEPS - 1]);
        assertArrayEquals(found, losses("cuda", variant, precision, 0), "the same bits in every run");
        return found;
    }

    /** The losses of a run: two layers, dropout between them, sequences of unequal length, Adam, clipping. */
    private static float[] losses(String name, GruVariant variant, ProductPrecision precision, int draw)
            throws IOException {
        GruSpec gru = new GruSpec(
                5, 9, 2, Directions.FORWARD, variant, BiasMode.BOTH, 0.2f);
        LanguageModelBatches batches = new LanguageModelBatches(sequences(), 0, 6, SEED);
        float[] losses = new float[STEPS];
        try (GruBackend backend = Backends.open(name, BackendOptions.DEFAULT.withPrecision(precision));
                LanguageModel model = new LanguageModel(
                        backend, new LanguageModelSpec(VOCABULARY, gru), batches.maxT(), batches.maxB())) {
            model.initialize(SEED);
            perturb(model, draw);
            Adam.Options options = Adam.Options.DEFAULT.withWeightDecay(0.01f);
            try (Adam adam = new Adam(backend, model.parameters(), options);
                    Trainer<?> trainer = new Trainer<>(
                            backend, model, batches, adam, Schedule.trapezoid(0.03f, 3, STEPS),
                            TrainingOptions.ofSteps(STEPS, SEED))) {
                trainer.listener(step -> losses[(int) step.step() - 1] = step.loss()).run();
            }
        }
        return losses;
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
