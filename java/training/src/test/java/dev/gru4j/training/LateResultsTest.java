package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.training.data.Batch;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The training loop on a backend whose results come late: what is told when, and that nothing else is different. */
@Timeout(120)
final class LateResultsTest {
    private static final int STEPS = 9;

    @TempDir
    Path folder;

    /** What happened, in order: {@code asked}, {@code waited}, {@code told 3}, {@code saved 4}. */
    private final List<String> events = new ArrayList<>();

    private Path checkpoint() {
        return folder.resolve("run.safetensors");
    }

    private TrainingOptions options() {
        return TrainingOptions.ofSteps(STEPS, TestRuns.SEED);
    }

    private TestRuns.Run late(
            BatchSource<TokenBatch> source,
            TrainingOptions options,
            UnaryOperator<TrainableModel<TokenBatch>> disturbed) {
        TestRuns.Run run = new TestRuns.Run(new LateBackend(events), source, options, disturbed);
        run.trainer.listener(new TrainingListener() {
            @Override
            public void afterStep(Step step) {
                events.add("told " + step.step());
            }

            @Override
            public void afterCheckpoint(long step) {
                events.add("saved " + step);
            }
        });
        return run;
    }

    private TestRuns.Run late(TrainingOptions options) {
        return late(TestRuns.stream(), options, model -> model);
    }

