package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.cuda.CudaUploads.Ring;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploads beside the work, in whatever order the device runs its streams; and each wait they need is missed. */
class CudaUploadsTest {
    private static final int STEPS = 12;

    /** Floats: less than a chunk of 64, one, some and a rest; with two uploads beside them in every step. */
    private static final int[] LENGTHS = {7, 64, 64 * 3 + 9};

    private static final long CHUNK_BYTES = 256;
    private static final int OUT_OF_MEMORY = 2;
    private static final int UNKNOWN = 999;

    /** The first stream that a session makes. */
    private static final int MAIN = 0;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    /** Chunks too few, enough, and as many as in use; other streams as late and as early as they can be. */
    @Test
    void everyUploadTakesItsTurnAmongTheWorkInAnyOrderOfStreams() {
        for (int ahead = 0; ahead <= 1; ahead++) {
            Emulator.set("ahead", ahead);
            for (Ring ring : new Ring[] {new Ring(CHUNK_BYTES, 1), new Ring(CHUNK_BYTES, 4), Ring.DEFAULT}) {
                WatchedDriver driver = new WatchedDriver();
                try (GruBackend backend = driver.backend(ring)) {
                    assertNull(firstDifference(backend, driver, call -> false), ring + " with ahead = " + ahead);
                }
                assertEquals(Map.of(), driver.open(), "left open");
            }
        }
    }

