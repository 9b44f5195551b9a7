package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.KernelFamily;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a plan decides about its kernels, from the sizes of the problem and of the device. */
class CudaPersistentTest {
    /** 132 multiprocessors with 227 KiB of shared memory for a block. */
    private static final CudaDevice LARGE = device(132, 232448, true);

    private static CudaDevice device(int multiprocessors, int sharedBytes, boolean isCooperative) {
        return new CudaDevice(
                "GPU", 90, 13000, 1L << 30, multiprocessors, 1024, 49152, sharedBytes, isCooperative,
                Integer.MAX_VALUE);
    }

    private static CudaPersistent persistent(CudaDevice device, int H, int maxB, KernelFamily family) {
        GruSpec spec = new GruSpec(3, H, 1, Directions.FORWARD, GruVariant.RESET_AFTER, BiasMode.BOTH, 0);
        return new CudaPersistent(device, spec, maxB, true, family);
    }

    @Test
    void theyAreChosenWhereTheyFit() {
        CudaPersistent small = persistent(LARGE, 1024, 64, KernelFamily.AUTO);
        assertTrue(small.isUsed(64));
        assertEquals(
                "persistent kernels in fp32, W_hh in the shared memory of 128 blocks of 8 units "
                        + "(132488 of 232448 bytes a block), 1 group of 64 rows",
                small.description(64));
    }

    /** Too much shared memory, too few multiprocessors, no cooperative launch. */
    @Test
    void whatDoesNotFitRunsStepByStep() {
        CudaPersistent wide = persistent(LARGE, 2048, 4, KernelFamily.AUTO);
        assertFalse(wide.isUsed(4));
        assertEquals(
                "stepwise kernels in fp32 (persistent kernels do not fit: H = 2048 needs 427012 bytes of shared memory "
                        + "in each block; at most 232448 expected), recurrent projection in 192 tiles of 32x32",
                wide.description(4));
        CudaPersistent few = persistent(device(16, 232448, true), 257, 4, KernelFamily.AUTO);
        assertEquals(
                "stepwise kernels in fp32 (persistent kernels do not fit: H = 257 needs blocks of 17 units on 16 "
                        + "multiprocessors; at most 16 expected), recurrent projection in 25 tiles of 32x32",
                few.description(4));
        assertFalse(persistent(device(132, 232448, false), 32, 4, KernelFamily.AUTO).isUsed(4));
    }

    /** There both families would give other bits, so that results would depend on the device. */
    @Test
    void aBatchOfLargeTilesRunsStepByStepUnlessAskedOtherwise() {
        assertFalse(persistent(LARGE, 1024, 2048, KernelFamily.AUTO).isUsed(2048));
        assertTrue(persistent(LARGE, 1024, 2048, KernelFamily.AUTO).isUsed(32));
        assertTrue(persistent(LARGE, 1024, 2048, KernelFamily.PERSISTENT).isUsed(2048));
        assertFalse(persistent(LARGE, 32, 1, KernelFamily.STEPWISE).isUsed(1));
    }

    @Test
    void askingForWhatDoesNotFitIsAnError() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> persistent(LARGE, 2200, 4, KernelFamily.PERSISTENT));
        assertEquals(
                "persistent kernels were asked for, but H = 2200 needs blocks of 17 units on 132 multiprocessors; "
                        + "at most 16 expected",
                e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 9, 63, 64, 65, 132, 133, 1000})
    void everyRowAndUnitHasItsBlockAndAllBlocksRunAtOnce(int B) {
        for (int H : new int[] {1, 8, 9, 100, 500, 1056, 1057, 1400}) {
            CudaPersistent.Division division = persistent(LARGE, H, B, KernelFamily.PERSISTENT).divide(B);
            String where = "H = " + H + ", B = " + B + ": " + division;
            assertTrue((long) division.units() * division.blocks() >= H, where);
            assertTrue((long) division.units() * (division.blocks() - 1) < H, where);
            assertTrue((long) division.rows() * division.groups() >= B, where);
            assertTrue((long) division.rows() * (division.groups() - 1) < B, where);
            assertTrue(division.blocks() * division.groups() <= LARGE.multiprocessors(), where);
            assertTrue(division.units() <= division.tileUnits(), where);
        }
    }

    @Test
    void aKernelIsNamedByItsTile() {
        CudaPersistent persistent = persistent(LARGE, 1400, 9, KernelFamily.AUTO);
        assertEquals(
                "gru_persistent_backward_reset_after_16x32_f32",
                persistent.kernel(true, persistent.divide(9)).symbol());
        assertEquals(
                "gru_persistent_forward_reset_after_16x8_f32",
                persistent.kernel(false, persistent.divide(8)).symbol());
    }
}
