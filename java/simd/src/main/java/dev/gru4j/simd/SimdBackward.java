package dev.gru4j.simd;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;
import org.jspecify.annotations.Nullable;

/**
 * The backward pass of one layer in one direction, chunk by chunk of steps like the forward pass, so that
 * the gradients of the pre-activations (dgates) are used up while they are in cache.
 *
 * <pre>
 * for every chunk of steps, last first
 *     for every step of the chunk, last first
 *         dh    += dy_t
 *         dgates = [dnPre | drPre | dzPre | dnPre ⊙ r]    (rows,4Hp)   dgx = blocks 0 to 2, dgh = blocks 1 to 3
 *         dh     = dh ⊙ z + dgh·W_hh
 *     dx     = dgx·W_ih                                   {@link SimdRowProduct}
 *     dW_ih += dgxᵀ·x, dW_hh += dghᵀ·hPrev, db_ih, db_hh  {@link SimdWeightGradient}
 * </pre>
 *
 * <p>Reset-before: dgates = [dnPre | drPre | dzPre], and drh = dnPre·W_hn comes before drPre. A rank that
 * is not active at a step keeps its dh untouched, so dhT enters at a row's own last step.
 */
final class SimdBackward implements SimdPool.Task {
    /** Blocks of a row of dgates. */
    static final int BLOCKS = 4;

    /**
     * Least packed rows of a full chunk. More for large H: each chunk adds to all weight gradients, which costs as H²,
     * while dgates costs as H and leaves the caches anyway.
     */
    private static final int CHUNK_ROWS = 512;

    /** Rows that take turns on a panel of W_hh. */
    private static final int BLOCK_ROWS = 64;

    // Set by the plan before each run.
    SimdKernels kernels;
    SimdLayer layer;
    SimdSchedule schedule;
    boolean isReverse;
    float[] state;
    int stateOffset;
    float[] gates;
    int gatesOffset;
    float[] kept;
    int keptOffset;
    float @Nullable [] dOut;
    int dOutOffset;
    int dOutStride;
    int[] dOutRows;
    float @Nullable [] dhT;
    int dhTOffset;
    float @Nullable [] dh0;
    int dh0Offset;
    float[] dh;
    int dhOffset;
    float[] drh;
    int drhOffset;
    float[] dgates;
    int dgatesOffset;

    /** dx, or the gradient of the layer below; absent: not wanted. */
    @Nullable
    SimdRowProduct inputGradient;

    /** The gradients of weights and biases; absent: not wanted. */
    @Nullable
    SimdWeightGradient weightGradient;

    /** Whether they are added to. */
    boolean accumulate;

    /** A general panel's row of 0 or, of a plan for B = 1, a row of all units. */
    float[] zeros;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdBackward() {}

    @Override
    public void run(int worker, SimdPool.Team team) {
        boolean byRows = SimdDivision.isByRows(schedule.B, team.workers);
        SimdGeometry g = layer.geometry;
        int rank0 = byRows ? schedule.firstRank(worker, team.workers) : 0;
        int rank1 = byRows ? schedule.firstRank(worker + 1, team.workers) : schedule.B;
        int panel0 = byRows ? 0 : team.share(g.generalPanels, worker);
        int panel1 = byRows ? g.generalPanels : team.share(g.generalPanels, worker + 1);
        SimdPool.Team barrier = byRows ? null : team;
        loadLastGradient(rank0, rank1, panel0, panel1);
        for (int done = 0; done < schedule.chunks; done++) {
            int chunk = isReverse ? done : schedule.chunks - 1 - done;
            int t0 = schedule.chunkStart[chunk];
            int steps = schedule.chunkStart[chunk + 1] - t0;
            int base = schedule.first[t0];
            for (int i = 0; i < steps; i++) {
                int t = isReverse ? t0 + i : t0 + steps - 1 - i;
                int end = Math.min(rank1, schedule.active[t]);
                addOutputGradient(t, rank0, end, panel0, panel1);
                if (layer.variant == GruVariant.RESET_AFTER) {
                    stepAfter(t, rank0, end, panel0, panel1, base, barrier);
                } else {
                    stepBefore(t, rank0, end, panel0, panel1, base, barrier);
                }
            }
            team.await();
            int rowsEnd = schedule.first[t0 + steps];
            if (inputGradient != null) {
                inputGradient.multiply(base, rowsEnd, worker, team);
            }
            if (weightGradient != null) {
                weightGradient.add(base, rowsEnd, accumulate || done > 0, worker, team);
            }
            // The next chunk overwrites dgates.
            team.await();
        }
        storeInitialGradient(rank0, rank1, panel0, panel1);
    }

