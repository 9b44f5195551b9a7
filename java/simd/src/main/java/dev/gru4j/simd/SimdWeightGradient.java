package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The product of two tall matrices over their rows, gᵀ·v, and the column sums of g: the gradients of
 * weights and biases, in one pass over all packed rows instead of one per step.
 *
 * <pre>
 * for every block of columns of v, for every block of at most K_BLOCK rows
 *     pack the rows of v into panels (rows,2 vectors)           off heap, stays in L2
 *     for every block of columns of g
 *         pack them into panels (rows,8), adding up the columns
 *         for every panel of v, every 8 columns of g: one tile  panel of v in L1
 * </pre>
 *
 * <p>Split over threads by columns of g, that is by rows of the result: no reduction, and the order of
 * every sum is the order of the rows within a block, then of the blocks, for any number of threads.
 */
final class SimdWeightGradient implements SimdPool.Task {
    /** Most rows of a block: a panel of 32 columns of v is 32 KiB then. */
    private static final int K_BLOCK = 256;

    /** Columns of v of a block, 512 KiB packed. */
    private static final int V_BLOCK = 512;

    /** Panels of columns of g of a block, 384 KiB packed. */
    private static final int G_PANELS = 48;

    /** Columns of g of a panel: the rows of a tile. */
    private static final int G_PANEL = 8;

    // Set by the caller before each run.
    SimdKernels kernels;

    /** Number of rows of g and v. */
    int K;

    /** Row k of g at gOffset + k·gStride. */
    float[] g;

    int gOffset;
    int gStride;

    /** Column of g where each gate's block starts; block i gives rows i·gateRows … of the result. */
    int[] gateColumns;

    /** Columns of g of each gate. */
    int gateRows;

    /** Row k of v at vOffset + vRows[k]·vStride. */
    float[] v;

    int vOffset;
    int vStride;
    int[] vRows;

    /** Columns of v and of the result. */
    int columns;

    /** (gates·gateRows,columns). */
    float[] out;

    int outOffset;

    /** (gates·gateRows), receives the column sums of g. */
    float @Nullable [] sums;

    int sumsOffset;
    boolean accumulate;
    float[] heap;
    MemorySegment offHeap;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdWeightGradient() {}

    /** Overwrites the result, and the sums, with 0: what no rows at all add up to. */
    void clear() {
        int rows = gateColumns.length * gateRows;
        java.util.Arrays.fill(out, outOffset, outOffset + rows * columns, 0f);
        if (sums != null) {
            java.util.Arrays.fill(sums, sumsOffset, sumsOffset + rows, 0f);
        }
    }

    /** Floats of {@link #heap} for a number of threads. */
    static int heapFloats(int threads) {
        return threads * heapPerWorker();
    }

    private static int heapPerWorker() {
        return G_PANELS * panelSize(K_BLOCK) + G_PANELS * G_PANEL + G_PANEL * 32;
    }

    /** Floats from panel to panel of g: one line more than it holds, lest all panels fall into the same cache sets. */
    private static int panelSize(int rows) {
        return G_PANEL * rows + 16;
    }

    /** Floats of {@link #offHeap} for a number of threads. */
    static long offHeapFloats(int threads) {
        return (long) threads * K_BLOCK * V_BLOCK;
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        if (K == 0 && !accumulate && worker == 0) {
            clear();
        }
        add(0, K, accumulate, worker, team);
    }

    /** This worker's part of Σ over rows {@code from} … {@code to − 1} of v, the first of which meets row 0 of g. */
    void add(int from, int to, boolean add, int worker, SimdPool.Team team) {
        int perGate = Math.ceilDiv(gateRows, G_PANEL);
        int panel0 = team.share(gateColumns.length * perGate, worker);
        int panel1 = team.share(gateColumns.length * perGate, worker + 1);
        int packed = worker * heapPerWorker();
        long panels = 4L * worker * K_BLOCK * V_BLOCK;
        if (panel0 == panel1 || from == to) {
            return;
        }
        // Blocks of about equal size: one of a few rows would read and write the whole result for them.
        int block = Math.ceilDiv(to - from, Math.ceilDiv(to - from, K_BLOCK));
        for (int column = 0; column < columns; column += V_BLOCK) {
            int width = Math.min(V_BLOCK, columns - column);
            for (int k = from; k < to; k += block) {
                int rows = Math.min(block, to - k);
                packColumns(k, rows, column, width, panels);
                boolean addBlock = add || k > from;
                int p = panel0;
                while (p < panel1) {
                    int gate = p / perGate;
                    int end = Math.min(Math.min(panel1, (gate + 1) * perGate), p + G_PANELS);
                    multiplyBlock(
                            gate, p - gate * perGate, end - p, k - from, rows, column, width, packed, panels, addBlock);
                    p = end;
                }
            }
        }
    }

