package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A driver that refuses: what the message says, and that nothing stays behind. */
class CudaFailureTest {
    private static final int OUT_OF_MEMORY = 2;
    private static final int LAUNCH_OUT_OF_RESOURCES = 701;
    private static final int LAUNCH_FAILED = 719;

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    @Test
    void outOfMemoryNamesTheSizesAskedAndFree() {
        Emulator.set("memory_bytes", 1_000_000);
        try (GruBackend backend = Emulator.backend();
                FloatMemory first = backend.allocate(100_000)) {
            CudaException e = assertThrows(CudaException.class, () -> backend.allocate(200_000));
            assertEquals(OUT_OF_MEMORY, e.code());
            assertTrue(
                    String.valueOf(e.getMessage()).endsWith(
                            ": 800000 bytes asked, 600000 bytes free of 1000000; a smaller batch, hidden size or"
                                    + " sequence needs less"),
                    e::getMessage);
            first.fill(1);
            assertEquals(1, first.toArray()[99_999], "the backend works on");
        }
    }

    @Test
    void aPlanThatDoesNotFitLeavesNothingBehind() {
        Emulator.set("memory_bytes", 1_000_000);
        try (GruBackend backend = Emulator.backend()) {
            long before = Emulator.usedBytes();
            assertThrows(
                    CudaException.class, () -> backend.plan(GruSpec.of(100, 1000), 10, 10, GruPlan.Mode.TRAINING));
            assertEquals(before, Emulator.usedBytes());
        }
    }

    @Test
    void memoryThatCannotBeClearedIsFreed() {
        try (GruBackend backend = Emulator.backend()) {
            long before = Emulator.usedBytes();
            Emulator.fail("cuMemsetD32Async", 1, LAUNCH_FAILED);
            assertThrows(CudaException.class, () -> backend.allocate(1000));
            assertEquals(before, Emulator.usedBytes());
        }
    }

    @Test
    void closingReleasesWhatIsStillOpen() {
        GruBackend backend = Emulator.backend();
        FloatMemory left = backend.allocate(1000);
        assertTrue(Emulator.usedBytes() >= 4000);
        backend.close();
        assertEquals(0, Emulator.usedBytes());
        left.close();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> backend.allocate(1));
        assertEquals("backend 'cuda' was closed", e.getMessage());
    }

    static Stream<Arguments> callsOfOpen() {
        return Stream.of(
                Arguments.of("cuDevicePrimaryCtxRetain", 1),
                Arguments.of("cuCtxPushCurrent_v2", 1),
                Arguments.of("cuStreamCreate", 1),
                Arguments.of("cuStreamCreate", 2),
                Arguments.of("cuModuleLoadData", 1),
                Arguments.of("cuModuleGetFunction", 1),
                Arguments.of("cuModuleGetFunction", 24),
                Arguments.of("cuMemHostAlloc", 1),
                Arguments.of("cuEventCreate", 1),
                Arguments.of("cuMemHostAlloc", 2),
                Arguments.of("cuEventCreate", 2),
                Arguments.of("cuCtxPopCurrent_v2", 1));
    }

    @ParameterizedTest
    @MethodSource("callsOfOpen")
    void anOpenThatFailsReleasesEverything(String function, int nth) {
        Emulator.fail(function, nth, 999);
        CudaException e = assertThrows(CudaException.class, Emulator::backend);
        assertTrue(String.valueOf(e.getMessage()).contains("CUDA_ERROR_UNKNOWN"), e::getMessage);
        assertEquals(0, Emulator.usedBytes());
        try (GruBackend again = Emulator.backend();
                FloatMemory memory = again.allocate(3)) {
            assertEquals(3, memory.toArray().length, "the next one works");
        }
    }

    @Test
    void aRefusedLaunchNamesKernelGridBlockAndTheDevicesLimits() {
        try (GruBackend backend = Emulator.backend();
                FloatMemory v = backend.allocate(1000);
                FloatMemory result = backend.allocate(1)) {
            Emulator.fail("cuLaunchKernel", 1, LAUNCH_OUT_OF_RESOURCES);
            CudaException e = assertThrows(
                    CudaException.class, () -> backend.trainingKernels().squaredNorm(v, 1000, result));
            assertEquals(
                    "gru_squared_norm_f32: grid 4, block 256, 2048 bytes shared: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;"
                            + " this device allows blocks of 1024 threads and 49152 bytes shared",
                    e.getMessage());
        }
    }

    @Test
    void aKernelThatFailsIsReportedByWhoeverWaitsForIt() {
        GruBackend backend = Emulator.backend();
        FloatMemory v = backend.allocate(1000);
        FloatMemory result = backend.allocate(1);
        backend.trainingKernels().squaredNorm(v, 1000, result);
        Emulator.fail("cuStreamSynchronize", 1, LAUNCH_FAILED);
        CudaException e = assertThrows(CudaException.class, backend::synchronize);
        assertTrue(
                String.valueOf(e.getMessage())
                        .endsWith(
                                " failed: CUDA_ERROR_LAUNCH_FAILED; the latest kernel was gru_sum_f64, grid 1, block 256"),
                e::getMessage);
        backend.close();
        assertEquals(0, Emulator.usedBytes());
    }

    @Test
    void anErrorWhileClosingIsReportedAndTheRestReleased() {
        GruBackend backend = Emulator.backend();
        backend.allocate(1000);
        Emulator.fail("cuMemFree_v2", 1, LAUNCH_FAILED);
        assertThrows(CudaException.class, backend::close);
        assertEquals(0, Emulator.usedBytes());
        backend.close();
    }
}
