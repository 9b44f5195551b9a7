package dev.gru4j.simd;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Products gᵀ·v of tall matrices over their rows that share g, and the column sums of g: the gradients of
 * weights and biases, in one pass over many packed rows instead of one per step.
 *
 * <pre>
 * for every block of 256 or, with many columns, 1024 rows
 *     pack the rows of every v into panels (rows,2 vectors)     off heap, by all workers together
 *     for every block of columns of g
 *         pack them into panels (rows,8), adding up the columns stays in L2
 *         for every v that meets them, every panel of v
 *             for every 8 columns of g: one tile                panel of v in L1 or L2
 * </pre>
 *
 * <p>Split over threads by columns of g, that is by rows of the results: no reduction, and the order of
 * every sum is the order of the rows within a block, then of the blocks, for any number of threads.
 */
final class SimdWeightGradient implements SimdPool.Task {
    /** Rows of a block while the results are small: a panel of 32 columns of v is 32 KiB then and stays in L1. */
    private static final int K_BLOCK = 256;

    /**
     * Rows of a block where the results leave the caches. Every tile reads its place in the result and writes it back,
     * which then takes as long as a hundred rows.
     */
    static final int LONG_K_BLOCK = 1024;

    /** Columns of all v from which on blocks are long. */
    private static final int LONG_COLUMNS = 1536;

    /** Columns of g of a panel: the rows of a tile. */
    private static final int G_PANEL = 8;

    /** Most panels of columns of g of a block. */
    private static final int G_PANELS = 48;

    /** Floats of a block of g, 384 KiB. */
    private static final int G_FLOATS = G_PANEL * G_PANELS * K_BLOCK;

    /** Floats between the panels, one line, lest all of them fall into the same cache sets. */
    private static final int PANEL_GAP = 16;

    /** One v, and the rows of a result that the blocks of g give with it. */
    static final class Product {
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

        /** Block of g → gate of the result, whose rows start at gate·gateRows; {@link #NONE}: it does not meet v. */
        int[] gates;

        @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
        Product() {}
    }

    /** No gate. */
    static final int NONE = -1;

    // Set by the caller before each run.
    SimdKernels kernels;

    /** Number of rows of g and v. */
    int K;

    /** Row k of g at gOffset + k·gStride. */
    float[] g;

    int gOffset;
    int gStride;

    /** Column of g where each block starts. */
    int[] gateColumns;

    /** Columns of g of each block. */
    int gateRows;

    Product[] products;
    boolean accumulate;
    float[] heap;
    MemorySegment offHeap;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdWeightGradient() {}

    /** Overwrites the results, and the sums, with 0: what no rows at all add up to. */
    void clear() {
        for (Product product : products) {
            for (int gate : product.gates) {
                if (gate != NONE) {
                    int row = gate * gateRows;
                    int from = product.outOffset + row * product.columns;
                    java.util.Arrays.fill(product.out, from, from + gateRows * product.columns, 0f);
                    if (product.sums != null) {
                        int sum = product.sumsOffset + row;
                        java.util.Arrays.fill(product.sums, sum, sum + gateRows, 0f);
                    }
                }
            }
        }
    }

    /** Floats of {@link #heap} for a number of threads. */
    static int heapFloats(int threads) {
        return threads * heapPerWorker();
    }

    private static int heapPerWorker() {
        return G_FLOATS + G_PANELS * (PANEL_GAP + G_PANEL) + G_PANEL * 32;
    }

    /** Floats from panel to panel of g. */
    private static int panelSize(int rows) {
        return G_PANEL * rows + PANEL_GAP;
    }

    /** Floats of {@link #offHeap}, for {@code rows} rows of the products. */
    long offHeapFloats(int rows) {
        int block = Math.min(rows, blockRows());
        long floats = 0;
        for (Product product : products) {
            floats += panels(product) * panelFloats(block);
        }
        return floats;
    }

