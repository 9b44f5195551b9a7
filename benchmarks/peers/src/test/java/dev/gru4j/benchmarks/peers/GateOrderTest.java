package dev.gru4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GateOrderTest {
    /** Two units, so blocks of two. */
    private static final float[] OURS = {1, 2, 3, 4, 5, 6};

    @Test
    void theUpdateGateComesFirstInOneDnnAndOnnx() {
        assertArrayEquals(new float[] {3, 4, 1, 2, 5, 6}, GateOrder.UPDATE_RESET_CANDIDATE.fromOurs(OURS));
    }

    @ParameterizedTest
    @EnumSource
    void theWayThereAndBackChangesNothing(GateOrder order) {
        assertArrayEquals(OURS, order.toOurs(order.fromOurs(OURS)));
    }

    @Test
    void aTransposeSwapsRowsAndColumns() {
        assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, GateOrder.transpose(OURS, 2));
    }
}
