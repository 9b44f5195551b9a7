package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.HostFloatMemory;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Results that are waited for later: the device's, as they were when they were asked for. */
class CudaReadbackTest {
    private static final int LAUNCH_FAILED = 719;
    private static final int UNKNOWN = 999;

    private WatchedDriver driver;
    private GruBackend backend;

    @SuppressWarnings("NullAway.Init") // Set before each test.
    CudaReadbackTest() {}

    @BeforeEach
    void open() {
        Emulator.assumeBuilt();
        driver = new WatchedDriver();
        backend = driver.backend(CudaUploads.Ring.DEFAULT);
    }

    @AfterEach
    void close() {
        if (backend != null) { // not where the emulator is missing
            backend.close();
            assertEquals(Map.of(), driver.open(), "left open");
        }
        Emulator.reset();
    }

    @Test
    void aResultIsWhatItWasWhenItWasAskedFor() {
        try (FloatMemory memory = backend.allocate(3);
                FloatReadback readback = backend.allocateReadback(2)) {
            assertEquals(2, readback.length());
            assertTrue(readback.isDone(), "nothing was asked for");
            assertEquals(0, readback.get(1));
            memory.upload(1, 2, 3);
            readback.copy(memory, 1, 0, 2);
            memory.fill(9);
            assertFalse(readback.isDone(), "the emulated device does nothing before somebody waits");
            float[] found = new float[3];
            readback.get(0, found, 1, 2);
            assertArrayEquals(new float[] {0, 2, 3}, found);
            assertTrue(readback.isDone());
        }
    }

    @Test
    void copiesToPartsOfOnePlaceAreWaitedForTogether() {
        FloatMemory one = backend.allocate(1);
        try (FloatMemory two = backend.allocate(1);
                FloatReadback readback = backend.allocateReadback(2)) {
            one.fill(1);
            two.fill(2);
            readback.copy(one, 0, 1, 1);
            readback.copy(two.slice(0, 1), 0, 0, 1);
            assertEquals(1, readback.get(1));
            assertEquals(2, readback.get(0));
            one.fill(3);
            readback.copy(one, 0, 0, 0);
            assertTrue(readback.isDone(), "nothing was asked for");
            readback.copy(one, 0, 1, 1);
            one.close();
            assertEquals(3, readback.get(1), "its source was closed");
        }
    }

    @Test
    void whoeverAsksOftenEnoughNeedNotWait() {
        try (FloatMemory memory = backend.allocate(1);
                FloatReadback readback = backend.allocateReadback(1)) {
            memory.fill(5);
            readback.copy(memory, 0, 0, 1);
            int asked = 0;
            while (!readback.isDone()) {
                assertTrue(asked++ < 100, "never done");
            }
            driver.forget(call -> call.name().equals("synchronizeEvent"));
            assertEquals(5, readback.get(0));
            driver.forget(call -> false);
        }
    }

    /** So the tests above would fail if {@link FloatReadback#get} did not wait. */
    @Test
    void withoutWaitingTheResultIsNotThere() {
        try (FloatMemory memory = backend.allocate(1);
                FloatReadback readback = backend.allocateReadback(1)) {
            memory.fill(5);
            readback.copy(memory, 0, 0, 1);
            driver.forget(call -> call.name().equals("synchronizeEvent"));
            assertEquals(0, readback.get(0));
            driver.forget(call -> false);
        }
    }

    @Test
    void closingWaitsForWhatIsUnderWay() {
        FloatMemory memory = backend.allocate(1);
        FloatReadback closed = backend.allocateReadback(1);
        FloatReadback left = backend.allocateReadback(1);
        closed.copy(memory, 0, 0, 1);
        left.copy(memory, 0, 0, 1);
        int before = driver.calls.size();
        closed.close();
        closed.close();
        assertEquals(
                "[synchronizeEvent, destroyEvent, freeHost]",
                driver.calls.subList(before, driver.calls.size()).stream()
                        .map(WatchedDriver.Call::name)
                        .filter(name -> !name.endsWith("Context"))
                        .toList()
                        .toString());
        assertThrows(IllegalStateException.class, () -> closed.get(0));
        assertThrows(IllegalStateException.class, closed::isDone);
        assertThrows(IllegalStateException.class, () -> closed.copy(memory, 0, 0, 1));
        backend.close();
        left.close();
        assertThrows(IllegalStateException.class, () -> left.get(0));
    }

    @Test
    void wrongArgumentsAreRefused() {
        try (FloatMemory memory = backend.allocate(3);
                FloatReadback readback = backend.allocateReadback(2)) {
            assertThrows(IndexOutOfBoundsException.class, () -> readback.copy(memory, 2, 0, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> readback.copy(memory, 0, 1, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> readback.get(2));
            assertThrows(IndexOutOfBoundsException.class, () -> readback.get(0, new float[1], 0, 2));
            assertThrows(IllegalArgumentException.class, () -> backend.allocateReadback(-1));
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> readback.copy(HostFloatMemory.allocate(1), 0, 0, 1));
            assertEquals(
                    "source lies in HostFloatMemory; device memory of this cuda backend expected", e.getMessage());
        }
    }

    @Test
    void aFailureOfTheWorkIsReportedByWhoeverLooks() {
        try (FloatMemory memory = backend.allocate(1);
                FloatReadback readback = backend.allocateReadback(1)) {
            readback.copy(memory, 0, 0, 1);
            Emulator.fail("cuEventQuery", 1, LAUNCH_FAILED);
            assertThrows(CudaException.class, readback::isDone);
            Emulator.fail("cuEventSynchronize", 1, LAUNCH_FAILED);
            CudaException e = assertThrows(CudaException.class, () -> readback.get(0));
            assertEquals(LAUNCH_FAILED, e.code());
        }
    }

    @Test
    void aPlaceThatCannotBeMadeLeavesNothing() {
        Map<String, Long> before = driver.open();
        for (String function : new String[] {"cuMemHostAlloc", "cuEventCreate"}) {
            Emulator.fail(function, 1, UNKNOWN);
            assertThrows(CudaException.class, () -> backend.allocateReadback(1), function);
            assertEquals(before, driver.open(), function);
        }
    }
}
