package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.ProductPrecision;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Two directions side by side, in every order that their waits leave open. */
class CudaStreamsTest {
    private static final int UNKNOWN = 999;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    @ParameterizedTest
    @EnumSource(names = {"STEPWISE", "PERSISTENT"})
    void everyOrderGivesTheSameBits(KernelFamily family) {
        assertArrayEquals(run(family, 0, 0), run(family, 1, 0));
    }

    /**
     * Two layers, a fork and a join in each, forward and backward; between them lie the waits of uploads, which are
     * not looked at here: one in front of the forward, two in front of the backward.
     */
    static IntStream waits() {
        return IntStream.of(2, 3, 4, 5, 8, 9, 10, 11);
    }

    /** Each one is needed: without it, one of the two orders gives other numbers. */
    @ParameterizedTest
    @MethodSource("waits")
    void aWaitThatIsMissingShows(int wait) {
        float[] expected = run(KernelFamily.STEPWISE, 0, 0);
        float[] behind = run(KernelFamily.STEPWISE, 0, wait);
        float[] ahead = run(KernelFamily.STEPWISE, 1, wait);
        assertFalse(Arrays.equals(expected, behind) && Arrays.equals(expected, ahead), "wait " + wait);
    }

    /**
     * One call on fresh memory, the side stream as late or as early as can be. Between forward and backward lie
     * what reads the one and what brings a gradient for the other, so that no wait is made up for by a later one.
     *
     * @param lost number of the wait that is left out; 0: none
     */
    private static float[] run(KernelFamily family, int ahead, int lost) {
        Emulator.set("ahead", ahead);
        try (GruBackend backend = Emulator.backend(family);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_BEFORE, Directions.BIDIRECTIONAL)) {
            run.begin(0);
            if (lost > 0) {
                Emulator.lose("cuStreamWaitEvent", lost);
            }
            run.plan().forward(run.call());
            float[] forward = run.results();
            run.newOutputGradient();
            run.plan().backward(run.call());
            float[] backward = run.results();
            float[] both = Arrays.copyOf(forward, forward.length + backward.length);
            System.arraycopy(backward, 0, both, forward.length, backward.length);
            return both;
        }
    }

    @Test
    void oneDirectionNeedsNoEvents() {
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.REVERSE)) {
            run.begin(1);
            long before = Emulator.calls("cuStreamWaitEvent");
            run.plan().forward(run.call());
            assertEquals(before + 1, Emulator.calls("cuStreamWaitEvent"), "that of an upload");
            assertEquals(2, Emulator.calls("cuStreamCreate"), "the main one and that of uploads");
        }
    }

    @Test
    void aCallThatFailsHalfWayLeavesNothingRunningBesideTheNext() {
        Emulator.set("ahead", 0);
        try (GruBackend backend = Emulator.backend(KernelFamily.STEPWISE);
                CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL)) {
            run.step(0);
            float[] expected = run.results();
            for (String function : new String[] {"cuStreamWaitEvent", "cuEventRecord"}) {
                for (int nth = 2; nth <= 5; nth++) { // the first one is that of an upload
                    Emulator.reset();
                    run.begin(1); // not recorded yet
                    Emulator.fail(function, nth, UNKNOWN);
                    assertThrows(CudaException.class, () -> run.plan().forward(run.call()));
                }
            }
            run.step(0);
            assertArrayEquals(expected, run.results());
        }
    }

    @Test
    void aSideStreamThatCannotBeMadeLeavesNothingBehind() {
        for (int nth = 1; nth <= 3; nth++) {
            try (GruBackend backend = Emulator.backend()) {
                long before = Emulator.usedBytes();
                Emulator.fail(nth < 3 ? "cuEventCreate" : "cuStreamCreate", nth < 3 ? nth : 1, UNKNOWN);
                assertThrows(
                        CudaException.class,
                        () -> new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL));
                assertEquals(before, Emulator.usedBytes());
                try (CudaRun run = new CudaRun(backend, GruVariant.RESET_AFTER, Directions.BIDIRECTIONAL)) {
                    run.step(1);
                }
            }
            assertEquals(0, Emulator.openHandles());
        }
    }

    // ---- how the device is shared ------------------------------------------------------------------

    private static CudaDirections directions(int H, Directions directions, int multiprocessors, KernelFamily family) {
        CudaDevice device = new CudaDevice(
                "GPU", 90, 13000, 1L << 30, multiprocessors, 1024, 49152, 232448, true, Integer.MAX_VALUE);
        GruSpec spec = new GruSpec(3, H, 1, directions, GruVariant.RESET_AFTER, BiasMode.BOTH, 0);
        return new CudaDirections(device, spec, 4, true, family, ProductPrecision.FP32);
    }

    @Test
    void persistentKernelsOfTwoDirectionsHaveHalfOfTheDeviceEach() {
        for (int H : new int[] {1, 9, 500, 1000}) {
            for (int multiprocessors : new int[] {132, 133, 148}) {
                CudaDirections two = directions(H, Directions.BIDIRECTIONAL, multiprocessors, KernelFamily.PERSISTENT);
                CudaBlocks.Division division = two.persistent().divide(4);
                String where = "H = " + H + ", " + multiprocessors + " multiprocessors: " + division;
                assertTrue(two.areSideBySide(4), where);
                assertTrue(2 * division.blocks() * division.groups() <= multiprocessors, where);
            }
        }
        assertFalse(directions(500, Directions.FORWARD, 132, KernelFamily.PERSISTENT).areSideBySide(4));
    }

    @Test
    void whatNeedsTheWholeDeviceRunsInTurn() {
        CudaDirections two = directions(1400, Directions.BIDIRECTIONAL, 132, KernelFamily.AUTO);
        assertTrue(two.persistent().isUsed(4));
        assertFalse(two.areSideBySide(4));
        CudaDirections stepwise = directions(1400, Directions.BIDIRECTIONAL, 132, KernelFamily.STEPWISE);
        assertTrue(stepwise.areSideBySide(4), "kernels of one step wait for nobody");
    }
}
