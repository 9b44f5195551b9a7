package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostFloatMemoryTest {
    @Test
    void newMemoryIsZeroAndWrittenMemoryReadsBack() {
        try (HostFloatMemory memory = HostFloatMemory.allocate(5)) {
            assertArrayEquals(new float[5], memory.toArray());
            memory.upload(1, new float[] {9, 1, 2, 9}, 1, 2);
            assertArrayEquals(new float[] {0, 1, 2, 0, 0}, memory.toArray());
            float[] target = new float[4];
            memory.download(2, target, 1, 2);
            assertArrayEquals(new float[] {0, 2, 0, 0}, target);
            memory.upload(7, 8);
            assertArrayEquals(new float[] {7, 8, 2, 0, 0}, memory.toArray());
        }
    }

    @Test
    void wrappedMemoryIsTheCallersArray() {
        float[] array = {1, 2, 3};
        try (HostFloatMemory memory = HostFloatMemory.wrap(array)) {
            assertSame(array, memory.array());
            memory.fill(4);
            assertArrayEquals(new float[] {4, 4, 4}, array);
        }
    }

    @Test
    void aSliceSharesItsFloatsAndNoOthers() {
        try (HostFloatMemory memory = HostFloatMemory.allocate(6);
                HostFloatMemory slice = memory.slice(1, 4);
                HostFloatMemory inner = slice.slice(1, 2)) {
            slice.fill(1);
            inner.fill(2);
            inner.upload(1, new float[] {3}, 0, 1);
            assertArrayEquals(new float[] {0, 1, 2, 3, 1, 0}, memory.toArray());
            assertArrayEquals(new float[] {2, 3}, inner.toArray());
            assertEquals(2, inner.offset());
        }
    }

    @Test
    void segmentsAndBuffersOfAnyAlignmentAreCopied() {
        try (HostFloatMemory memory = HostFloatMemory.allocate(4);
                Arena arena = Arena.ofConfined()) {
            MemorySegment odd = arena.allocate(9).asSlice(1);
            odd.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 0, 5);
            odd.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4, 6);
            memory.slice(1, 3).upload(1, odd);
            assertArrayEquals(new float[] {0, 0, 5, 6}, memory.toArray());
            memory.download(1, odd);
            assertEquals(5, odd.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4));

            FloatBuffer buffer = FloatBuffer.wrap(new float[] {1, 2, 3});
            buffer.position(1);
            memory.upload(0, buffer);
            assertArrayEquals(new float[] {2, 3, 5, 6}, memory.toArray());
            memory.download(2, buffer);
            assertArrayEquals(new float[] {1, 5, 6}, buffer.array());
            assertEquals(1, buffer.position());
        }
    }

    @Test
    void nothingIsReadOrWrittenBeyondTheEnds() {
        try (HostFloatMemory whole = HostFloatMemory.allocate(10);
                HostFloatMemory memory = whole.slice(2, 5)) {
            float[] six = new float[6];
            for (Runnable call : List.<Runnable>of(
                    () -> memory.upload(0, six, 0, 6),
                    () -> memory.upload(-1, six, 0, 1),
                    () -> memory.upload(4, six, 0, 2),
                    () -> memory.upload(0, six, 5, 2),
                    () -> memory.upload(Long.MAX_VALUE, six, 0, 1),
                    () -> memory.upload(0, MemorySegment.ofArray(six)),
                    () -> memory.download(0, six, 0, 6),
                    () -> memory.download(0, six, 4, 3),
                    () -> memory.download(1, MemorySegment.ofArray(new float[5])),
                    () -> memory.slice(-1, 2),
                    () -> memory.slice(4, 2),
                    () -> memory.slice(0, -1))) {
                assertThrows(IndexOutOfBoundsException.class, call::run);
            }
            assertArrayEquals(new float[10], whole.toArray());
        }
    }

    @Test
    void aSegmentThatIsNoRowOfFloatsIsRefused() {
        try (HostFloatMemory memory = HostFloatMemory.allocate(2)) {
            MemorySegment segment = MemorySegment.ofArray(new byte[7]);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> memory.upload(0, segment));
            assertEquals("segment has 7 bytes; a multiple of 4, at most 2147483639 floats, expected", e.getMessage());
        }
    }

    @Test
    void impossibleLengthsAreRefused() {
        for (long length : new long[] {-1, Integer.MAX_VALUE - 7, Long.MAX_VALUE}) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> HostFloatMemory.allocate(length));
            assertEquals(
                    "length is " + length + " floats; 0 to 2147483639 fit the memory of a CPU backend", e.getMessage());
        }
    }

    @Test
    void closingMemoryClosesItsSlicesAndClosingASliceClosesNothing() {
        HostFloatMemory memory = HostFloatMemory.allocate(3);
        HostFloatMemory slice = memory.slice(1, 2);
        slice.close();
        slice.fill(1);
        memory.close();
        memory.close();
        for (Runnable call : List.<Runnable>of(
                memory::array,
                slice::array,
                () -> slice.fill(2),
                () -> memory.slice(0, 1),
                () -> memory.upload(1),
                () -> slice.download(0, new float[1], 0, 1))) {
            assertThrows(IllegalStateException.class, call::run);
        }
        assertEquals(
                "memory of 2 floats was closed",
                assertThrows(IllegalStateException.class, slice::array).getMessage());
    }

    @Test
    void closingWrappedMemoryLeavesTheCallersArray() {
        float[] array = {1, 2};
        HostFloatMemory.wrap(array).close();
        assertArrayEquals(new float[] {1, 2}, array);
    }

    @Test
    void aWindowMovesFromArrayToArray() {
        float[] first = {1, 2, 3};
        float[] second = {4, 5, 6, 7};
        HostFloatMemory window = HostFloatMemory.window();
        assertEquals(0, window.length());
        window.moveTo(first, 1, 2);
        assertArrayEquals(new float[] {2, 3}, window.toArray());
        window.moveTo(second, 0, 4);
        assertArrayEquals(second, window.toArray());
        window.upload(8, 9, 10, 11);
        assertArrayEquals(new float[] {8, 9, 10, 11}, second);
        window.close();
        assertEquals(0, window.length());
        assertEquals(0, window.array().length);
        assertArrayEquals(new float[] {8, 9}, window.moveTo(second, 0, 2).toArray());
    }

    @Test
    void aWindowBeyondTheArrayIsRefusedAndMemoryThatIsNoneStays() {
        HostFloatMemory window = HostFloatMemory.window();
        assertThrows(IndexOutOfBoundsException.class, () -> window.moveTo(new float[3], 2, 2));
        HostFloatMemory memory = HostFloatMemory.allocate(3);
        IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> memory.moveTo(new float[5], 0, 5));
        assertEquals("memory of 3 floats is no window; it stays where it is", e.getMessage());
        assertEquals(3, memory.length());
    }
}
