package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** On a CPU backend a result is there as soon as it is asked for. */
final class HostReadbackTest {
    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);

    @Test
    void aResultIsWhatItWasWhenItWasAskedFor() {
        FloatMemory memory = HostFloatMemory.wrap(new float[] {1, 2, 3});
        try (FloatReadback readback = backend.allocateReadback(3)) {
            assertEquals(3, readback.length());
            assertTrue(readback.isDone());
            readback.copy(memory, 1, 0, 2);
            memory.fill(9);
            assertTrue(readback.isDone());
            float[] found = new float[4];
            readback.get(0, found, 1, 3);
            assertArrayEquals(new float[] {0, 2, 3, 0}, found);
            assertEquals(3, readback.get(1));
        }
    }

    @Test
    void wrongArgumentsAndUseAfterClosingAreRefused() {
        FloatMemory memory = HostFloatMemory.allocate(3);
        FloatReadback readback = backend.allocateReadback(2);
        assertThrows(IndexOutOfBoundsException.class, () -> readback.copy(memory, 2, 0, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> readback.copy(memory, 0, 1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> readback.get(2));
        assertThrows(IndexOutOfBoundsException.class, () -> readback.get(0, new float[1], 0, 2));
        assertThrows(IllegalArgumentException.class, () -> backend.allocateReadback(-1));
        readback.close();
        readback.close();
        assertThrows(IllegalStateException.class, readback::isDone);
        assertThrows(IllegalStateException.class, () -> readback.copy(memory, 0, 0, 1));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> readback.get(0));
        assertEquals("readback of 2 floats was closed", e.getMessage());
    }
}
