package dev.gru4j.cuda;

import dev.gru4j.cuda.CudaKernels.Kernel;

/** Sums over the rows of a matrix, in an order that is a function of its size alone: gradients of biases. */
final class CudaColumnSums {
    private static final int TILE = 32;
    private static final int SHARED_BYTES = 256 * Float.BYTES;
    private static final int MAX_SPLITS = 16;

    /** A split must be worth the sum that follows it. */
    private static final int MIN_SPLIT = 256;

    private CudaColumnSums() {}

    /** Floats that {@link #run} needs for its splits, for any number of rows up to {@code maxRows}. */
    static long partialFloats(int columns, int maxRows) {
        int splits = splitLimit(maxRows);
        return splits > 1 ? (long) splits * columns : 0;
    }

    /**
     * {@code out[j] = Σ a[row,j]}, or added to it.
     *
     * @param a (rows,columns)
     * @param lengths of positions (step, b) that the rows are, for padded ones to be left out; 0: no padding
     * @param partial room for {@link #partialFloats}
     */
    static void run(
            CudaSession session, long a, int rows, int columns, long lengths, int batch, long out, boolean accumulate,
            long partial) {
        if (rows == 0) {
            if (!accumulate) {
                session.fill(out, 0, columns);
            }
            return;
        }
        int perSplit = Math.ceilDiv(rows, splitLimit(rows));
        int splits = Math.ceilDiv(rows, perSplit);
        boolean isSplit = splits > 1;
        session.arguments()
                .put(a)
                .put(isSplit ? partial : out)
                .put(lengths)
                .put((long) columns)
                .put(rows)
                .put(columns)
                .put(perSplit)
                .put(batch)
                .put(0) // first step
                .put(accumulate && !isSplit);
        session.launch(Kernel.COLUMN_SUMS, Math.ceilDiv(columns, TILE), splits, 1, SHARED_BYTES);
        if (isSplit) {
            CudaProduct.sumSplits(session, partial, out, columns, columns, 1, columns, splits, accumulate);
        }
    }

    private static int splitLimit(int rows) {
        return Math.clamp(rows / MIN_SPLIT, 1, MAX_SPLITS);
    }
}