    static Stream<Arguments> waits() {
        Predicate<WatchedDriver.Call> mainWaits =
                call -> call.name().equals("waitForEvent") && call.number(0) == MAIN;
        Predicate<WatchedDriver.Call> copyStreamWaits =
                call -> call.name().equals("waitForEvent") && call.number(0) != MAIN;
        Predicate<WatchedDriver.Call> hostWaits = call -> call.name().equals("synchronizeEvent");
        return Stream.of(
                Arguments.of("the main stream's for what crosses", mainWaits),
                Arguments.of("the copy stream's for what is consumed", copyStreamWaits),
                Arguments.of("the host's for what has crossed", hostWaits));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waits")
    void aForgottenWaitIsSeen(String name, Predicate<WatchedDriver.Call> wait) {
        boolean isSeen = false;
        for (int ahead = 0; ahead <= 1; ahead++) {
            Emulator.set("ahead", ahead);
            WatchedDriver driver = new WatchedDriver();
            try (GruBackend backend = driver.backend(new Ring(CHUNK_BYTES, 1))) {
                isSeen |= firstDifference(backend, driver, wait) != null;
            }
        }
        assertTrue(isSeen, "nobody missed the wait: " + name);
    }

    @Test
    void theRingGrowsWhileTheDeviceIsBehindAndNoFurther() {
        WatchedDriver driver = new WatchedDriver();
        try (GruBackend backend = driver.backend(new Ring(CHUNK_BYTES, 3));
                FloatMemory memory = backend.allocate(64)) {
            long before = driver.count("allocateHost");
            for (int k = 0; k < 5; k++) {
                memory.upload(new float[64]);
                backend.synchronize();
            }
            assertEquals(1, driver.count("allocateHost") - before, "chunks while the device keeps up");
            for (int k = 0; k < 10; k++) {
                memory.upload(new float[64]);
            }
            assertEquals(3, driver.count("allocateHost") - before, "chunks while it does not");
        }
        assertEquals(Map.of(), driver.open(), "left open");
    }

    @Test
    void smallUploadsShareAChunkAndTheHostWaitsForNothing() {
        WatchedDriver driver = new WatchedDriver();
        try (GruBackend backend = driver.backend(Ring.DEFAULT);
                FloatMemory memory = backend.allocate(100)) {
            long chunks = driver.count("allocateHost");
            for (int k = 0; k < 200; k++) {
                memory.upload(new float[100]);
            }
            assertEquals(1, driver.count("allocateHost") - chunks);
            assertEquals(0, driver.count("synchronizeEvent") + driver.count("synchronizeStream"));
        }
    }

    @Test
    void withoutMemoryForAnotherChunkUploadsGoOnWithThoseThereAre() {
        WatchedDriver driver = new WatchedDriver();
        try (GruBackend backend = driver.backend(new Ring(CHUNK_BYTES, 8));
                FloatMemory memory = backend.allocate(64 * 6)) {
            float[] values = values(9, 64 * 6);
            memory.upload(values[0]); // takes the first chunk
            long chunks = driver.count("allocateHost") - driver.count("freeHost");
            Emulator.set("memory_bytes", Emulator.usedBytes());
            memory.upload(values);
            assertNull(difference("memory", values, memory.toArray()));
            assertEquals(chunks, driver.count("allocateHost") - driver.count("freeHost"), "chunks");
        }
        assertEquals(Map.of(), driver.open(), "left open");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuMemHostAlloc", "cuMemAlloc_v2", "cuEventCreate"})
    void theFirstChunkThatCannotBeMadeIsReportedAndLeavesNothing(String function) {
        for (int nth = 1; nth <= (function.equals("cuEventCreate") ? 2 : 1); nth++) {
            WatchedDriver driver = new WatchedDriver();
            try (GruBackend backend = driver.backend(Ring.DEFAULT);
                    FloatMemory memory = backend.allocate(3)) {
                Map<String, Long> before = driver.open();
                Emulator.fail(function, nth, OUT_OF_MEMORY);
                CudaException e = assertThrows(CudaException.class, () -> memory.upload(1, 2, 3));
                assertTrue(
                        String.valueOf(e.getMessage()).startsWith(
                                "allocating 4194304 bytes each of page-locked and of device memory for uploads:"
                                        + " CUDA_ERROR_OUT_OF_MEMORY"),
                        e::getMessage);
                assertEquals(before, driver.open(), "left open by call " + nth + " of " + function);
                memory.upload(1, 2, 3);
                assertNull(difference("memory", new float[] {1, 2, 3}, memory.toArray()));
            }
            assertEquals(Map.of(), driver.open(), "left open");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuMemcpyHtoDAsync_v2", "cuEventRecord", "cuStreamWaitEvent", "cuMemcpyDtoDAsync_v2"})
    void afterACallThatFailsTheNextUploadsAreRight(String function) {
        for (int nth = 1; nth <= 4; nth++) {
            WatchedDriver driver = new WatchedDriver();
            try (GruBackend backend = driver.backend(new Ring(CHUNK_BYTES, 1));
                    FloatMemory memory = backend.allocate(64 * 4)) {
                memory.upload(values(1, 64 * 4));
                Emulator.fail(function, nth, UNKNOWN);
                assertThrows(CudaException.class, () -> memory.upload(values(2, 64 * 4)), function + " " + nth);
                assertNull(firstDifference(backend, driver, call -> false), "after " + function + " " + nth);
            }
            assertEquals(Map.of(), driver.open(), "left open");
        }
    }

    @Test
    void closingWhileUploadsAreUnderWayFreesEverything() {
        for (int ahead = 0; ahead <= 1; ahead++) {
            Emulator.set("ahead", ahead);
            WatchedDriver driver = new WatchedDriver();
            GruBackend backend = driver.backend(new Ring(CHUNK_BYTES, 4));
            FloatMemory closed = backend.allocate(200);
            FloatMemory open = backend.allocate(200);
            closed.upload(values(1, 200));
            open.upload(values(2, 200));
            closed.close();
            backend.close();
            assertEquals(Map.of(), driver.open(), "left open");
        }
    }

    /**
     * Uploads several memories in every step, copies them where nothing overwrites them, and compares at the end.
     *
     * @param forgotten waits that are left out in the meantime
     */
    private static @Nullable String firstDifference(
            GruBackend backend, WatchedDriver driver, Predicate<WatchedDriver.Call> forgotten) {
        CudaSession session = ((CudaBackend) backend).session();
        FloatMemory[] memories = new FloatMemory[LENGTHS.length];
        FloatMemory[] histories = new FloatMemory[LENGTHS.length];
        for (int m = 0; m < LENGTHS.length; m++) {
            memories[m] = backend.allocate(LENGTHS[m]);
            histories[m] = backend.allocate((long) STEPS * LENGTHS[m]);
        }
        backend.synchronize();
        driver.forget(forgotten);
        for (int step = 0; step < STEPS; step++) {
            for (int m = 0; m < LENGTHS.length; m++) {
                float[] values = values(step * LENGTHS.length + m, LENGTHS[m]);
                memories[m].upload(values);
                Arrays.fill(values, Float.NaN); // the host side may be reused
                session.copy(
                        CudaFloatMemory.address("history", histories[m], session)
                                + (long) step * LENGTHS[m] * Float.BYTES,
                        CudaFloatMemory.address("memory", memories[m], session),
                        LENGTHS[m]);
            }
        }
        driver.forget(call -> false);
        String difference = null;
        for (int m = 0; m < LENGTHS.length; m++) {
            float[] found = histories[m].toArray();
            for (int step = 0; step < STEPS && difference == null; step++) {
                difference = difference(
                        "memory " + m + " in step " + step,
                        values(step * LENGTHS.length + m, LENGTHS[m]),
                        Arrays.copyOfRange(found, step * LENGTHS[m], (step + 1) * LENGTHS[m]));
            }
        }
        for (int m = 0; m < LENGTHS.length; m++) {
            memories[m].close();
            histories[m].close();
        }
        return difference;
    }

    private static float[] values(int number, int length) {
        float[] values = new float[length];
        for (int k = 0; k < length; k++) {
            values[k] = number * 1000 + k + 1;
        }
        return values;
    }

    private static @Nullable String difference(String name, float[] expected, float[] found) {
        int k = Arrays.mismatch(expected, found);
        return k < 0 ? null : name + "[" + k + "] is " + found[k] + "; " + expected[k] + " expected";
    }
}
