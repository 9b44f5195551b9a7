package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Device memory keeps the rules of {@link FloatMemory}, for every size and from every thread. */
class CudaMemoryTest {
    /** Floats of a chunk of {@link CudaUploads} and {@link CudaDownloads}. */
    private static final int CHUNK = (int) (CudaUploads.Ring.DEFAULT.chunkBytes() / Float.BYTES);

    private GruBackend backend;

    @SuppressWarnings("NullAway.Init") // Set before each test.
    CudaMemoryTest() {}

    @BeforeEach
    void open() {
        Emulator.assumeBuilt();
        backend = Emulator.backend();
    }

    @AfterEach
    void close() {
        if (backend != null) { // not where the emulator is missing
            backend.close();
        }
    }

    @Test
    void newMemoryIsZero() {
        try (FloatMemory memory = backend.allocate(1000);
                IntMemory integers = backend.allocateInts(10)) {
            assertArrayEquals(new float[1000], memory.toArray());
            int[] found = {7};
            integers.download(9, found, 0, 1);
            assertEquals(0, found[0]);
        }
    }

    @Test
    void whatIsUploadedIsDownloadedAtEverySizeAroundAChunk() {
        for (int floats : new int[] {0, 1, 31, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5}) {
            float[] values = random(floats);
            try (FloatMemory memory = backend.allocate(floats)) {
                memory.upload(values);
                assertArrayEquals(values, memory.toArray(), floats + " floats");
            }
        }
    }

    @Test
    void partsAreCopiedToTheirPlaces() {
        float[] values = random(100);
        try (FloatMemory memory = backend.allocate(100)) {
            memory.upload(10, values, 20, 30);
            memory.upload(60, MemorySegment.ofArray(values).asSlice(4, 40));
            float[] found = new float[100];
            memory.download(10, found, 0, 30);
            memory.download(60, MemorySegment.ofArray(found).asSlice(200, 40));
            for (int k = 0; k < 30; k++) {
                assertEquals(values[20 + k], found[k], "float " + k);
            }
            for (int k = 0; k < 10; k++) {
                assertEquals(values[1 + k], found[50 + k], "float " + (60 + k));
            }
        }
    }

    @Test
    void aSliceSharesItsParentsFloatsAndFreesNothing() {
        try (FloatMemory memory = backend.allocate(10)) {
            FloatMemory slice = memory.slice(3, 4);
            slice.fill(2.5f);
            slice.close();
            assertArrayEquals(new float[] {0, 0, 0, 2.5f, 2.5f, 2.5f, 2.5f, 0, 0, 0}, memory.toArray());
            assertThrows(IndexOutOfBoundsException.class, () -> memory.slice(7, 4));
            assertThrows(IndexOutOfBoundsException.class, () -> slice.upload(1, new float[4], 0, 4));
        }
    }

    @Test
    void useAfterClosingIsRefused() {
        FloatMemory memory = backend.allocate(3);
        FloatMemory slice = memory.slice(0, 2);
        memory.close();
        memory.close();
        assertThrows(IllegalStateException.class, memory::toArray);
        assertThrows(IllegalStateException.class, () -> slice.fill(1));
        assertThrows(IllegalStateException.class, () -> memory.slice(0, 1));
        IntMemory integers = backend.allocateInts(3);
        integers.close();
        assertThrows(IllegalStateException.class, () -> integers.upload(0, new int[1], 0, 1));
    }

    @Test
    void memoryOfAnotherBackendIsRefusedByName() {
        try (GruBackend other = Emulator.backend();
                FloatMemory here = backend.allocate(1);
                FloatMemory there = other.allocate(1)) {
            IllegalArgumentException foreign = assertThrows(
                    IllegalArgumentException.class,
                    () -> backend.trainingKernels().squaredNorm(HostFloatMemory.allocate(1), 1, here));
            assertEquals(
                    "v lies in HostFloatMemory; device memory of this cuda backend expected", foreign.getMessage());
            IllegalArgumentException sibling = assertThrows(
                    IllegalArgumentException.class, () -> backend.trainingKernels().squaredNorm(here, 1, there));
            assertEquals(
                    "result belongs to another cuda backend; memory of the one that computes expected",
                    sibling.getMessage());
        }
    }

    @Test
    void idsOutsideTheirRangeAreRefusedBeforeAnythingIsWritten() {
        try (IntMemory ids = backend.allocateInts(3);
                FloatMemory table = backend.allocate(8);
                FloatMemory out = backend.allocate(6)) {
            ids.upload(0, new int[] {1, 4, 0}, 0, 3);
            out.fill(9);
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> backend.trainingKernels().embeddingForward(ids, table, 3, 4, 2, out));
            assertEquals("ids[1] is 4; 0 to 3, or -1 for none, expected", e.getMessage());
            assertArrayEquals(new float[] {9, 9, 9, 9, 9, 9}, out.toArray());
        }
    }

    @Test
    void kernelsOnNothingGiveEmptySums() {
        try (FloatMemory some = backend.allocate(6);
                FloatMemory result = backend.allocate(6);
                IntMemory ids = backend.allocateInts(1)) {
            TrainingKernels kernels = backend.trainingKernels();
            result.fill(5);
            kernels.squaredNorm(some, 0, result);
            assertEquals(0, result.toArray()[0]);
            result.fill(5);
            kernels.softmaxCrossEntropy(some, ids, 0, 3, 1, result, some);
            assertEquals(0, result.toArray()[0]);
            result.fill(5);
            kernels.squaredError(some, some, null, 0, 2, 1, result, null);
            assertEquals(0, result.toArray()[0]);
            result.fill(5);
            kernels.denseBackward(some, some, some, 0, 2, 3, null, result, null, false);
            assertArrayEquals(new float[6], result.toArray());
            result.fill(5);
            kernels.denseBackward(some, some, some, 0, 2, 3, null, result, null, true);
            kernels.denseForward(some, some, null, 0, 2, 3, result);
            kernels.embeddingForward(ids, some, 0, 3, 2, result);
            kernels.adam(result, some, some, some, 0, new TrainingKernels.Adam(1, 0.9f, 0.99f, 1e-8f, 0, 1));
            assertArrayEquals(new float[] {5, 5, 5, 5, 5, 5}, result.toArray());
        }
    }

    @Test
    void sizesThatOverflowAreRefused() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> backend.allocate(Long.MAX_VALUE / 2));
        assertTrue(String.valueOf(e.getMessage()).startsWith("length is 4611686018427387903 floats"), e::getMessage);
        assertThrows(IllegalArgumentException.class, () -> backend.allocate(-1));
        assertThrows(IllegalArgumentException.class, () -> backend.allocateInts(1L << 31));
    }

    @Test
    void everyThreadMayCall() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            Callable<Double> sum = () -> {
                float[] values = random(5000);
                try (FloatMemory memory = backend.allocate(values.length);
                        FloatMemory norm = backend.allocate(1)) {
                    memory.upload(values);
                    backend.trainingKernels().squaredNorm(memory, values.length, norm);
                    return (double) norm.toArray()[0];
                }
            };
            double expected = sum.call();
            for (var found : threads.invokeAll(java.util.Collections.nCopies(16, sum))) {
                assertEquals(expected, found.get());
            }
        }
    }

    private static float[] random(int floats) {
        SplittableRandom random = new SplittableRandom(floats);
        float[] values = new float[floats];
        for (int k = 0; k < floats; k++) {
            values[k] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
