package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingException;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Training keeps the device busy: a step is given before the result of the one before is waited for, nothing else is
 * waited for, and the bits are those of a device that does every call at once.
 */
class CudaOverlapTest {
    private static final long SEED = 17;
    private static final int STEPS = 6;
    private static final int VOCABULARY = 5;

    /** So small that uploads go round the ring in every step. */
    private static final CudaUploads.Ring SMALL_RING = new CudaUploads.Ring(256, 2);

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    /**
     * What a run leaves.
     *
     * @param values losses, then parameters
     * @param calls of the driver during the run
     */
    private record Result(List<Float> values, List<WatchedDriver.Call> calls) {}

    @Test
    void theBitsDoNotDependOnTheOrderOfStreams() throws IOException {
        Emulator.set("late", 0);
        List<Float> expected = train(CudaUploads.Ring.DEFAULT, call -> false).values();
        Emulator.set("late", 1);
        for (int ahead = 0; ahead <= 1; ahead++) {
            Emulator.set("ahead", ahead);
            for (CudaUploads.Ring ring : List.of(SMALL_RING, CudaUploads.Ring.DEFAULT)) {
                assertEquals(
                        expected, train(ring, call -> false).values(), ring + " with ahead = " + ahead);
            }
        }
    }

    /** A step ends with the one copy to the host; waiting for it comes after the next step's. */
    @Test
    void aStepIsGivenBeforeTheOneBeforeIsWaitedFor() throws IOException {
        List<WatchedDriver.Call> calls = train(CudaUploads.Ring.DEFAULT, call -> false).calls();
        List<String> expected = new ArrayList<>(List.of("given"));
        for (int step = 1; step < STEPS; step++) {
            expected.add("given");
            expected.add("waited");
        }
        expected.add("waited");
        List<String> found = new ArrayList<>();
        int uploads = 0;
        for (WatchedDriver.Call call : calls) {
            switch (call.name()) {
                case "copyToDevice" -> uploads++;
                case "copyToHost" -> {
                    assertTrue(uploads >= 3, "ids, targets and positions belong to a step; uploads found: " + uploads);
                    uploads = 0;
                    found.add("given");
                }
                case "synchronizeEvent", "synchronizeStream" -> found.add("waited");
                default -> {}
            }
        }
        assertEquals(expected, found);
    }

    @Test
    void aForgottenWaitOfTheMainStreamChangesTheRun() throws IOException {
        List<Float> expected = train(SMALL_RING, call -> false).values();
        Predicate<WatchedDriver.Call> mainWaits =
                call -> call.name().equals("waitForEvent") && call.number(0) == 0;
        try {
            List<Float> found = train(SMALL_RING, mainWaits).values();
            assertNotEquals(expected, found, "every bit is as if the waits were not needed");
        } catch (TrainingException | CudaException e) {
            // Garbage in place of a batch may as well be found out: by its loss, or by a kernel.
            assertNotNull(e.getMessage());
        }
    }

    /** Two layers with dropout and padded rows: ids, targets, positions, lengths and the draw go up in every step. */
    private static Result train(CudaUploads.Ring ring, Predicate<WatchedDriver.Call> forgotten) throws IOException {
        WatchedDriver driver = new WatchedDriver();
        LanguageModelBatches batches = new LanguageModelBatches(sequences(), 0, 4, SEED);
        LanguageModelSpec spec = LanguageModelSpec.of(VOCABULARY, 3, 5, 2, 0.2f);
        try (GruBackend backend = driver.backend(ring);
                LanguageModel model = new LanguageModel(backend, spec, batches.maxT(), batches.maxB())) {
            model.initialize(SEED);
            try (Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                    Trainer<?> trainer = new Trainer<>(
                            backend, model, batches, adam, Schedule.constant(0.02f),
                            TrainingOptions.ofSteps(STEPS, SEED))) {
                List<Float> values = new ArrayList<>();
                backend.synchronize();
                int first = driver.calls.size();
                driver.forget(forgotten);
                trainer.listener(step -> values.add(step.loss())).run();
                driver.forget(call -> false);
                List<WatchedDriver.Call> calls = List.copyOf(driver.calls.subList(first, driver.calls.size()));
                for (float parameter : model.parameters().values().toArray()) {
                    values.add(parameter);
                }
                return new Result(values, calls);
            }
        }
    }

    private static List<int[]> sequences() {
        SplittableRandom random = new SplittableRandom(SEED);
        List<int[]> sequences = new ArrayList<>();
        for (int k = 0; k < 17; k++) {
            int[] sequence = new int[1 + random.nextInt(5)];
            for (int i = 0; i < sequence.length; i++) {
                sequence[i] = random.nextInt(1, VOCABULARY);
            }
            sequences.add(sequence);
        }
        return sequences;
    }
}