    private List<Long> told() {
        return events.stream()
                .filter(event -> event.startsWith("told "))
                .map(event -> Long.valueOf(event.substring("told ".length())))
                .toList();
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    @Test
    void aStepIsGivenBeforeTheOneBeforeIsWaitedFor() throws IOException {
        try (TestRuns.Run run = late(options())) {
            run.trainer.run();
        }
        List<String> expected = new ArrayList<>(List.of("asked"));
        for (int step = 1; step < STEPS; step++) {
            expected.addAll(List.of("asked", "waited", "told " + step));
        }
        expected.addAll(List.of("waited", "told " + STEPS));
        assertEquals(expected, events);
    }

    @Test
    void aRunIsTheSameBitForBitAndToldTheSame() throws IOException {
        for (boolean isScaled : new boolean[] {false, true}) {
            for (BatchSource<TokenBatch> source : List.of(TestRuns.sequences(), TestRuns.stream())) {
                TrainingOptions options = options().withLossScaling(isScaled ? LossScaling.DYNAMIC : null);
                List<String> expected = new ArrayList<>();
                List<String> found = new ArrayList<>();
                try (TestRuns.Run one = new TestRuns.Run(source, options);
                        TestRuns.Run two = late(source, options, model -> model)) {
                    one.trainer.listener(step -> expected.add(numbers(step)));
                    two.trainer.listener(step -> found.add(numbers(step)));
                    float lastLoss = one.trainer.run().lastLoss();
                    assertEquals(lastLoss, two.trainer.run().lastLoss());
                    assertNull(TestRuns.difference(one.everything(), two.everything()));
                }
                assertEquals(expected, found);
            }
        }
    }

    /** All but the time. */
    private static String numbers(TrainingListener.Step s) {
        return List.of(
                s.step(), s.totalSteps(), s.loss(), s.gradientNorm(), s.learningRate(), s.targets(), s.flops(),
                s.share(), s.lossScale(), s.skippedSteps())
                .toString();
    }

    @Test
    void everyStepIsToldBeforeACheckpointHoldsIt() throws IOException {
        try (TestRuns.Run run = late(options().withCheckpoint(checkpoint(), 2))) {
            run.trainer.run();
        }
        assertEquals(upTo(STEPS), told());
        for (int step = 2; step <= STEPS; step += step == 8 ? 1 : 2) {
            assertEquals("told " + step, events.get(events.indexOf("saved " + step) - 1));
        }
    }

    /** A model whose loss is no number in one step. */
    private record Diverging(TrainableModel<TokenBatch> model, long badStep) implements TrainableModel<TokenBatch> {
        @Override
        public void lossAndGradient(
                TokenBatch batch, long step, long seed, FloatMemory loss, @Nullable FloatMemory lossScale) {
            model.lossAndGradient(batch, step, seed, loss, lossScale);
            if (step == badStep) {
                loss.fill(Float.NaN);
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

    @Test
    void aLossThatIsNoNumberEndsTheRunAtItsStepAndSparesTheCheckpoint() throws IOException {
        for (int bad = 3; bad < STEPS; bad++) {
            events.clear();
            int badStep = bad;
            int saved = bad / 3 * 3;
            TrainingOptions options = options().withCheckpoint(checkpoint(), 3);
            try (TestRuns.Run run = late(TestRuns.stream(), options, model -> new Diverging(model, badStep))) {
                TrainingException e = assertThrows(TrainingException.class, run.trainer::run);
                assertTrue(
                        String.valueOf(e.getMessage()).startsWith("the loss is NaN at step " + bad + ": ")
                                && String.valueOf(e.getMessage()).endsWith(" holds step " + saved),
                        e::getMessage);
            }
            assertEquals(upTo(bad), told());
            assertEquals(saved, Checkpoint.read(checkpoint()).step());
        }
    }

    @Test
    void aBatchThatCannotBePreparedEndsTheRunAfterTheStepsBeforeItWereTold() {
        BatchSource<TokenBatch> good = TestRuns.stream();
        BatchSource<TokenBatch> failing = new Failing<>(good, 4);
        try (TestRuns.Run run = late(failing, options(), model -> model)) {
            TrainingException e = assertThrows(TrainingException.class, run.trainer::run);
            assertTrue(String.valueOf(e.getMessage()).startsWith("step 4 cannot be done"), e::getMessage);
        }
        assertEquals(upTo(4), told());
    }

    private record Failing<B extends Batch>(BatchSource<B> good, long badStep) implements BatchSource<B> {
        @Override
        public B batch(long step) {
            if (step == badStep) {
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
    }

    @Test
    void stopsAndInterruptsTellAndSaveWhatWasGiven() throws IOException {
        try (TestRuns.Run run = late(options().withCheckpoint(checkpoint(), 0))) {
            int[] asked = new int[1];
            TrainingSummary summary = run.trainer.run(() -> asked[0]++ == 4);
            assertEquals(4, summary.steps());
            assertEquals(upTo(4), told());
            assertEquals(4, Checkpoint.read(checkpoint()).step());
            run.trainer.listener(step -> {
                if (step.step() == 5) {
                    Thread.currentThread().interrupt();
                }
            });
            summary = run.trainer.run();
            assertTrue(Thread.interrupted(), "the interrupt was swallowed");
            assertEquals(TrainingSummary.End.STOPPED, summary.end());
            assertEquals(upTo(summary.steps()), told());
            assertEquals(summary.steps(), Checkpoint.read(checkpoint()).step());
        }
    }

    /** What stops a run as a crash would. */
    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @Test
    void aRunThatCrashedAtAnyStepGoesOnBitForBit() throws IOException {
        BatchSource<TokenBatch> source = TestRuns.stream();
        Map<String, float[]> expected;
        try (TestRuns.Run run = new TestRuns.Run(source, options())) {
            run.trainer.run();
            expected = run.everything();
        }
        for (int crash = 1; crash < STEPS; crash++) {
            Files.deleteIfExists(checkpoint());
            int crashStep = crash;
            TrainingOptions options = options().withCheckpoint(checkpoint(), 2);
            boolean[] crashed = new boolean[1];
            try (TestRuns.Run run = late(source, options, model -> model)) {
                run.trainer.listener(step -> {
                    if (step.step() == crashStep && !crashed[0]) {
                        crashed[0] = true;
                        throw new Crash();
                    }
                });
                assertThrows(Crash.class, run.trainer::run);
                if (crash > 2) {
                    run.trainer.restore(Checkpoint.read(checkpoint()));
                    events.clear();
                }
                run.trainer.run();
                assertNull(TestRuns.difference(expected, run.everything()), "crash at step " + crash);
            }
            // Without a checkpoint the same trainer goes on where it was, and no step is left out or told twice.
            List<Long> all = upTo(STEPS);
            assertEquals(crash > 2 ? all.subList((crash - 1) / 2 * 2, STEPS) : all, told(), "crash at step " + crash);
            events.clear();
        }
    }

    @Test
    void everyPlaceForResultsIsClosed() {
        for (int allowed = 0; allowed < StepValues.MOST; allowed++) {
            LateBackend backend = new LateBackend(events);
            backend.allowed = allowed;
            assertThrows(IllegalStateException.class, () -> new StepValues(backend, LossScaling.DYNAMIC));
            assertEquals(0, backend.open, "open after " + allowed + " were allowed");
        }
        LateBackend backend = new LateBackend(events);
        try (TestRuns.Run run = new TestRuns.Run(backend, TestRuns.stream(), options(), model -> model)) {
            run.trainer.listener(step -> {
                throw new Crash();
            });
            assertThrows(Crash.class, run.trainer::run);
            assertEquals(StepValues.MOST, backend.open);
        }
        assertEquals(0, backend.open, "open after a run with a step under way");
    }
}