    private int blockRows() {
        int columns = 0;
        for (Product product : products) {
            columns += product.columns;
        }
        return columns < LONG_COLUMNS ? K_BLOCK : LONG_K_BLOCK;
    }

    private int wide() {
        return SimdShape.TRANSPOSED_VECTORS * kernels.lanes;
    }

    /** Number of panels of v. */
    private int panels(Product product) {
        return Math.ceilDiv(product.columns, wide());
    }

    /** Floats from panel to panel of v. */
    private long panelFloats(int rows) {
        return (long) rows * wide() + PANEL_GAP;
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        if (K == 0 && !accumulate && worker == 0) {
            clear();
        }
        add(0, K, accumulate, worker, team);
    }

    /**
     * This worker's part of Σ over rows {@code from} … {@code to − 1} of v, the first of which meets row 0 of g. All
     * workers of the team call it together.
     */
    void add(int from, int to, boolean add, int worker, SimdPool.Team team) {
        int perGate = Math.ceilDiv(gateRows, G_PANEL);
        int panel0 = firstPanel(worker, team.workers, perGate);
        int panel1 = firstPanel(worker + 1, team.workers, perGate);
        if (from == to) {
            return;
        }
        // Blocks of about equal size: one of a few rows would read and write the whole result for them.
        int blockRows = Math.ceilDiv(to - from, Math.ceilDiv(to - from, blockRows()));
        for (int k = from; k < to; k += blockRows) {
            int rows = Math.min(blockRows, to - k);
            if (k > from) {
                // The panels of v are about to be overwritten.
                team.await();
            }
            packColumns(k, rows, worker, team);
            team.await();
            int most = Math.min(G_PANELS, G_FLOATS / (G_PANEL * rows));
            int p = panel0;
            while (p < panel1) {
                int gate = p / perGate;
                int end = Math.min(Math.min(panel1, (gate + 1) * perGate), p + most);
                multiplyBlock(gate, p - gate * perGate, end - p, k - from, rows, worker, add || k > from);
                p = end;
            }
        }
    }

    /** First panel of g of a worker's share; shares cost about the same, a block costing the columns it meets. */
    private int firstPanel(int worker, int workers, int perGate) {
        long total = 0;
        for (int gate = 0; gate < gateColumns.length; gate++) {
            total += perGate * columnsMet(gate);
        }
        long before = total * worker / workers;
        for (int gate = 0; gate < gateColumns.length; gate++) {
            long cost = perGate * columnsMet(gate);
            if (before < cost) {
                return gate * perGate + (int) (before / columnsMet(gate));
            }
            before -= cost;
        }
        return gateColumns.length * perGate;
    }

    /** Columns of all v that block {@code gate} of g meets. */
    private long columnsMet(int gate) {
        long met = 0;
        for (Product product : products) {
            met += product.gates[gate] == NONE ? 0 : product.columns;
        }
        return met;
    }

    /** This worker's share of the panels of all v. */
    private void packColumns(int k0, int rows, int worker, SimdPool.Team team) {
        int total = 0;
        for (Product product : products) {
            total += panels(product);
        }
        int share0 = team.share(total, worker);
        int share1 = team.share(total, worker + 1);
        long size = Float.BYTES * panelFloats(rows);
        int first = 0;
        for (Product product : products) {
            int whole = product.columns / wide();
            int left = product.columns % wide();
            int p0 = Math.max(0, share0 - first);
            int p1 = Math.min(whole, share1 - first);
            long start = first * size;
            if (p0 < p1) {
                kernels.packPanels(
                        product.v, product.vOffset + p0 * wide(), product.vStride, product.vRows, k0, rows, p1 - p0,
                        offHeap, start + p0 * size, size);
            }
            if (left > 0 && share0 <= first + whole && first + whole < share1) {
                kernels.packRows(
                        product.v, product.vOffset + whole * wide(), product.vStride, product.vRows, k0, rows, left,
                        offHeap, start + whole * size, vectors(left));
            }
            first += panels(product);
        }
    }

