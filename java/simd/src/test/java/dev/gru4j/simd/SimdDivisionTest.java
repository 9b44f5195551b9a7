package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruVariant;
import org.junit.jupiter.api.Test;

/** How many threads a call is given. */
final class SimdDivisionTest {
    private static final int LANES = 16;

    private final SimdDivision division = new SimdDivision(false);

    private int threads(int most, GruVariant variant, int T, int B, int I, int H) {
        long multiplyAdds = 3L * T * B * H * (I + H);
        return division.threads(most, LANES, multiplyAdds, B, SimdDivision.meetings(variant, T));
    }

    @Test
    void oneRowWithFewHiddenUnitsStaysOnOneThread() {
        assertEquals(1, threads(2, GruVariant.RESET_AFTER, 50, 1, 64, 64));
        assertEquals(1, threads(8, GruVariant.RESET_BEFORE, 50, 1, 64, 64));
    }

    @Test
    void oneRowWithManyHiddenUnitsIsSharedByUnits() {
        assertEquals(2, threads(2, GruVariant.RESET_AFTER, 100, 1, 256, 256));
        assertEquals(2, threads(2, GruVariant.RESET_BEFORE, 100, 1, 256, 256));
    }

    @Test
    void meetingsOfManyThreadsAreWeighedAgainstTheirWork() {
        int some = threads(64, GruVariant.RESET_AFTER, 100, 1, 256, 256);
        assertTrue(some > 1 && some < 64, () -> some + " of 64 threads for 6 µs of work in a step");
    }

    @Test
    void rowsForEveryThreadAreSharedByAllThreads() {
        assertEquals(8, threads(8, GruVariant.RESET_AFTER, 64, 128, 256, 512));
    }

    @Test
    void aCallOfNoRowsStaysOnOneThread() {
        assertEquals(1, threads(8, GruVariant.RESET_AFTER, 0, 1, 256, 256));
    }

    @Test
    void alwaysTakesAllThreadsForAllButTheSmallestCalls() {
        SimdDivision always = new SimdDivision(true);
        assertEquals(8, always.threads(8, LANES, 100_000, 1, 50));
        assertEquals(1, always.threads(8, LANES, 99_999, 1, 50));
    }

    @Test
    void rowsAreSplitFromSixteenForEachThread() {
        assertTrue(SimdDivision.isByRows(1, 1));
        assertTrue(SimdDivision.isByRows(32, 2));
        assertTrue(!SimdDivision.isByRows(31, 2));
    }
}
