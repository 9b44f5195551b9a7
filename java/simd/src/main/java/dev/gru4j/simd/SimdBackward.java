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

    /** The gradients of weights and biases; none: not wanted. */
    SimdWeightGradient[] weightGradients;

    /** Whether they are added to. */
    boolean accumulate;

    /** A general panel's row of 0 or, of a plan for B = 1, a row of all units. */
    float[] zeros;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdBackward() {}

    @Override
    public void run(int worker, SimdPool.Team team) {
        boolean byRows = team.workers == 1 || schedule.B >= SimdForward.ROWS_PER_WORKER * team.workers;
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
            for (SimdWeightGradient gradient : weightGradients) {
                gradient.add(base, rowsEnd, accumulate || done > 0, worker, team);
            }
            // The next chunk overwrites dgates.
            team.await();
        }
        storeInitialGradient(rank0, rank1, panel0, panel1);
    }

    private void stepAfter(
            int t, int rank0, int rank1, int panel0, int panel1, int base, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int end = g.gatePanel(panel1);
        int together;
        for (int p = g.gatePanel(panel0); p < end && rank0 < rank1; p += together) {
            together = layer.isRow ? g.alikePanels(p, end) : 1;
            cellAfter(t, rank0, rank1, base, p, together);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 1, 0, 3, dh, dhOffset, true);
    }

    private void stepBefore(
            int t, int rank0, int rank1, int panel0, int panel1, int base, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int end = g.gatePanel(panel1);
        int together;
        for (int p = g.gatePanel(panel0); p < end && rank0 < rank1; p += together) {
            together = layer.isRow ? g.alikePanels(p, end) : 1;
            cellBefore(t, rank0, rank1, base, p, together);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 0, Gates.CANDIDATE, 1, drh, drhOffset, false);
        for (int p = g.gatePanel(panel0); p < end && rank0 < rank1; p += together) {
            together = layer.isRow ? g.alikePanels(p, end) : 1;
            cellReset(t, rank0, rank1, base, p, together);
        }
        if (barrier != null) {
            barrier.await();
        }
        multiplyRecurrent(t, base, rank0, rank1, panel0, panel1, 1, Gates.RESET, 2, dh, dhOffset, true);
    }

    // The cell of gate panel p for all rows or, with B = 1, of panels p … p + together − 1 in the place of rows, which
    // then lie u units apart in all but gates.

    private void cellAfter(int t, int rank0, int rank1, int base, int p, int together) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int u = g.units(p);
        int unit = p * g.unit;
        int row = schedule.first[t] + rank0;
        int rows = layer.isRow ? together : rank1 - rank0;
        int stride = layer.isRow ? u : Hp;
        kernels.backwardAfter(
                gates, gatesOffset + row * Gates.COUNT * Hp + Gates.COUNT * unit, Gates.COUNT * stride, u,
                kept, keptOffset + row * Hp + unit, stride,
                state, stateAt(row) + unit, stride, stateRows(), layer.isRow ? 0 : row,
                dh, dhOffset + rank0 * Hp + unit, stride,
                dgates, dgatesOffset + (row - base) * BLOCKS * Hp + unit, layer.isRow ? u : BLOCKS * Hp, Hp, rows);
    }

    private void cellBefore(int t, int rank0, int rank1, int base, int p, int together) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int u = g.units(p);
        int unit = p * g.unit;
        int row = schedule.first[t] + rank0;
        int rows = layer.isRow ? together : rank1 - rank0;
        int stride = layer.isRow ? u : Hp;
        kernels.backwardBefore(
                gates, gatesOffset + row * Gates.COUNT * Hp + Gates.COUNT * unit, Gates.COUNT * stride, u,
                state, stateAt(row) + unit, stride, stateRows(), layer.isRow ? 0 : row,
                dh, dhOffset + rank0 * Hp + unit, stride,
                dgates, dgatesOffset + (row - base) * BLOCKS * Hp + unit, layer.isRow ? u : BLOCKS * Hp, Hp, rows);
    }

    private void cellReset(int t, int rank0, int rank1, int base, int p, int together) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int u = g.units(p);
        int unit = p * g.unit;
        int row = schedule.first[t] + rank0;
        int rows = layer.isRow ? together : rank1 - rank0;
        int stride = layer.isRow ? u : Hp;
        kernels.backwardReset(
                gates, gatesOffset + row * Gates.COUNT * Hp + Gates.COUNT * unit, Gates.COUNT * stride, u,
                drh, drhOffset + rank0 * Hp + unit, stride,
                state, stateAt(row) + unit, stride, stateRows(), layer.isRow ? 0 : row,
                dh, dhOffset + rank0 * Hp + unit, stride,
                dgates, dgatesOffset + (row - base) * BLOCKS * Hp + unit, layer.isRow ? u : BLOCKS * Hp, Hp, rows);
    }

    /** What {@link #stateRows} counts from: all states or, with B = 1, hPrev of this packed row. */
    private int stateAt(int row) {
        return layer.isRow
                ? stateOffset + schedule.prev[isReverse ? 1 : 0][row] * layer.geometry.padded
                : stateOffset;
    }

    private int[] stateRows() {
        return layer.isRow ? schedule.identity : schedule.prev[isReverse ? 1 : 0];
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
                width / g.lanes, panel1 - panel0, gateCount, descending,
                dgates, dgatesOffset + (row * BLOCKS + block) * Hp,
                layer.recurrentBackward, 4L * ((long) Gates.COUNT * Hp * unit + (long) gate * Hp * width),
                4L * Gates.COUNT * Hp * width, Hp, add ? target : zeros, add ? at : 0, target, at);
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
