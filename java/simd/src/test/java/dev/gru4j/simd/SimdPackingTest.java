package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The copies into the layouts of the tiles, element by element, whole blocks and every kind of edge. */
class SimdPackingTest {
    private static final float UNTOUCHED = -1f;

    @TestFactory
    Stream<DynamicTest> aTransposedStripHoldsEveryElementAndZeroForMissingRows() {
        return Widths.kernels().stream().map(kernels -> DynamicTest.dynamicTest(Widths.name(kernels), () -> {
            for (int rows = 1; rows <= kernels.lanes; rows++) {
                for (int K : new int[] {1, kernels.lanes - 1, kernels.lanes, kernels.lanes + 1,
                    3 * kernels.lanes + 2}) {
                    checkTransposed(kernels, rows, K);
                }
            }
        }));
    }

    private static void checkTransposed(SimdKernels kernels, int rows, int K) {
        int offset = 3;
        int lda = K + 5;
        // Nothing lies behind the last element: a load beyond it would throw.
        float[] a = new float[offset + (rows - 1) * lda + K];
        for (int i = 0; i < a.length; i++) {
            a[i] = i + 1;
        }
        int width = 3 * kernels.lanes;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment panel = arena.allocate(4L * K * width, SimdScratch.ALIGNMENT);
            for (long i = 0; i < (long) K * width; i++) {
                panel.setAtIndex(ValueLayout.JAVA_FLOAT, i, UNTOUCHED);
            }
            kernels.transpose(a, offset, lda, rows, K, panel, 4L * kernels.lanes, 4L * width);
            for (int k = 0; k < K; k++) {
                for (int column = 0; column < width; column++) {
                    int row = column - kernels.lanes;
                    float expected = row < 0 || row >= kernels.lanes
                            ? UNTOUCHED
                            : row < rows ? a[offset + row * lda + k]
                            : 0f;
                    assertEquals(
                            expected, panel.getAtIndex(ValueLayout.JAVA_FLOAT, (long) k * width + column),
                            Widths.name(kernels) + ", " + rows + " rows of " + K + ": k " + k + ", column " + column);
                }
            }
        }
    }
}
