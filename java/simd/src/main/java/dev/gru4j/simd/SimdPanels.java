package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Whole matrices packed into general panels (K,2 vectors), the last one of 1 vector where that suffices;
 * columns beyond the matrix are 0. Panel q starts at float K·q·2·lanes.
 */
final class SimdPanels {
    private SimdPanels() {}

    /** Panels over the columns of a matrix (K,columns): K runs over its rows. */
    static void packRows(
            SimdKernels kernels, float[] a, int ao, int K, int columns, int[] identity, MemorySegment target,
            SimdPool pool) {
        int wide = SimdShape.GENERAL_VECTORS * kernels.lanes;
        int panels = Math.ceilDiv(columns, wide);
        pool.run((worker, team) -> {
            for (int q = team.share(panels, worker); q < team.share(panels, worker + 1); q++) {
                int left = columns - q * wide;
                kernels.packRows(
                        a, ao + q * wide, columns, identity, 0, K, left, target, 4L * K * q * wide,
                        vectors(kernels, left));
            }
        }, pool.threads());
    }

    /** Panels over the rows of a matrix (columns,K): K runs over its columns. */
    static void packTransposed(
            SimdKernels kernels, float[] a, int ao, int columns, int K, MemorySegment target, SimdPool pool) {
        int wide = SimdShape.GENERAL_VECTORS * kernels.lanes;
        int panels = Math.ceilDiv(columns, wide);
        pool.run((worker, team) -> {
            for (int q = team.share(panels, worker); q < team.share(panels, worker + 1); q++) {
                int left = columns - q * wide;
                int width = vectors(kernels, left) * kernels.lanes;
                long start = (long) K * q * wide;
                for (int j = 0; j < width; j++) {
                    if (j < left) {
                        transpose(a, ao + (q * wide + j) * K, K, target, start + j, width);
                    } else {
                        clear(K, target, start + j, width);
                    }
                }
            }
        }, pool.threads());
    }

    /** a[from … from+K) becomes a column of a panel, {@code width} floats from row to row. */
    static void transpose(float[] a, int from, int K, MemorySegment panel, long start, int width) {
        for (int k = 0; k < K; k++) {
            panel.setAtIndex(ValueLayout.JAVA_FLOAT, start + (long) k * width, a[from + k]);
        }
    }

    private static void clear(int K, MemorySegment panel, long start, int width) {
        for (int k = 0; k < K; k++) {
            panel.setAtIndex(ValueLayout.JAVA_FLOAT, start + (long) k * width, 0f);
        }
    }

    private static int vectors(SimdKernels kernels, int columns) {
        return Math.min(SimdShape.GENERAL_VECTORS, Math.ceilDiv(columns, kernels.lanes));
    }
}