    /** Most packed rows of a chunk, unless one step has more. */
    static int chunkRows(int Hp) {
        return Math.max(CHUNK_ROWS, Math.min(SimdWeightGradient.LONG_K_BLOCK, Hp));
    }

    private void stepAfter(
            int t, int rank0, int rank1, int panel0, int panel1, int base, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int[] prev = schedule.prev[isReverse ? 1 : 0];
        int row = schedule.first[t] + rank0;
        int rows = Math.max(0, rank1 - rank0);
        int units;
        for (int unit = panel0 * g.general; unit < Math.min(Hp, panel1 * g.general); unit += units) {
            units = g.alikeUnits(unit, panel1);
            int u = Math.min(g.unit, units);
            kernels.backwardAfter(
                    gates, gatesOffset + row * Gates.COUNT * Hp + Gates.COUNT * unit, Gates.COUNT * Hp, u, units,
                    kept, keptOffset + row * Hp + unit, Hp, state, stateOffset + unit, Hp, prev, row,
                    dh, dhOffset + rank0 * Hp + unit, Hp,
                    dgates, dgatesOffset + (row - base) * BLOCKS * Hp + unit, BLOCKS * Hp, Hp, rows);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 1, 0, 3, dh, dhOffset, true);
    }

    private void stepBefore(
            int t, int rank0, int rank1, int panel0, int panel1, int base, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int[] prev = schedule.prev[isReverse ? 1 : 0];
        int row = schedule.first[t] + rank0;
        int rows = Math.max(0, rank1 - rank0);
        int gate = gatesOffset + row * Gates.COUNT * Hp;
        int dgate = dgatesOffset + (row - base) * BLOCKS * Hp;
        int units;
        for (int unit = panel0 * g.general; unit < Math.min(Hp, panel1 * g.general); unit += units) {
            units = g.alikeUnits(unit, panel1);
            int u = Math.min(g.unit, units);
            kernels.backwardBefore(
                    gates, gate + Gates.COUNT * unit, Gates.COUNT * Hp, u, units,
                    state, stateOffset + unit, Hp, prev, row, dh, dhOffset + rank0 * Hp + unit, Hp,
                    dgates, dgate + unit, BLOCKS * Hp, Hp, rows);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 0, Gates.CANDIDATE, 1, drh, drhOffset,
                false);
        for (int unit = panel0 * g.general; unit < Math.min(Hp, panel1 * g.general); unit += units) {
            units = g.alikeUnits(unit, panel1);
            int u = Math.min(g.unit, units);
            kernels.backwardReset(
                    gates, gate + Gates.COUNT * unit, Gates.COUNT * Hp, u, units,
                    drh, drhOffset + rank0 * Hp + unit, Hp, state, stateOffset + unit, Hp, prev, row,
                    dh, dhOffset + rank0 * Hp + unit, Hp, dgates, dgate + unit, BLOCKS * Hp, Hp, rows);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 1, Gates.RESET, 2, dh, dhOffset,
                true);
    }

