package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;

/**
 * Rows of a matrix times packed panels, written to rows of another matrix whose width need not be a
 * multiple of anything: dx = dgx·W_ih, and both products of a dense head.
 *
 * <p>A tile writes whole vectors, so each block goes through an L1 buffer and from there, cut to size, to
 * its rows: the copy is one in K multiply-adds. Split over threads by rows or, when these are few, by
 * panels.
 */
final class SimdRowProduct implements SimdPool.Task {
    private static final int BLOCK_ROWS = 64;

    // Set by the caller before each run.
    SimdKernels kernels;

    /** Number of rows. */
    int rows;

    /** Number of columns of the result. */
    int columns;

    int K;

    /** The left side: row i at aOffset + i·aStride. */
    float[] a;

    int aOffset;
    int aStride;
    int[] identity;

    /** General panels over K rows, the last one possibly narrower. */
    MemorySegment panels;

    /** One float per column, padded to whole vectors, that every row starts from. */
    float[] bias;

    /** Row i of the result at outOffset + outRows[i]·outStride. */
    float[] out;

    int outOffset;
    int outStride;
    int[] outRows;
    boolean add;
    float[] blocks;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdRowProduct() {}

    /** Floats of {@link #blocks} for a number of threads. */
    static int blockFloats(SimdKernels kernels, int threads) {
        return threads * BLOCK_ROWS * kernels.shape.generalVectors() * kernels.lanes;
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        multiply(0, rows, worker, team);
    }

    /** This worker's part of rows {@code from} … {@code to − 1}, the first of which is row 0 of a. */
    void multiply(int from, int to, int worker, SimdPool.Team team) {
        int wide = kernels.shape.generalVectors() * kernels.lanes;
        int count = Math.ceilDiv(columns, wide);
        int total = to - from;
        boolean byRows = total >= BLOCK_ROWS * team.workers;
        int row0 = byRows ? team.share(total, worker) : 0;
        int row1 = byRows ? team.share(total, worker + 1) : total;
        int panel0 = byRows ? 0 : team.share(count, worker);
        int panel1 = byRows ? count : team.share(count, worker + 1);
        int block = worker * BLOCK_ROWS * wide;
        for (int row = row0; row < row1; row += BLOCK_ROWS) {
            int n = Math.min(BLOCK_ROWS, row1 - row);
            for (int q = panel0; q < panel1; q++) {
                int valid = Math.min(wide, columns - q * wide);
                int vectors = Math.ceilDiv(valid, kernels.lanes);
                int width = vectors * kernels.lanes;
                kernels.multiply(
                        vectors, n, a, aOffset, aStride, identity, row, panels, 4L * K * q * wide, K,
                        bias, q * wide, 0, blocks, block, width);
                for (int i = 0; i < n; i++) {
                    int target = outOffset + outRows[from + row + i] * outStride + q * wide;
                    if (add) {
                        kernels.add(out, target, blocks, block + i * width, valid);
                    } else {
                        System.arraycopy(blocks, block + i * width, out, target, valid);
                    }
                }
            }
        }
    }
}
