package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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
        return persistent(device, H, maxB, family, ProductPrecision.FP32);
    }

    private static CudaPersistent persistent(
            CudaDevice device, int H, int maxB, KernelFamily family, ProductPrecision precision) {
        GruSpec spec = new GruSpec(3, H, 1, Directions.FORWARD, GruVariant.RESET_AFTER, BiasMode.BOTH, 0);
        return new CudaPersistent(device, spec, maxB, true, family, precision);
    }

    private static PlanReport built(PlanReport.Builder report, int B) {
        return report.build(GruSpec.of(1, 1), 1, B, GruPlan.Mode.TRAINING, 0, 0);
    }

    private static PlanReport.Decision decision(CudaPersistent persistent, int B) {
        PlanReport.Builder report = new PlanReport.Builder("cuda");
        persistent.explain(report, B);
        return built(report, B).decisions().getFirst();
    }

    @Test
    void theyAreChosenWhereTheyFit() {
        CudaPersistent small = persistent(LARGE, 1024, 64, KernelFamily.AUTO);
        assertTrue(small.isUsed(64));
        assertEquals(
                new PlanReport.Decision(
                        "kernels",
                        "persistent",
                        "W_hh of a layer fits in shared memory, and B = 64 rows do not fill a GPU with large tiles",
                        List.of(new PlanReport.Refusal(
                                "stepwise", "a launch for every stage of a step, for the same bits"))),
                decision(small, 64));
        PlanReport.Builder division = new PlanReport.Builder("cuda");
        small.explainDivision(division, 64);
        assertEquals(
                List.of(
                        new PlanReport.Fact(
                                "division", "128 blocks of 8 units, 1 group of 64 rows, tiles of 8 units x 32 rows"),
                        new PlanReport.Fact("shared memory", "132488 of 232448 bytes a block"),
                        new PlanReport.Fact(
                                "limit",
                                "H = 1792 for B = 64: H = 1793 needs 232880 bytes of shared memory in each block; "
                                        + "at most 232448 expected")),
                built(division, 64).facts());
    }

    /** Too much shared memory, too few multiprocessors, no cooperative launch. */
    @Test
    void whatDoesNotFitRunsStepByStep() {
        CudaPersistent wide = persistent(LARGE, 2048, 4, KernelFamily.AUTO);
        assertFalse(wide.isUsed(4));
        assertEquals(
                new PlanReport.Decision(
                        "kernels",
                        "stepwise",
                        "persistent kernels do not fit",
                        List.of(new PlanReport.Refusal(
                                "persistent",
                                "H = 2048 needs 304388 bytes of shared memory in each block; "
                                        + "at most 232448 expected"))),
                decision(wide, 4));
        CudaPersistent few = persistent(device(16, 232448, true), 257, 4, KernelFamily.AUTO);
        assertEquals(
                List.of(new PlanReport.Refusal(
                        "persistent",
                        "H = 257 needs blocks of 17 units on 16 multiprocessors; at most 16 expected")),
                decision(few, 4).refused());
        assertFalse(persistent(device(132, 232448, false), 32, 4, KernelFamily.AUTO).isUsed(4));
    }

    /** There both families would give other bits, so that results would depend on the device. */
    @Test
    void aBatchOfLargeTilesRunsStepByStepUnlessAskedOtherwise() {
        assertFalse(persistent(LARGE, 1024, 2048, KernelFamily.AUTO).isUsed(2048));
        assertTrue(persistent(LARGE, 1024, 2048, KernelFamily.AUTO).isUsed(32));
        assertTrue(persistent(LARGE, 1024, 2048, KernelFamily.PERSISTENT).isUsed(2048));
        assertFalse(persistent(LARGE, 32, 1, KernelFamily.STEPWISE).isUsed(1));
        assertEquals(
                "each step of B = 2048 rows fills a GPU with large tiles",
                decision(persistent(LARGE, 1024, 2048, KernelFamily.AUTO), 2048).reason());
        assertEquals("asked for", decision(persistent(LARGE, 32, 1, KernelFamily.STEPWISE), 1).reason());
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
    @EnumSource(ProductPrecision.class)
    void everyRowAndUnitHasItsBlockAndAllBlocksRunAtOnce(ProductPrecision precision) {
        for (int B : new int[] {1, 7, 8, 9, 17, 63, 64, 65, 132, 133, 1000}) {
            for (int H : new int[] {1, 8, 9, 100, 500, 1056, 1057, 1300}) {
                CudaPersistent persistent = persistent(LARGE, H, B, KernelFamily.PERSISTENT, precision);
                CudaBlocks.Division division = persistent.divide(B);
                String where = precision + ", H = " + H + ", B = " + B + ": " + division;
                assertTrue((long) division.units() * division.blocks() >= H, where);
                assertTrue((long) division.units() * (division.blocks() - 1) < H, where);
                assertTrue((long) division.rows() * division.groups() >= B, where);
                assertTrue((long) division.rows() * (division.groups() - 1) < B, where);
                assertTrue(division.blocks() * division.groups() <= LARGE.multiprocessors(), where);
                assertTrue(division.units() <= division.tileUnits(), where);
                assertTrue((long) CudaPersistent.FLAG_STRIDE * division.groups() <= persistent.flagWords(B), where);
                for (boolean isBackward : new boolean[] {false, true}) {
                    assertTrue(persistent.sharedBytes(isBackward, division) <= LARGE.mostSharedBytes(), where);
                }
            }
        }
    }

    /** Bytes of gru_persistent_mma_shared_bytes, as the kernels' own tests have them. */
    @Test
    void registersLeaveSharedMemoryToWhatTheyCannotHold() {
        CudaPersistent half = persistent(LARGE, 1024, 8, KernelFamily.AUTO, ProductPrecision.BF16);
        assertEquals(3 * 8 * 16 * 8 * 4 + 4, half.sharedBytes(false, half.divide(8)), "the sums of three gates");
        CudaPersistent wide = persistent(LARGE, 2112, 8, KernelFamily.AUTO, ProductPrecision.BF16);
        int sums = 8 * 16 * 16 * 4;
        int weights = (2112 - 8 * 128) * 3 * 16 * 2;
        assertEquals(3 * sums + weights + 4, wide.sharedBytes(false, wide.divide(8)));
        assertEquals(sums + weights + 4, wide.sharedBytes(true, wide.divide(8)));
        CudaPersistent single = persistent(LARGE, 1430, 8, KernelFamily.AUTO, ProductPrecision.TF32);
        int chunks = 90 - 3 * 8; // 1430 k are 90 chunks
        assertEquals(3 * sums + chunks * 16 * 3 * 16 * 4 + 4, single.sharedBytes(false, single.divide(8)));
    }

    @Test
    void moreRowsThanFillATileAreSharedByMoreGroupsOfLargerBlocks() {
        CudaPersistent persistent = persistent(LARGE, 1024, 64, KernelFamily.AUTO, ProductPrecision.BF16);
        assertEquals(new CudaBlocks.Division(8, 128, 1, 16, 8, 16), persistent.divide(16));
        assertEquals(new CudaBlocks.Division(16, 64, 2, 9, 16, 16), persistent.divide(17));
        assertEquals(new CudaBlocks.Division(16, 64, 2, 32, 16, 32), persistent.divide(64));
        CudaPersistent split = persistent(LARGE, 1024, 64, KernelFamily.AUTO, ProductPrecision.TF32X3);
        assertEquals(new CudaBlocks.Division(16, 64, 2, 32, 16, 16), split.divide(64), "3xtf32 has no larger tiles");
        // Tiles of 32 rows need more room for sums than there is beside these weights.
        CudaPersistent full = persistent(LARGE, 1430, 64, KernelFamily.AUTO, ProductPrecision.TF32);
        assertEquals(new CudaBlocks.Division(16, 90, 1, 64, 16, 16), full.divide(64));
    }

    /** The largest hidden size on a device of the size of an H200. */
    @ParameterizedTest
    @CsvSource({"BF16, 2112", "FP16, 2112", "TF32, 1456", "TF32X3, 1328"})
    void tensorCoresTakeLayersUpTo(ProductPrecision precision, int H) {
        assertTrue(persistent(LARGE, H, 32, KernelFamily.AUTO, precision).isUsed(32));
        assertFalse(persistent(LARGE, H + 1, 32, KernelFamily.AUTO, precision).isUsed(32));
    }

    /** Registers are used where shared memory alone is too small, and only there. */
    @Test
    void inFp32WhatSharedMemoryCannotHoldLiesInRegisters() {
        CudaPersistent shared = persistent(LARGE, 1452, 32, KernelFamily.AUTO);
        assertEquals(new CudaBlocks.Division(11, 132, 1, 32, 16, 32), shared.divide(32));
        CudaPersistent registers = persistent(LARGE, 1453, 32, KernelFamily.AUTO);
        CudaBlocks.Division division = registers.divide(32);
        assertEquals(new CudaBlocks.Division(12, 122, 1, 32, 16, 16), division);
        // 3 rows of 1453 - 640 k for 12 units, two stages, two tiles
        assertEquals(4 * (12 * 3 * (832 + 4) + 8192 + 128 + 2), registers.sharedBytes(false, division));
        assertEquals(4 * (12 * (2464 + 4) + 8192 + 128 + 2), registers.sharedBytes(true, division));
        assertEquals("gru_persistent_backward_reset_after_16x16_f32", registers.kernel(true, division).symbol());
        assertEquals(
                "W_hh of a layer fits in registers (640 of 1453 k) and shared memory, "
                        + "and B = 32 rows do not fill a GPU with large tiles",
                decision(registers, 32).reason());
    }

    /** The sizes of cuda/README.md: A100, RTX A6000, H100 and H200, B200, RTX 5090. */
    @ParameterizedTest
    @CsvSource({"108, 166912, 1408", "84, 101376, 1056", "132, 232448, 1792", "148, 232448, 1888", "170, 101376, 1344"})
    void inFp32LayersFitUpTo(int multiprocessors, int sharedBytes, int H) {
        CudaDevice device = device(multiprocessors, sharedBytes, true);
        assertTrue(persistent(device, H, 32, KernelFamily.AUTO).isUsed(32));
        assertFalse(persistent(device, H + 1, 32, KernelFamily.AUTO).isUsed(32));
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
        for (ProductPrecision precision : EnumSet.complementOf(EnumSet.of(ProductPrecision.FP32))) {
            CudaPersistent reduced = persistent(LARGE, 1300, 9, KernelFamily.AUTO, precision);
            assertEquals(
                    "gru_persistent_backward_reset_after_16x16_" + precision,
                    reduced.kernel(true, reduced.divide(9)).symbol());
        }
    }
}
