package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;

/**
 * Whole matrices packed into general panels (K,vectors), the last one narrower where that suffices; columns
 * beyond the matrix are 0. Panel q starts at float K·q·w with w the floats of a whole panel's row.
 */
final class SimdPanels {
    private SimdPanels() {}

    /** Panels over the columns of a matrix (K,columns): K runs over its rows. */
    static void packRows(
            SimdKernels kernels, float[] a, int ao, int K, int columns, int[] identity, MemorySegment target,
            SimdPool pool) {
        int wide = kernels.shape.generalVectors() * kernels.lanes;
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
        int wide = kernels.shape.generalVectors() * kernels.lanes;
        int panels = Math.ceilDiv(columns, wide);
        pool.run((worker, team) -> {
            for (int q = team.share(panels, worker); q < team.share(panels, worker + 1); q++) {
                int left = columns - q * wide;
                int vectors = vectors(kernels, left);
                for (int v = 0; v < vectors; v++) {
                    int column = q * wide + v * kernels.lanes;
                    kernels.transpose(
                            a, ao + column * K, K, Math.min(kernels.lanes, columns - column), K, target,
                            4L * K * q * wide + 4L * v * kernels.lanes, 4L * vectors * kernels.lanes);
                }
            }
        }, pool.threads());
    }

    private static int vectors(SimdKernels kernels, int columns) {
        return Math.min(kernels.shape.generalVectors(), Math.ceilDiv(columns, kernels.lanes));
    }
}