    /** target (+)= dgates[blocks from {@code block}] · W_hh[rows of {@code gateCount} gates from {@code gate}]. */
    private void multiplyRecurrent(
            int t, int base, int rank0, int rank1, int panel0, int panel1, int block, int gate, int gateCount,
            float[] target, int targetOffset, boolean add) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int row = schedule.first[t] - base;
        if (layer.isRow) {
            if (rank1 > 0) {
                int full = Math.max(panel0, Math.min(panel1, Hp / g.general));
                multiplyRow(t, row, panel0, full, block, gate, gateCount, target, targetOffset, add);
                multiplyRow(t, row, full, panel1, block, gate, gateCount, target, targetOffset, add);
            }
            return;
        }
        for (int q = panel0; q < panel1; q++) {
            int unit = q * g.general;
            int width = g.generalUnits(q);
            long panel = 4L * ((long) Gates.COUNT * Hp * unit + (long) gate * Hp * width);
            for (int rank = rank0; rank < rank1; rank += BLOCK_ROWS) {
                int at = targetOffset + rank * Hp + unit;
                kernels.multiply(
                        width / g.lanes, Math.min(BLOCK_ROWS, rank1 - rank),
                        dgates, dgatesOffset + block * Hp, BLOCKS * Hp, schedule.identity, row + rank,
                        layer.recurrentBackward, panel, gateCount * Hp,
                        add ? target : zeros, add ? at : 0, add ? Hp : 0, target, at, Hp);
            }
        }
    }

    /** The same for B = 1 and panels of one width, a chain of multiply-adds for each gate. */
    private void multiplyRow(
            int t, int row, int panel0, int panel1, int block, int gate, int gateCount,
            float[] target, int targetOffset, boolean add) {
        if (panel0 == panel1) {
            return;
        }
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int unit = panel0 * g.general;
        int width = g.generalUnits(panel0);
        int at = targetOffset + unit;
        // To and fro: what one step read last is still in cache in the next.
        boolean descending = (t & 1) != 0;
        kernels.multiplyRow(
                layer.isPaired, width / g.lanes, panel1 - panel0, gateCount, descending,
                dgates, dgatesOffset + (row * BLOCKS + block) * Hp,
                layer.recurrentBackward, layer.recurrentBackwardPanel(gate, panel0),
                layer.recurrentBackwardStride(width), Hp, add ? target : zeros, add ? at : 0, target, at);
    }

    private void loadLastGradient(int rank0, int rank1, int panel0, int panel1) {
        SimdGeometry g = layer.geometry;
        int unit0 = panel0 * g.general;
        int unit1 = Math.min(g.padded, panel1 * g.general);
        for (int rank = rank0; rank < rank1 && unit0 < unit1; rank++) {
            int to = dhOffset + rank * g.padded;
            java.util.Arrays.fill(dh, to + unit0, to + unit1, 0f);
            if (dhT != null) {
                int from = dhTOffset + schedule.order[rank] * g.H + unit0;
                System.arraycopy(dhT, from, dh, to + unit0, Math.min(unit1, g.H) - unit0);
            }
        }
    }

    private void addOutputGradient(int t, int rank0, int rank1, int panel0, int panel1) {
        SimdGeometry g = layer.geometry;
        int unit0 = panel0 * g.general;
        int count = Math.min(g.H, panel1 * g.general) - unit0;
        if (dOut == null || count <= 0) {
            return;
        }
        for (int rank = rank0; rank < rank1; rank++) {
            int row = dOutRows[schedule.first[t] + rank];
            kernels.add(
                    dh, dhOffset + rank * g.padded + unit0, dOut, dOutOffset + row * dOutStride + unit0, count);
        }
    }

    private void storeInitialGradient(int rank0, int rank1, int panel0, int panel1) {
        SimdGeometry g = layer.geometry;
        int unit0 = panel0 * g.general;
        int count = Math.min(g.H, panel1 * g.general) - unit0;
        if (dh0 == null || count <= 0) {
            return;
        }
        for (int rank = rank0; rank < rank1; rank++) {
            int to = dh0Offset + schedule.order[rank] * g.H + unit0;
            System.arraycopy(dh, dhOffset + rank * g.padded + unit0, dh0, to, count);
        }
    }
}
