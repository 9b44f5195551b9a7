package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Directions;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.KernelFamily;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stepwise passes that are recorded once: when, that nothing changes by it, and what fails how. */
class CudaGraphsTest {
    private static final int LAUNCH_FAILED = 719;
    private static final int UNKNOWN = 999;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    @Test
    void aPassIsLaunchedOneByOneThenRecordedThenLaunchedAsOne() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL)) {
            run.begin(0);
            long[] first = counts(() -> run.plan().forward(run.call()));
            assertTrue(first[0] > 20, () -> "launches: " + Arrays.toString(first));
            assertEquals(0, first[1]);
            run.begin(2);
            long[] second = counts(() -> run.plan().forward(run.call()));
            assertArrayEquals(new long[] {first[0], 1, 1}, second, "launches, graphs launched, copies");
            run.begin(2);
            long[] third = counts(() -> run.plan().forward(run.call()));
            assertArrayEquals(new long[] {0, 1, 1}, third, "launches, graphs launched, copies");
        }
    }

    /** Launches of kernels, launches of graphs, copies to the device. */
    private static long[] counts(Runnable work) {
        String[] functions = {"cuLaunchKernel", "cuGraphLaunch", "cuMemcpyHtoDAsync_v2"};
        long[] before = Arrays.stream(functions).mapToLong(Emulator::calls).toArray();
        work.run();
        long[] counts = Arrays.stream(functions).mapToLong(Emulator::calls).toArray();
        for (int k = 0; k < counts.length; k++) {
            counts[k] -= before[k];
        }
        return counts;
    }

    static Stream<Arguments> variantsAndDirections() {
        return Arrays.stream(GruVariant.values())
                .flatMap(v -> Stream.of(Directions.REVERSE, Directions.BIDIRECTIONAL).map(d -> Arguments.of(v, d)));
    }

    /**
     * Padded and not, with masks and lengths of their own, gradients overwritten and then added to, branches of the
     * graphs in the one order and in the other.
     */
    @ParameterizedTest
    @MethodSource("variantsAndDirections")
    void everyCallHasTheBitsOfLaunchesOneByOne(GruVariant variant, Directions directions) {
        List<float[]> expected =
                steps(() -> Emulator.backendWithoutGraphs(KernelFamily.STEPWISE), variant, directions);
        assertEquals(0, Emulator.calls("cuGraphLaunch"));
        for (int ahead = 0; ahead <= 1; ahead++) {
            Emulator.reset();
            Emulator.set("ahead", ahead);
            List<float[]> found = steps(() -> Emulator.backend(KernelFamily.STEPWISE), variant, directions);
            // Forward 5 calls padded and 4 not; backward 2 and 3, 2 and 2, for accumulate is a key too.
            assertEquals(4 + 3 + 1 + 2 + 1 + 1, Emulator.calls("cuGraphLaunch"));
            assertSameSteps(expected, found, "ahead = " + ahead);
        }
    }

    @Test
    void productsOfCublasAreRecordedToo() {
        Supplier<GruBackend> withCublas = () -> Emulator.backendWithCublas(KernelFamily.STEPWISE);
        System.setProperty(CudaGraphs.PROPERTY, "false");
        List<float[]> expected;
        try {
            expected = steps(withCublas, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL);
        } finally {
            System.clearProperty(CudaGraphs.PROPERTY);
        }
        List<float[]> found = steps(withCublas, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL);
        assertSameSteps(expected, found, "with graphs");
    }

    /** Closing cuBLAS waits for the context that all backends share, and such a wait would spoil a recording. */
    @Test
    void aRecordingIsNotSpoiledByOtherBackendsThatOpenAndClose() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                ExecutorService executor = Executors.newSingleThreadExecutor()) {
            List<float[]> expected = steps(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL);
            Future<Integer> others = executor.submit(() -> {
                int count = 0;
                while (!isDone.get()) {
                    Emulator.backendWithCublas().close();
                    count++;
                }
                return count;
            });
            try {
                for (int round = 0; round < 5; round++) {
                    List<float[]> found = steps(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL);
                    assertSameSteps(expected, found, "round " + round);
                }
            } finally {
                isDone.set(true);
            }
            others.get();
        }
    }

    private static List<float[]> steps(Supplier<GruBackend> open, GruVariant variant, Directions directions) {
        try (GruBackend backend = open.get()) {
            return steps(backend, variant, directions);
        }
    }

    private static List<float[]> steps(GruBackend backend, GruVariant variant, Directions directions) {
        List<float[]> results = new ArrayList<>();
        try (CudaRun run = new CudaRun(backend, variant, directions)) {
            for (int k = 0; k < 9; k++) {
                run.step(k);
                results.add(run.results());
            }
        }
        assertFalse(Arrays.equals(results.get(0), results.get(2)), "lengths and masks matter");
        return results;
    }

    private static void assertSameSteps(List<float[]> expected, List<float[]> found, String where) {
        for (int k = 0; k < expected.size(); k++) {
            assertArrayEquals(expected.get(k), found.get(k), where + ", step " + k);
        }
    }

    @Test
    void otherMemoryIsAnotherGraph() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.FORWARD)) {
            FloatMemory first = run.memory(run.plan().workspaceLength());
            FloatMemory second = run.memory(run.plan().workspaceLength());
            float[] expected = null;
            for (int k = 0; k < 6; k++) {
                run.call().workspace(k % 2 == 0 ? first : second);
                run.step(0);
                if (expected == null) {
                    expected = run.results();
                }
                assertArrayEquals(expected, run.results(), "call " + k);
            }
            assertEquals(4, Emulator.calls("cuGraphInstantiateWithFlags"), "two passes, two workspaces");
            first.close(); // what a graph holds of it is not used again
            run.step(0);
            assertArrayEquals(expected, run.results());
        }
    }

    @Test
    void theGraphUsedLongestAgoGives() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.FORWARD)) {
            List<FloatMemory> inputs = new ArrayList<>();
            for (int k = 0; k <= CudaGraphs.MOST; k++) {
                inputs.add(run.memory(CudaRun.X_LENGTH));
            }
            run.begin(1);
            for (int round = 0; round < 3; round++) {
                for (int k = 0; k < CudaGraphs.MOST; k++) {
                    run.plan().forward(run.call().x(inputs.get(k)));
                }
            }
            assertEquals(CudaGraphs.MOST, Emulator.calls("cuGraphInstantiateWithFlags"));
            assertEquals(2 * CudaGraphs.MOST, Emulator.calls("cuGraphLaunch"));
            long open = Emulator.openHandles();
            run.plan().forward(run.call().x(inputs.get(CudaGraphs.MOST)));
            assertEquals(open - 1, Emulator.openHandles(), "the first one's graph is destroyed");
            run.plan().forward(run.call().x(inputs.get(1)));
            assertEquals(2 * CudaGraphs.MOST + 1, Emulator.calls("cuGraphLaunch"), "the second one's is there");
            run.plan().forward(run.call().x(inputs.get(0)));
            assertEquals(2 * CudaGraphs.MOST + 1, Emulator.calls("cuGraphLaunch"), "the first one's is not");
        }
    }

    @Test
    void persistentKernelsAreLaunchedOneByOne() {
        try (GruBackend backend = Emulator.backend(KernelFamily.PERSISTENT);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.FORWARD)) {
            run.step(0);
            run.step(0);
            run.step(0);
            backend.synchronize();
            assertEquals(0, Emulator.calls("cuStreamBeginCapture_v2"));
        }
    }

    static Stream<Arguments> callsOfRecording() {
        return Stream.of(
                Arguments.of("cuStreamBeginCapture_v2", 1),
                Arguments.of("cuEventRecord", 2), // the first ones are those of the upload of lengths
                Arguments.of("cuStreamWaitEvent", 2),
                Arguments.of("cuLaunchKernel", 1),
                Arguments.of("cuMemcpyDtoDAsync_v2", 2),
                Arguments.of("cuLaunchKernel", 13),
                Arguments.of("cuStreamWaitEvent", 3),
                Arguments.of("cuStreamWaitEvent", 5),
                Arguments.of("cuStreamEndCapture", 1),
                Arguments.of("cuGraphInstantiateWithFlags", 1),
                Arguments.of("cuGraphLaunch", 1));
    }

    @ParameterizedTest
    @MethodSource("callsOfRecording")
    void aRecordingThatFailsLeavesNothingOpenAndTheNextCallWorks(String function, int nth) {
        float[] expected;
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE)) {
            try (CudaRun run = new CudaRun(backend, GruVariant.RESET_BEFORE, Directions.BIDIRECTIONAL)) {
                run.step(0);
                expected = run.results();
                run.begin(0);
                Emulator.fail(function, nth, UNKNOWN);
                CudaException e = assertThrows(CudaException.class, () -> run.plan().forward(run.call()));
                assertTrue(String.valueOf(e.getMessage()).contains("CUDA_ERROR_UNKNOWN"), e::getMessage);
                run.step(0);
                assertArrayEquals(expected, run.results());
            }
        }
        assertEquals(0, Emulator.openHandles());
        assertEquals(0, Emulator.usedBytes());
    }

    /** A stream that joined the recording must be waited for; the driver says when that was forgotten. */
    @Test
    void aGraphWithoutItsJoinIsRefusedWithTheWayOut() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL)) {
            run.step(1);
            Emulator.lose("cuStreamWaitEvent", 5); // behind that of the upload of the masks' draw
            CudaException e = assertThrows(CudaException.class, () -> run.plan().forward(run.call()));
            assertEquals(
                    "recording the forward pass as a graph (without graphs: -Dgru4j.cuda.graphs=false):"
                            + " CUDA_ERROR_STREAM_CAPTURE_UNJOINED on emulated on the CPU, no GPU",
                    e.getMessage());
        }
    }

    @Test
    void aKernelThatFailsInAGraphIsReportedWithWhatTheGraphHolds() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.FORWARD)) {
            run.step(1);
            run.step(1);
            Emulator.fail("cuStreamSynchronize", 1, LAUNCH_FAILED);
            CudaException e = assertThrows(CudaException.class, backend::synchronize);
            assertTrue(
                    String.valueOf(e.getMessage())
                            .contains("failed: CUDA_ERROR_LAUNCH_FAILED; the latest launch was a graph of 8"
                                    + " gru_cell_backward_reset_after_f32, "),
                    e::getMessage);
            assertTrue(
                    String.valueOf(e.getMessage())
                            .endsWith("; with -Dgru4j.cuda.graphs=false they are launched one by one"),
                    e::getMessage);
        }
    }

    @Test
    void closingThePlanOrTheBackendDestroysTheGraphs() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE)) {
            long before;
            try (CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.FORWARD)) {
                run.step(1);
                before = Emulator.openHandles();
                run.step(1);
                assertEquals(before + 2, Emulator.openHandles());
            }
            assertEquals(before, Emulator.openHandles());
        }
        GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
        CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL);
        run.step(1);
        run.step(1);
        backend.close();
        assertEquals(0, Emulator.openHandles());
        run.close();
    }

    @Test
    void thePropertyIsTrueOrFalse() {
        System.setProperty(CudaGraphs.PROPERTY, "off");
        try {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, Emulator::backend);
            assertEquals("gru4j.cuda.graphs is 'off'; true or false expected", e.getMessage());
        } finally {
            System.clearProperty(CudaGraphs.PROPERTY);
        }
    }
}
