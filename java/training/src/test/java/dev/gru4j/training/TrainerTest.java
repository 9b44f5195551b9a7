package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class TrainerTest {
    private static final int STEPS = 14;

    @TempDir
    Path folder;

    private Path checkpoint() {
        return folder.resolve("run.safetensors");
    }

    private TrainingOptions options(int every) {
        return TrainingOptions.ofSteps(STEPS, TestRuns.SEED).withCheckpoint(checkpoint(), every);
    }

    /** What stops a run as a crash would: at once, without a last checkpoint. */
    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @Test
    void aRunThatCrashedAtAnyStepGoesOnBitForBit() throws IOException {
        for (BatchSource<TokenBatch> source : List.of(TestRuns.sequences(), TestRuns.stream())) {
            Map<String, float[]> expected = uninterrupted(source);
            for (int crash = 1; crash < STEPS; crash++) {
                Files.deleteIfExists(checkpoint());
                int crashStep = crash;
                try (TestRuns.Run run = new TestRuns.Run(source, options(3))) {
                    run.trainer.listener(step -> {
                        if (step.step() == crashStep) {
                            throw new Crash();
                        }
                    });
                    assertThrows(Crash.class, run.trainer::run);
                }
                try (TestRuns.Run run = new TestRuns.Run(source, options(3))) {
                    // The listener is called before the checkpoint of its step is written.
                    assertEquals(crash > 3, Files.exists(checkpoint()), "a checkpoint after a crash at step " + crash);
                    if (crash > 3) {
                        run.trainer.restore(Checkpoint.read(checkpoint()));
                    }
                    TrainingSummary summary = run.trainer.run();
                    assertEquals(STEPS, summary.steps());
                    assertNull(
                            TestRuns.difference(expected, run.everything()),
                            "crash at step " + crash + " of " + source.configuration());
                }
            }
        }
    }

    @Test
    void aRunThatWasStoppedAtAnyStepGoesOnBitForBit() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.stream();
        Map<String, float[]> expected = uninterrupted(source);
        Files.deleteIfExists(checkpoint());
        for (int part = 0; part < STEPS; part++) {
            try (TestRuns.Run run = new TestRuns.Run(source, options(0))) {
                if (part > 0) {
                    run.trainer.restore(Checkpoint.read(checkpoint()));
                }
                int[] asked = new int[1];
                TrainingSummary summary = run.trainer.run(() -> asked[0]++ == 1);
                assertEquals(part + 1, summary.steps());
                assertEquals(
                        part + 1 < STEPS ? TrainingSummary.End.STOPPED : TrainingSummary.End.FINISHED, summary.end());
                if (part + 1 == STEPS) {
                    assertNull(TestRuns.difference(expected, run.everything()), "one step at a time");
                }
            }
        }
    }

    @Test
    void aRunThatWasStoppedGoesOnWithTheSameTrainer() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.stream();
        Map<String, float[]> expected = uninterrupted(source);
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(STEPS, TestRuns.SEED))) {
            int[] asked = new int[1];
            TrainingSummary first = run.trainer.run(() -> asked[0]++ == 5);
            TrainingSummary second = run.trainer.run();
            assertEquals(5, first.steps());
            assertEquals(STEPS, second.steps());
            assertTrue(second.elapsed().compareTo(first.elapsed()) > 0, first + " then " + second);
            assertNull(TestRuns.difference(expected, run.everything()));
        }
    }

    @Test
    void prefetchingChangesNoResult() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        Map<String, float[]> expected = uninterrupted(source);
        for (int depth : new int[] {1, 2, 16}) {
            TrainingOptions options =
                    TrainingOptions.ofSteps(STEPS, TestRuns.SEED).withPrefetch(depth);
            try (TestRuns.Run run = new TestRuns.Run(source, options)) {
                run.trainer.run();
                assertNull(TestRuns.difference(expected, run.everything()), "depth " + depth);
            }
        }
        // And neither does having no thread at all.
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(STEPS, TestRuns.SEED))) {
            ParameterSet parameters = run.model.parameters();
            var kernels = run.backend.trainingKernels();
            try (var norm = run.backend.allocate(1)) {
                for (int step = 0; step < STEPS; step++) {
                    run.model.lossAndGradient(source.batch(step), step, TestRuns.SEED);
                    kernels.squaredNorm(parameters.gradients(), parameters.length(), norm);
                    kernels.clipByNorm(parameters.gradients(), parameters.length(), norm, 1);
                    run.adam.update(kernels, parameters, TestRuns.schedule().rate(step, STEPS), step);
                    run.model.parametersChanged();
                }
            }
            assertNull(TestRuns.difference(expected, run.everything()), "without a trainer");
        }
    }

    @Test
    void theClockOnlyDecidesWhenToStop() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        TrainingSummary summary;
        Map<String, float[]> clocked;
        try (TestRuns.Run run =
                new TestRuns.Run(source, TrainingOptions.ofClock(Duration.ofMillis(300), TestRuns.SEED))) {
            summary = run.trainer.run();
            clocked = run.everything();
        }
        assertEquals(TrainingSummary.End.FINISHED, summary.end());
        assertEquals(summary.totalSteps(), summary.steps());
        try (TestRuns.Run run =
                new TestRuns.Run(source, TrainingOptions.ofSteps(summary.steps(), TestRuns.SEED))) {
            run.trainer.run();
            assertNull(TestRuns.difference(clocked, run.everything()), summary.steps() + " steps");
        }
    }

    @Test
    void aRunLimitedByTheClockGoesOnWithTheTimeThatIsLeft() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        TrainingOptions options = TrainingOptions.ofClock(Duration.ofHours(1), TestRuns.SEED)
                .withCheckpoint(checkpoint(), 0);
        long total;
        try (TestRuns.Run run = new TestRuns.Run(source, options)) {
            int[] asked = new int[1];
            TrainingSummary summary = run.trainer.run(() -> asked[0]++ == 5);
            assertEquals(0, summary.totalSteps(), "an hour was not over");
            assertEquals(5, Checkpoint.read(checkpoint()).step());
        }
        // The same run with a clock that has already passed: the five steps are its free share.
        TrainingOptions passed = TrainingOptions.ofClock(Duration.ofNanos(1), TestRuns.SEED)
                .withCheckpoint(checkpoint(), 0);
        Map<String, float[]> resumed;
        try (TestRuns.Run run = new TestRuns.Run(source, passed)) {
            run.trainer.restore(Checkpoint.read(checkpoint()));
            total = run.trainer.run().steps();
            resumed = run.everything();
        }
        assertEquals(9, total, "5 steps are 60 % of 9");
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(total, TestRuns.SEED))) {
            run.trainer.run();
            assertNull(TestRuns.difference(resumed, run.everything()));
        }
    }

    @Test
    void shouldRefuseToGoOnUnderAnotherNumberOfSteps() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        try (TestRuns.Run run = new TestRuns.Run(source, options(0))) {
            run.trainer.run();
        }
        Checkpoint checkpoint = Checkpoint.read(checkpoint());
        assertEquals(STEPS, checkpoint.totalSteps());
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(STEPS + 9, TestRuns.SEED))) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> run.trainer.restore(checkpoint));
            assertMessage(e, "run of 14 steps", "a run of 23 steps");
        }
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(STEPS - 9, TestRuns.SEED))) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> run.trainer.restore(checkpoint));
            assertMessage(e, "holds step 14", "5 steps");
        }
    }

    @Test
    void aLossThatIsNoNumberEndsTheRunAndSparesTheCheckpoint() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        try (TestRuns.Run run = new TestRuns.Run(source, options(2))) {
            run.trainer.listener(step -> {
                if (step.step() == 5) {
                    run.model.parameters().value("head.bias").fill(Float.NaN);
                    run.model.parametersChanged();
                }
            });
            TrainingException e = assertThrows(TrainingException.class, run.trainer::run);
            assertMessage(e, "loss is NaN at step 5", "lower it", "holds step 4");
        }
        assertEquals(4, Checkpoint.read(checkpoint()).step());
    }

    @Test
    void parametersThatAreNoNumbersAreNotSaved() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        try (TestRuns.Run run = new TestRuns.Run(source, options(2))) {
            run.trainer.listener(step -> {
                if (step.step() == 4) {
                    run.model.parameters().value("gru.bias_hh_l1").fill(Float.POSITIVE_INFINITY);
                }
            });
            TrainingException e = assertThrows(TrainingException.class, run.trainer::run);
            assertMessage(e, "no checkpoint of step 4", "gru.bias_hh_l1 has Infinity at 0");
        }
        assertEquals(2, Checkpoint.read(checkpoint()).step());
    }

    @Test
    void aBatchThatCannotBePreparedEndsTheRunWithItsReason() {
        BatchSource<TokenBatch> good = TestRuns.sequences();
        BatchSource<TokenBatch> failing = new BatchSource<>() {
            @Override
            public TokenBatch batch(long step) {
                if (step == 3) {
                    throw new IllegalStateException("the text is gone");
                }
                return good.batch(step);
            }

            @Override
            public long batchesPerEpoch() {
                return good.batchesPerEpoch();
            }

            @Override
            public int maxT() {
                return good.maxT();
            }

            @Override
            public int maxB() {
                return good.maxB();
            }

            @Override
            public Map<String, String> configuration() {
                return good.configuration();
            }
        };
        try (TestRuns.Run run = new TestRuns.Run(failing, TrainingOptions.ofSteps(STEPS, TestRuns.SEED))) {
            TrainingException e = assertThrows(TrainingException.class, run.trainer::run);
            assertMessage(e, "step 3", "the text is gone");
        }
    }

    @Test
    void anInterruptStopsWithACheckpoint() throws IOException {
        try (TestRuns.Run run = new TestRuns.Run(TestRuns.sequences(), options(0))) {
            run.trainer.listener(step -> {
                if (step.step() == 2) {
                    Thread.currentThread().interrupt();
                }
            });
            TrainingSummary summary = run.trainer.run();
            assertTrue(Thread.interrupted(), "the interrupt was swallowed");
            assertEquals(TrainingSummary.End.STOPPED, summary.end());
        }
        assertTrue(Checkpoint.read(checkpoint()).step() >= 2);
    }

    @Test
    void theListenerHearsOfEveryStep() throws IOException {
        List<TrainingListener.Step> steps = new ArrayList<>();
        List<Long> checkpoints = new ArrayList<>();
        try (TestRuns.Run run = new TestRuns.Run(TestRuns.sequences(), options(5))) {
            run.trainer.listener(new TrainingListener() {
                @Override
                public void afterStep(Step step) {
                    steps.add(step);
                }

                @Override
                public void afterCheckpoint(long step) {
                    checkpoints.add(step);
                }
            });
            run.trainer.run();
        }
        assertEquals(STEPS, steps.size());
        assertEquals(List.of(5L, 10L, 14L), checkpoints);
        for (int k = 0; k < STEPS; k++) {
            TrainingListener.Step step = steps.get(k);
            assertEquals(k + 1, step.step());
            assertEquals(STEPS, step.totalSteps());
            assertEquals((k + 1) / (double) STEPS, step.share());
            assertEquals(TestRuns.schedule().rate(k, STEPS), step.learningRate());
            assertEquals(TestRuns.sequences().batch(k).targetCount(), step.targets());
            assertTrue(step.loss() > 0 && step.gradientNorm() > 0 && step.flops() > 0, step.toString());
        }
    }

    @Test
    void theLossFalls() throws IOException {
        List<Float> losses = new ArrayList<>();
        BatchSource<TokenBatch> source = TestRuns.sequences();
        try (GruBackend backend = TestRuns.reference();
                LanguageModel model = TestRuns.model(backend, source);
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                Trainer<TokenBatch> trainer = new Trainer<>(
                        backend,
                        model,
                        source,
                        adam,
                        Schedule.constant(0.02f),
                        TrainingOptions.ofSteps(150, TestRuns.SEED))) {
            trainer.listener(step -> losses.add(step.loss())).run();
        }
        double before = losses.subList(0, 6).stream().mapToDouble(Float::doubleValue).sum();
        double after = losses.subList(144, 150).stream().mapToDouble(Float::doubleValue).sum();
        // Where a sequence starts and ends is chance: about 1.1 nats of the 1.8 at the start cannot be learnt.
        assertTrue(after < 0.8 * before, "six losses sum to " + before + " at the start and " + after + " at the end");
    }

    @Test
    void aScheduleThatNeedsTheNumberOfStepsCannotBeLimitedByTheClock() {
        BatchSource<TokenBatch> source = TestRuns.sequences();
        try (GruBackend backend = TestRuns.reference();
                LanguageModel model = TestRuns.model(backend, source);
                Sgd sgd = new Sgd(backend, model.parameters(), 0)) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> new Trainer<>(
                            backend,
                            model,
                            source,
                            sgd,
                            Schedule.warmupCosine(0.1f, 2),
                            TrainingOptions.ofClock(Duration.ofSeconds(1), 1)));
            assertMessage(e, "Schedule.trapezoid");
        }
        assertThrows(IllegalArgumentException.class, () -> TrainingOptions.ofSteps(0, 1));
    }

    private Map<String, float[]> uninterrupted(BatchSource<TokenBatch> source) throws IOException {
        try (TestRuns.Run run = new TestRuns.Run(source, TrainingOptions.ofSteps(STEPS, TestRuns.SEED))) {
            run.trainer.run();
            Map<String, float[]> everything = run.everything();
            assertFalse(everything.isEmpty());
            return everything;
        }
    }

    private static void assertMessage(Exception e, String... parts) {
        for (String part : parts) {
            assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage() + " does not say '" + part + "'");
        }
    }
}