    private int vectors(int left) {
        return Math.min(SimdShape.TRANSPOSED_VECTORS, Math.ceilDiv(left, kernels.lanes));
    }

    /** Panels {@code from} … {@code from + count − 1} of one block of g, over one block of rows, with all v. */
    private void multiplyBlock(int gate, int from, int count, int k0, int rows, int worker, boolean add) {
        int packed = worker * heapPerWorker();
        int sums = packed + count * panelSize(rows);
        int tile = sums + count * G_PANEL;
        int first = from * G_PANEL;
        int valid = Math.min(count * G_PANEL, gateRows - first);
        pack(gOffset + gateColumns[gate] + first + k0 * gStride, rows, valid, packed, sums);
        long panels = 0;
        for (Product product : products) {
            if (product.gates[gate] != NONE) {
                int row = product.gates[gate] * gateRows + first;
                addSums(product, row, valid, add, sums);
                multiplyPanels(product, row, valid, rows, packed, panels, tile, add);
            }
            panels += panels(product) * panelFloats(rows) * Float.BYTES;
        }
    }

    /** Rows {@code row} … {@code row + valid − 1} of one result; {@code tile} is room for a tile that juts out. */
    private void multiplyPanels(
            Product product, int row, int valid, int rows, int packed, long panels, int tile, boolean add) {
        int columns = product.columns;
        int panelSize = panelSize(rows);
        long panel = panels;
        for (int n = 0; n < columns; n += wide()) {
            int tileColumns = Math.min(wide(), columns - n);
            int vectors = vectors(tileColumns);
            int tileWidth = vectors * kernels.lanes;
            for (int j = 0; j < valid; j += G_PANEL) {
                int a = packed + j / G_PANEL * panelSize;
                int to = product.outOffset + (row + j) * columns + n;
                int tileRows = Math.min(G_PANEL, valid - j);
                if (tileRows == G_PANEL && tileColumns == tileWidth) {
                    kernels.multiplyTransposed(vectors, heap, a, offHeap, panel, rows, product.out, to, columns, add);
                } else {
                    kernels.multiplyTransposed(vectors, heap, a, offHeap, panel, rows, heap, tile, tileWidth, false);
                    copyTile(tile, tileWidth, product.out, to, columns, tileRows, tileColumns, add);
                }
            }
            panel += Float.BYTES * panelFloats(rows);
        }
    }

    private void copyTile(
            int tile, int tileWidth, float[] out, int to, int columns, int tileRows, int tileColumns, boolean add) {
        for (int i = 0; i < tileRows; i++) {
            if (add) {
                kernels.add(out, to + i * columns, heap, tile + i * tileWidth, tileColumns);
            } else {
                System.arraycopy(heap, tile + i * tileWidth, out, to + i * columns, tileColumns);
            }
        }
    }

    /** Packs {@code valid} columns of g and leaves their sums at {@code partial}; missing columns are 0. */
    private void pack(int from, int rows, int valid, int packed, int partial) {
        int whole = valid / G_PANEL;
        int left = valid % G_PANEL;
        int panelSize = panelSize(rows);
        kernels.packGradients(g, from, gStride, rows, whole, heap, packed, panelSize, heap, partial);
        if (left > 0) {
            int to = packed + whole * panelSize;
            int sum = partial + whole * G_PANEL;
            java.util.Arrays.fill(heap, sum, sum + G_PANEL, 0f);
            for (int k = 0; k < rows; k++) {
                for (int j = 0; j < G_PANEL; j++) {
                    float value = j < left ? g[from + k * gStride + whole * G_PANEL + j] : 0f;
                    heap[to + k * G_PANEL + j] = value;
                    heap[sum + j] += value;
                }
            }
        }
    }

    private void addSums(Product product, int row, int count, boolean add, int partial) {
        if (product.sums == null) {
            return;
        }
        if (add) {
            kernels.add(product.sums, product.sumsOffset + row, heap, partial, count);
        } else {
            System.arraycopy(heap, partial, product.sums, product.sumsOffset + row, count);
        }
    }
}
