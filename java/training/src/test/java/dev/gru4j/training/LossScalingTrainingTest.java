package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.SeriesBatch;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.model.Forecaster;
import dev.gru4j.training.model.ForecasterSpec;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Training with a scaled loss; mostly with products in fp32, so that it overflows where a test plants that. */
@Timeout(120)
final class LossScalingTrainingTest {
    private static final int STEPS = 14;
    private static final LossScaling SCALING = new LossScaling(0x1p10f, 1, 0x1p24f, 4);

    /** The first step, one alone and two in a row. */
    private static final Set<Long> OVERFLOWS = Set.of(0L, 5L, 9L, 10L);

    @TempDir
    Path folder;

    /** A model of whose gradient one element overflows in some steps. */
    private record Overflowing(TrainableModel<TokenBatch> model, LongPredicate overflows)
            implements TrainableModel<TokenBatch> {
        @Override
        public void lossAndGradient(
                TokenBatch batch, long step, long seed, FloatMemory loss, @Nullable FloatMemory lossScale) {
            model.lossAndGradient(batch, step, seed, loss, lossScale);
            if (overflows.test(step)) {
                long at = 7 * step % parameters().length();
                parameters().gradients().slice(at, 1).fill(step % 2 == 0 ? Float.POSITIVE_INFINITY : Float.NaN);
            }
        }

        @Override
        public ParameterSet parameters() {
            return model.parameters();
        }

        @Override
        public FloatMemory loss() {
            return model.loss();
        }

        @Override
        public void parametersChanged() {
            model.parametersChanged();
        }

        @Override
        public long flops(TokenBatch batch) {
            return model.flops(batch);
        }

        @Override
        public Map<String, FloatMemory> carriedState() {
            return model.carriedState();
        }

        @Override
        public Map<String, String> configuration() {
            return model.configuration();
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private static TrainingOptions options() {
        return TrainingOptions.ofSteps(STEPS, TestRuns.SEED).withLossScaling(SCALING);
    }

    private static TestRuns.Run run(TrainingOptions options, LongPredicate overflows) {
        return new TestRuns.Run(TestRuns.stream(), options, model -> new Overflowing(model, overflows));
    }

    /** Powers of two round nothing; and so clipping, norm, moments and parameters are those of the plain loss. */
    @Test
    void scaledTrainingIsPlainTrainingBitForBit() throws IOException {
        for (BatchSource<TokenBatch> source : List.of(TestRuns.sequences(), TestRuns.stream())) {
            List<TrainingListener.Step> plainSteps = new ArrayList<>();
            List<TrainingListener.Step> steps = new ArrayList<>();
            try (TestRuns.Run plain = new TestRuns.Run(source, options().withLossScaling(null));
                    TestRuns.Run scaled = new TestRuns.Run(source, options())) {
                plain.trainer.listener(plainSteps::add).run();
                scaled.trainer.listener(steps::add).run();
                assertNull(TestRuns.difference(plain.everything(), scaled.everything()));
            }
            for (int k = 0; k < STEPS; k++) {
                assertEquals(plainSteps.get(k).loss(), steps.get(k).loss());
                assertEquals(plainSteps.get(k).gradientNorm(), steps.get(k).gradientNorm());
                assertEquals(1, plainSteps.get(k).lossScale());
                assertEquals(0x1p10f * (1 << (k / 4)), steps.get(k).lossScale(), "scale of step " + (k + 1));
                assertEquals(0, steps.get(k).skippedSteps());
            }
        }
    }

    @Test
    void anOverflowedStepChangesNothingAndIsCounted() throws IOException {
        List<TrainingListener.Step> steps = new ArrayList<>();
        List<Map<String, float[]>> after = new ArrayList<>();
        TrainingSummary summary;
        try (TestRuns.Run run = run(options(), OVERFLOWS::contains)) {
            after.add(run.everything());
            run.trainer.listener(step -> {
                steps.add(step);
                after.add(run.everything());
            });
            summary = run.trainer.run();
        }
        assertEquals(STEPS, summary.steps());
        assertEquals(OVERFLOWS.size(), summary.skippedSteps());
        int skipped = 0;
        for (int k = 0; k < STEPS; k++) {
            boolean overflowed = OVERFLOWS.contains((long) k);
            skipped += overflowed ? 1 : 0;
            TrainingListener.Step step = steps.get(k);
            String what = "step " + (k + 1);
            assertEquals(skipped, step.skippedSteps(), what);
            assertEquals(overflowed, Double.isNaN(step.gradientNorm()), what);
            assertTrue(Float.isFinite(step.loss()), what);
            // The forward pass was right, so the hidden state goes on in either case.
            Map<String, float[]> before = after.get(k);
            Map<String, float[]> now = after.get(k + 1);
            for (String name : before.keySet()) {
                String difference = TestRuns.difference(
                        Map.of(name, before.getOrDefault(name, new float[0])),
                        Map.of(name, now.getOrDefault(name, new float[0])));
                boolean changes = name.equals("hidden") || !overflowed;
                assertEquals(changes, difference != null, what + ", " + name + ": " + difference);
            }
        }
        // Halved by the overflows of steps 1, 6, 10 and 11; doubled behind the four steps 2 to 5.
        List<Float> scales = steps.stream().map(step -> step.lossScale() / 0x1p9f).toList();
        assertEquals(
                List.of(2f, 1f, 1f, 1f, 1f, 2f, 1f, 1f, 1f, 1f, 0.5f, 0.25f, 0.25f, 0.25f), scales);
    }

    /** Of equal batches it does not matter which one is skipped: the bias correction counts the applied steps alone. */
    @Test
    void aRunWithSkippedStepsIsTheShorterRunWithoutThem() throws IOException {
        TokenBatch batch = TestRuns.sequences().batch(0);
        List<float[]> parameters = new ArrayList<>();
        for (boolean overflowing : new boolean[] {false, true}) {
            try (GruBackend backend = TestRuns.reference();
                    LanguageModel model = new LanguageModel(
                            backend, LanguageModelSpec.of(6, 3, 4, 1, 0), batch.T(), batch.B());
                    Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                    StepValues values = new StepValues(backend, SCALING)) {
                model.initialize(TestRuns.SEED);
                Overflowing disturbed = new Overflowing(model, step -> overflowing && OVERFLOWS.contains(step));
                for (int step = 0; step < (overflowing ? STEPS : STEPS - OVERFLOWS.size()); step++) {
                    FloatMemory gradients = model.parameters().gradients();
                    disturbed.lossAndGradient(batch, step, 1, values.loss(), values.lossScale());
                    backend.trainingKernels()
                            .updateLossScale(
                                    gradients, gradients.length(), SCALING, lossScale(values), values.squaredNorm());
                    adam.update(backend.trainingKernels(), model.parameters(), 0.01f, step, values.lossScale());
                    model.parametersChanged();
                }
                parameters.add(model.parameters().values().toArray());
            }
        }
        assertNull(TestRuns.difference(Map.of("p", parameters.getFirst()), Map.of("p", parameters.getLast())));
    }

    private static FloatMemory lossScale(StepValues values) {
        FloatMemory state = values.lossScale();
        if (state == null) {
            throw new IllegalStateException("the loss is scaled here");
        }
        return state;
    }

    @Test
    void aRunThatWasStoppedAtAnyStepGoesOnWithItsScaleAndItsCounts() throws IOException {
        Map<String, float[]> expected;
        List<Float> scales = new ArrayList<>();
        try (TestRuns.Run run = run(options(), OVERFLOWS::contains)) {
            run.trainer.listener(step -> scales.add(step.lossScale())).run();
            expected = run.everything();
        }
        Path file = folder.resolve("run.safetensors");
        List<Float> found = new ArrayList<>();
        for (int part = 0; part < STEPS; part++) {
            try (TestRuns.Run run = run(options().withCheckpoint(file, 0), OVERFLOWS::contains)) {
                if (part > 0) {
                    run.trainer.restore(Checkpoint.read(file));
                }
                int[] asked = new int[1];
                run.trainer.listener(step -> found.add(step.lossScale()));
                TrainingSummary summary = run.trainer.run(() -> asked[0]++ == 1);
                int done = part;
                assertEquals(OVERFLOWS.stream().filter(k -> k <= done).count(), summary.skippedSteps());
                if (part + 1 == STEPS) {
                    assertNull(TestRuns.difference(expected, run.everything()), "one step at a time");
                }
            }
        }
        assertEquals(scales, found);
    }

    @Test
    void shouldRefuseTheCheckpointOfARunWithAnotherScaling() throws IOException {
        Path file = folder.resolve("run.safetensors");
        try (TestRuns.Run run = run(options().withCheckpoint(file, 0), step -> false)) {
            run.trainer.run();
        }
        Checkpoint checkpoint = Checkpoint.read(file);
        try (TestRuns.Run run = run(options().withLossScaling(null), step -> false)) {
            assertMessage(
                    assertThrows(CheckpointException.class, () -> run.trainer.restore(checkpoint)),
                    "run.loss_scaling was from 1024, 1 to 16777216, doubled after 4 steps, now absent");
        }
        try (TestRuns.Run run = run(options().withLossScaling(LossScaling.fixed(1024)), step -> false)) {
            assertMessage(
                    assertThrows(CheckpointException.class, () -> run.trainer.restore(checkpoint)),
                    "now fixed at 1024");
        }
    }

    @Test
    void overflowsThatNoSmallerScaleEndsAreDivergence() {
        List<Long> skipped = new ArrayList<>();
        TrainingOptions options = options().withLossScaling(new LossScaling(4, 1, 4, 9));
        try (TestRuns.Run run = run(options, step -> true)) {
            Map<String, float[]> before = run.everything();
            run.trainer.listener(step -> skipped.add(step.skippedSteps()));
            assertMessage(
                    assertThrows(TrainingException.class, run.trainer::run),
                    "10 gradients in a row overflowed with the smallest loss scale 1.0, the last at step 11",
                    "lower it");
            Map<String, float[]> after = run.everything();
            before.remove("hidden");
            after.remove("hidden");
            assertNull(TestRuns.difference(before, after));
        }
        assertEquals(11, skipped.size(), "two with a larger scale, nine that could have been chance");
    }

    @Test
    void aFixedScaleSkipsButNeverChanges() throws IOException {
        TrainingOptions options = options().withLossScaling(LossScaling.fixed(8));
        try (TestRuns.Run run = run(options, OVERFLOWS::contains)) {
            run.trainer.listener(step -> assertEquals(8, step.lossScale()));
            assertEquals(OVERFLOWS.size(), run.trainer.run().skippedSteps());
        }
        try (TestRuns.Run run = run(options, step -> step >= 2)) {
            assertMessage(
                    assertThrows(TrainingException.class, run.trainer::run),
                    "10 gradients in a row overflowed with the fixed loss scale 8.0, the last at step 11",
                    "choose a smaller scale");
        }
    }

    /** Scaling mends the gradient; a loss that is no number says that the model itself is beyond help. */
    @Test
    void aLossThatIsNoNumberEndsTheRunAtOnce() {
        try (TestRuns.Run run = run(options(), step -> false)) {
            run.trainer.listener(step -> {
                if (step.step() == 3) {
                    run.model.parameters().value("head.bias").fill(Float.NaN);
                    run.model.parametersChanged();
                }
            });
            assertMessage(assertThrows(TrainingException.class, run.trainer::run), "the loss is NaN at step 3");
        }
    }

    /** What a forecast is off by is so little here that in fp16 its gradient is 0: below half of 2^−24. */
    @Test
    void gradientsThatVanishInFp16AreKeptByTheScale() {
        float[] plain = headGradient(ProductPrecision.FP32, 1);
        float[] vanished = headGradient(ProductPrecision.FP16, 1);
        float[] kept = headGradient(ProductPrecision.FP16, 0x1p16f);
        for (int k = 0; k < plain.length; k++) {
            assertTrue(plain[k] != 0, "head.weight[" + k + "] has no gradient: a test of nothing");
            assertEquals(0, vanished[k], "head.weight[" + k + "]");
            // Three roundings to 11 bits: of both operands here, and of those the state was computed from.
            assertEquals(plain[k], kept[k] / 0x1p16f, 4 * 0x1p-11 * Math.abs(plain[k]), "head.weight[" + k + "]");
        }
    }

    private static float[] headGradient(ProductPrecision precision, float scale) {
        try (GruBackend backend = Backends.named("reference")
                .open(BackendOptions.DEFAULT.withPrecision(precision));
                Forecaster model = new Forecaster(backend, new ForecasterSpec(GruSpec.of(1, 3), 1), 1, 1)) {
            model.initialize(TestRuns.SEED);
            float prediction = model.predict(oneStep(0))[0];
            FloatMemory lossScale = backend.allocate(1);
            lossScale.upload(scale);
            model.lossAndGradient(oneStep(prediction - 0x1p-27f), 0, 1, model.loss(), lossScale);
            lossScale.close();
            return model.parameters().gradient("head.weight").toArray();
        }
    }

    /** One step of one number. */
    private static SeriesBatch oneStep(float target) {
        return new SeriesBatch(1, 1, 1, 1, new float[] {1}, null, new int[] {0}, new float[] {target});
    }

    /** Nothing is planted here: 2^24 times the gradient is beyond 65504. */
    @Test
    void fp16TrainingSkipsStepsUntilItHasFoundItsScale() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        List<TrainingListener.Step> steps = new ArrayList<>();
        List<float[]> parameters = new ArrayList<>();
        int count = 100;
        TrainingOptions options = TrainingOptions.ofSteps(count, TestRuns.SEED)
                .withLossScaling(LossScaling.DYNAMIC.withInitial(0x1p24f));
        try (GruBackend backend =
                Backends.named("reference").open(BackendOptions.DEFAULT.withPrecision(ProductPrecision.FP16));
                LanguageModel model = TestRuns.model(backend, source);
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                Trainer<TokenBatch> trainer =
                        new Trainer<>(backend, model, source, adam, Schedule.constant(0.02f), options)) {
            float[] before = model.parameters().values().toArray();
            trainer.listener(step -> {
                steps.add(step);
                parameters.add(model.parameters().values().toArray());
            });
            trainer.run();
            long skipped = steps.getLast().skippedSteps();
            assertTrue(skipped >= 3 && skipped <= 12, skipped + " steps skipped on the way down from 2^24");
            for (int k = 0; k < count; k++) {
                boolean found = steps.get(k).skippedSteps() <= k;
                assertEquals(!found, Arrays.equals(before, parameters.get(k)), "step " + (k + 1));
            }
        }
        double first = steps.subList(0, 10).stream().mapToDouble(TrainingListener.Step::loss).sum();
        double last = steps.subList(count - 10, count).stream().mapToDouble(TrainingListener.Step::loss).sum();
        assertTrue(last < 0.9 * first, "ten losses sum to " + first + " at the start and " + last + " at the end");
    }

    private static void assertMessage(Exception e, String... parts) {
        assertFalse(parts.length == 0);
        for (String part : parts) {
            assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage() + " does not say '" + part + "'");
        }
    }
}
