package dev.gru4j.cuda;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaKernels.Kernel;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * One matrix product after another, in the session's precision: which kernel, which tiles, how many splits of k. To be
 * set up and {@link #run} by a thread that has entered the session.
 *
 * <p>Every choice is a function of m, n, k and the precision alone, not of the device, so that a result of {@link #run} has
 * the same bits on every GPU and on the emulator. {@link #runLarge} leaves the choice to a library where there is one.
 */
final class CudaProduct {
    /** What is read transposed. */
    enum Form {
        /** C(m,n) = A(m,k) · B(n,k)ᵀ: projections. */
        NT,
        /** C(m,n) = A(m,k) · B(k,n): gradients of inputs and states. */
        NN,
        /** C(m,n) = A(k,m)ᵀ · B(k,n): gradients of weights. */
        TN
    }

    static final int LARGE_TILE = 128;
    static final int SMALL_TILE = 32;
    private static final int LARGE_SHARED_BYTES = 2 * 2 * 8 * 132 * Float.BYTES;
    private static final int SMALL_SHARED_BYTES = 2 * 2 * 32 * 36 * Float.BYTES;

    /** On tensor cores, the large tile's in tf32 and 3xtf32, then in the types of 16 bits. */
    private static final int LARGE_TF32_SHARED_BYTES = 2 * 2 * 16 * 132 * Float.BYTES;

    private static final int LARGE_HALF_SHARED_BYTES = 2 * 2 * 8 * 136 * Float.BYTES;
    private static final int SMALL_MMA_SHARED_BYTES = 8 * 32 * 40 * Float.BYTES;

    /** Blocks that keep the GPUs of today busy: they have 100 to 150 multiprocessors. */
    private static final int BUSY = 128;

    private static final int MAX_SPLITS = 8;

    /** A split of k must be worth the sum that follows it. */
    private static final int MIN_SPLIT = 256;

    /** A split begins at a multiple of this, so that the kernel's tiles of k are whole ones. */
    private static final int SPLIT_UNIT = 32;

    private static final int MAX_GRID_Y = 65535;

    private final CudaSession session;

    /** The kernels of the session's precision. */
    private final Map<Form, Kernel> large;

    private final Map<Form, Kernel> small;
    private Form form = Form.NT;
    private int m;
    private int n;
    private int k;
    private long a;
    private long lda;
    private long b;
    private long ldb;
    private long bias;
    private long c;
    private long ldc;
    private boolean accumulate;
    private long lengths;
    private int batch;
    private int firstStep;
    private long partial;

    CudaProduct(CudaSession session) {
        this.session = session;
        this.large = kernels(LARGE_TILE, session.precision());
        this.small = kernels(SMALL_TILE, session.precision());
    }

    private static Map<Form, Kernel> kernels(int tile, ProductPrecision precision) {
        Map<Form, Kernel> kernels = new EnumMap<>(Form.class);
        for (Form form : Form.values()) {
            kernels.put(form, Kernel.product(form, tile, precision));
        }
        return kernels;
    }

    /** Begins a product, without bias, lengths, splits or accumulation. */
    CudaProduct of(Form newForm, int rows, int columns, int reduction) {
        form = newForm;
        m = rows;
        n = columns;
        k = reduction;
        bias = 0;
        accumulate = false;
        lengths = 0;
        batch = 0;
        firstStep = 0;
        partial = 0;
        return this;
    }

    /** Address of A, and floats from one of its rows to the next. */
    CudaProduct a(long address, long stride) {
        a = address;
        lda = stride;
        return this;
    }

    /** Address of B, and floats from one of its rows to the next. */
    CudaProduct b(long address, long stride) {
        b = address;
        ldb = stride;
        return this;
    }

    /** (n), added to every row; 0: absent. */
    CudaProduct bias(long address) {
        bias = address;
        return this;
    }

    /** Address of C, and floats from one of its rows to the next. */
    CudaProduct into(long address, long stride) {
        c = address;
        ldc = stride;
        return this;
    }

    CudaProduct accumulate(boolean add) {
        accumulate = add;
        return this;
    }

    /**
     * Rows, or for {@link Form#TN} steps of the reduction, are positions of a batch; those in padding take no part.
     *
     * @param address of the lengths (B) on the device; 0: no padding
     * @param rowsOfStep B
     * @param first step of row 0
     */
    CudaProduct positions(long address, int rowsOfStep, int first) {
        lengths = address;
        batch = rowsOfStep;
        firstStep = first;
        return this;
    }

    /** Allows a split of k; {@code address} has room for {@link #partialFloats}. */
    CudaProduct splitInto(long address) {
        partial = address;
        return this;
    }

    /** Floats that a product of any k up to {@code maxK} may need to be split. */
    static long partialFloats(int rows, int columns, int maxK) {
        long tiles = Math.min(tiles(rows, columns, LARGE_TILE), tiles(rows, columns, SMALL_TILE));
        long splits = Math.min(splitLimit(maxK), (BUSY + tiles - 1) / tiles);
        return splits > 1 ? splits * rows * columns : 0;
    }

    /**
     * {@link #run} by the session's library for large products where it has one that can: products without
     * padding, since no library leaves rows out, and a row in padding may hold anything.
     */
    void runLarge() {
        boolean suits = m > 0 && n > 0 && k > 0 && lengths == 0;
        if (!suits || !session.products().multiply(form, m, n, k, a, lda, b, ldb, accumulate, c, ldc)) {
            run();
        } else if (bias != 0) {
            // An empty sum, with bias, added to the product: the order in which the kernels above do it.
            k = 0;
            accumulate = true;
            run();
        }
    }

    void run() {
        if (m == 0 || n == 0) {
            return;
        }
        if (k == 0 && bias == 0) {
            clear();
            return;
        }
        int limit = partial == 0 ? 1 : splitLimit(k);
        boolean isLarge = isLarge(m, n, limit);
        int tile = isLarge ? LARGE_TILE : SMALL_TILE;
        long tiles = tiles(m, n, tile);
        int wanted = (int) Math.min(limit, (BUSY + tiles - 1) / tiles);
        int perSplit = wanted == 1 ? k : roundUp(ceilDiv(k, wanted), SPLIT_UNIT);
        int splits = Math.max(1, ceilDiv(k, Math.max(1, perSplit)));
        boolean isSplit = splits > 1;
        int gridY = ceilDiv(n, tile);
        if (gridY > MAX_GRID_Y) {
            throw new IllegalArgumentException("a product with " + n + " columns; at most "
                    + (long) MAX_GRID_Y * tile + " expected");
        }
        session.arguments()
                .put(a)
                .put(b)
                .put(bias)
                .put(isSplit ? partial : c)
                .put(lengths)
                .put(lda)
                .put(ldb)
                .put(isSplit ? n : ldc)
                .put(isSplit ? (long) m * n : 0L)
                .put(m)
                .put(n)
                .put(k)
                .put(perSplit)
                .put(batch)
                .put(firstStep)
                .put(accumulate && !isSplit);
        session.launch(
                Objects.requireNonNull((isLarge ? large : small).get(form)),
                ceilDiv(m, tile),
                gridY,
                splits,
                sharedBytes(isLarge, session.precision()));
        if (isSplit) {
            sumSplits(session, partial, c, ldc, (long) m * n, m, n, splits, accumulate);
        }
    }

    private static int sharedBytes(boolean isLarge, ProductPrecision precision) {
        return switch (precision) {
            case FP32 -> isLarge ? LARGE_SHARED_BYTES : SMALL_SHARED_BYTES;
            case TF32, TF32X3 -> isLarge ? LARGE_TF32_SHARED_BYTES : SMALL_MMA_SHARED_BYTES;
            case BF16, FP16 -> isLarge ? LARGE_HALF_SHARED_BYTES : SMALL_MMA_SHARED_BYTES;
        };
    }

    /** Whether large tiles, which reuse more of what they read, are enough to keep a GPU busy. */
    static boolean isLarge(int rows, int columns, int splits) {
        return Math.min(rows, columns) > LARGE_TILE / 2 && tiles(rows, columns, LARGE_TILE) * splits >= BUSY;
    }

    /** The tiles of a product that is not split, for people. */
    static String tiles(int rows, int columns) {
        int tile = isLarge(rows, columns, 1) ? LARGE_TILE : SMALL_TILE;
        return tiles(rows, columns, tile) + " tiles of " + tile + "x" + tile;
    }

    /** c (rows,columns) = Σ of the splits, or added to it. */
    static void sumSplits(
            CudaSession session, long partial, long c, long ldc, long stride, int rows, int columns, int splits,
            boolean accumulate) {
        session.arguments()
                .put(partial)
                .put(c)
                .put(ldc)
                .put(stride)
                .put(rows)
                .put(columns)
                .put(splits)
                .put(accumulate);
        session.launch(Kernel.SUM_SPLITS, rowBlocks(rows, columns), 0);
    }

    /** An empty sum. */
    private void clear() {
        if (!accumulate) {
            if (ldc != n) {
                throw new IllegalStateException("an empty product into rows " + ldc + " apart; " + n + " expected");
            }
            session.fill(c, 0, (long) m * n);
        }
    }

    /** Blocks of a kernel by row. */
    static long rowBlocks(long rows, int width) {
        return rows * ceilDiv(width, CudaKernels.ROW_THREADS);
    }

    static int splitLimit(int reduction) {
        return Math.clamp(reduction / MIN_SPLIT, 1, MAX_SPLITS);
    }

    private static long tiles(int rows, int columns, int tile) {
        return (long) ceilDiv(rows, tile) * ceilDiv(columns, tile);
    }

    static int ceilDiv(int value, int unit) {
        return Math.ceilDiv(value, unit);
    }

    private static int roundUp(int value, int unit) {
        return ceilDiv(value, unit) * unit;
    }
}
