package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The scale from step to step, worked by hand; what the kernels do with it, the parity suite asks of every backend. */
final class LossScalingTest {
    private static final LossScaling SCALING = new LossScaling(8, 2, 16, 2);

    @Test
    void theScaleFollowsTheSteps() {
        float[] memory = new float[6];
        HostFloatMemory state = HostFloatMemory.wrap(memory).slice(1, LossScaling.STATE_LENGTH);
        state.upload(SCALING.initialState());
        assertArrayEquals(new float[] {0, 8, 0, 0, 0.125f, 0}, memory);
        assertEquals(1, SCALING.advance(state, 64));
        assertArrayEquals(new float[] {0, 8, 1, 0, 0.125f, 0}, memory);
        assertEquals(0.25f, SCALING.advance(state, 16));
        assertArrayEquals(new float[] {0, 16, 0, 0, 0.125f, 0}, memory);
        assertEquals(Float.NaN, SCALING.advance(state, Double.POSITIVE_INFINITY));
        assertArrayEquals(new float[] {0, 8, 0, 1, 0, 0}, memory);
        assertEquals(0, SCALING.advance(state, 0));
        assertArrayEquals(new float[] {0, 8, 1, 1, 0.125f, 0}, memory);
        for (int scale : new int[] {4, 2, 2}) {
            assertEquals(Float.NaN, SCALING.advance(state, Double.NaN));
            assertEquals(scale, memory[1 + LossScaling.SCALE]);
            assertEquals(0, memory[1 + LossScaling.CLEAN_STEPS]);
        }
        assertEquals(4, memory[1 + LossScaling.SKIPPED_STEPS]);
    }

    @Test
    void theScaleNeverGrowsBeyondTheLargest() {
        HostFloatMemory state = HostFloatMemory.wrap(SCALING.initialState());
        for (int step = 0; step < 9; step++) {
            SCALING.advance(state, 1);
        }
        assertEquals(16, state.array()[LossScaling.SCALE]);
    }

    @Test
    void aFixedScaleIsLeftAlone() {
        LossScaling fixed = LossScaling.fixed(1024).withGrowthInterval(1);
        assertTrue(fixed.isFixed());
        HostFloatMemory state = HostFloatMemory.wrap(fixed.initialState());
        fixed.advance(state, 1);
        fixed.advance(state, Double.NaN);
        assertArrayEquals(new float[] {1024, 0, 1, 0}, state.array());
    }

    @Test
    void shouldRejectWhatIsNoPowerOfTwoOrOutOfOrder() {
        for (float bad : new float[] {0, -1, 1000, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, 0x1p127f}) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> LossScaling.fixed(bad));
            assertTrue(String.valueOf(e.getMessage()).startsWith("initial is " + bad + "; a power of two"),
                    e::getMessage);
        }
        assertThrows(IllegalArgumentException.class, () -> new LossScaling(1, 2, 4, 1));
        assertThrows(IllegalArgumentException.class, () -> new LossScaling(8, 2, 4, 1));
        assertThrows(IllegalArgumentException.class, () -> new LossScaling(2, 2, 4, 0));
        assertThrows(IllegalArgumentException.class, () -> new LossScaling(2, 2, 4, (1 << 24) + 1));
        assertEquals(0x1p30f, LossScaling.DYNAMIC.withInitial(0x1p30f).largest());
    }
}