    private void packColumns(int k0, int rows, int column, int width, long panels) {
        int wide = SimdShape.TRANSPOSED_VECTORS * kernels.lanes;
        for (int n = 0; n < width; n += wide) {
            kernels.packRows(
                    v, vOffset + column + n, vStride, vRows, k0, rows, width - n, offHeap, panels + 4L * n * rows,
                    vectors(width - n));
        }
    }

    private int vectors(int left) {
        return Math.min(SimdShape.TRANSPOSED_VECTORS, Math.ceilDiv(left, kernels.lanes));
    }

    /** Panels {@code from} … {@code from + count − 1} of one gate, over one block of rows and columns. */
    private void multiplyBlock(
            int gate, int from, int count, int k0, int rows, int column, int width, int packed, long panels,
            boolean add) {
        int wide = SimdShape.TRANSPOSED_VECTORS * kernels.lanes;
        int panelSize = panelSize(rows);
        int first = from * G_PANEL;
        int valid = Math.min(count * G_PANEL, gateRows - first);
        int partial = packed + G_PANELS * panelSize(K_BLOCK);
        pack(gOffset + gateColumns[gate] + first + k0 * gStride, rows, valid, packed, partial);
        if (column == 0) {
            addSums(gate * gateRows + first, valid, add, partial);
        }
        int scratch = partial + G_PANELS * G_PANEL;
        for (int n = 0; n < width; n += wide) {
            int vectors = vectors(width - n);
            long panel = panels + 4L * n * rows;
            for (int j = 0; j < valid; j += G_PANEL) {
                int a = packed + j / G_PANEL * panelSize;
                int to = outOffset + (gate * gateRows + first + j) * columns + column + n;
                int tileRows = Math.min(G_PANEL, valid - j);
                int tileColumns = Math.min(wide, width - n);
                if (tileRows == G_PANEL && tileColumns == vectors * kernels.lanes) {
                    kernels.multiplyTransposed(vectors, heap, a, offHeap, panel, rows, out, to, columns, add);
                } else {
                    int tileWidth = vectors * kernels.lanes;
                    kernels.multiplyTransposed(
                            vectors, heap, a, offHeap, panel, rows, heap, scratch, tileWidth, false);
                    copyTile(scratch, tileWidth, to, tileRows, tileColumns, add);
                }
            }
        }
    }

    private void copyTile(int scratch, int tileWidth, int to, int tileRows, int tileColumns, boolean add) {
        for (int i = 0; i < tileRows; i++) {
            if (add) {
                kernels.add(out, to + i * columns, heap, scratch + i * tileWidth, tileColumns);
            } else {
                System.arraycopy(heap, scratch + i * tileWidth, out, to + i * columns, tileColumns);
            }
        }
    }

    /** Packs {@code valid} columns of g and leaves their sums at {@code partial}; missing columns are 0. */
    private void pack(int from, int rows, int valid, int packed, int partial) {
        int whole = valid / G_PANEL;
        int left = valid % G_PANEL;
        int panelSize = panelSize(rows);
        java.util.Arrays.fill(heap, partial, partial + Math.ceilDiv(valid, G_PANEL) * G_PANEL, 0f);
        kernels.packGradients(g, from, gStride, rows, whole, heap, packed, panelSize, heap, partial);
        if (left > 0) {
            int to = packed + whole * panelSize;
            for (int k = 0; k < rows; k++) {
                for (int j = 0; j < G_PANEL; j++) {
                    float value = j < left ? g[from + k * gStride + whole * G_PANEL + j] : 0f;
                    heap[to + k * G_PANEL + j] = value;
                    heap[partial + whole * G_PANEL + j] += value;
                }
            }
        }
    }

    private void addSums(int row, int count, boolean add, int partial) {
        if (sums == null) {
            return;
        }
        if (add) {
            kernels.add(sums, sumsOffset + row, heap, partial, count);
        } else {
            System.arraycopy(heap, partial, sums, sumsOffset + row, count);
        }
    }
}
