package dev.gru4j.simd;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass of one layer in one direction.
 *
 * <pre>
 * for every chunk of steps                                                  a hundred to several hundred packed rows
 *     gates  = x·W_ihᵀ + b_ih            one large product                  (rows,3Hp)
 *     for every step of the chunk, for every panel of hidden units
 *         gh     = hPrev·W_hhᵀ + b_hh    tiles, into a block in L1          (64,3u)
 *         r, z, n, hNext                 the cell, over that block          gates ← r|z|n
 * </pre>
 *
 * <p>Work is split over threads by rows, which needs no barrier between the steps, or, when the rows are
 * few, by hidden units with a barrier after each step. Reset-before has a second product per step,
 * (r ⊙ hPrev)·W_hn, and so a second barrier.
 */
final class SimdForward implements SimdPool.Task {
    /** Most packed rows of a chunk, unless one step has more; the backward pass always takes so many. */
    static final int CHUNK_ROWS = 512;

    /**
     * Rows per thread of a chunk whose W_ih is read from cache: few enough that gates are still in the L2 cache when
     * the step comes to them. A larger W_ih comes from far away, and then more rows are to share each reading.
     */
    private static final int SMALL_CHUNK_ROWS = 128;

    /** Rows of the block that goes from the tiles to the cell: 64·3·32 floats are 24 KiB, half an L1 cache. */
    static final int BLOCK_ROWS = 64;

    // Set by the plan before each run.
    SimdKernels kernels;
    SimdLayer layer;
    SimdSchedule schedule;
    boolean isReverse;
    boolean isTraining;
    float[] x;
    int xOffset;
    int[] xRows;
    float[] state;
    int stateOffset;
    float[] gates;
    int gatesOffset;
    float[] kept;
    int keptOffset;
    float @Nullable [] h0;
    int h0Offset;
    float @Nullable [] hT;
    int hTOffset;
    float @Nullable [] out;
    int outOffset;
    int outStride;
    int[] outRows;
    float[] blocks;

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdForward() {}

    /** Floats of {@link #blocks} for a number of threads. */
    static int blockFloats(SimdGeometry g, boolean row, int threads) {
        return threads * blockFloats(g, row);
    }

    /** A block of rows of one gate panel or, with B = 1, one row of all of them. */
    private static int blockFloats(SimdGeometry g, boolean row) {
        return Gates.COUNT * (row ? g.padded : BLOCK_ROWS * g.unit);
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        boolean byRows = SimdDivision.isByRows(schedule.B, team.workers);
        SimdGeometry g = layer.geometry;
        int rank0 = byRows ? schedule.firstRank(worker, team.workers) : 0;
        int rank1 = byRows ? schedule.firstRank(worker + 1, team.workers) : schedule.B;
        int panel0 = byRows ? 0 : g.gatePanel(team.share(g.generalPanels, worker));
        int panel1 = byRows ? g.panels : g.gatePanel(team.share(g.generalPanels, worker + 1));
        int block = worker * blockFloats(g, layer.isRow);
        loadInitialState(rank0, rank1, panel0, panel1);
        for (int done = 0; done < schedule.chunks; done++) {
            int chunk = isReverse ? schedule.chunks - 1 - done : done;
            int t0 = schedule.chunkStart[chunk];
            int steps = schedule.chunkStart[chunk + 1] - t0;
            // The last chunk's gates may still be read, and h0 is read by all.
            team.await();
            int base = isTraining ? 0 : schedule.first[t0];
            projectInput(t0, t0 + steps, base, worker, team);
            team.await();
            for (int i = 0; i < steps; i++) {
                int t = isReverse ? t0 + steps - 1 - i : t0 + i;
                int end = Math.min(rank1, schedule.active[t]);
                if (layer.isRow) {
                    stepRow(t, end, panel0, panel1, base, block, byRows ? null : team);
                } else if (layer.variant == GruVariant.RESET_AFTER) {
                    stepAfter(t, rank0, end, panel0, panel1, base, block);
                } else {
                    stepBefore(t, rank0, end, panel0, panel1, base, block, byRows ? null : team);
                }
                writeOutput(t, rank0, end, panel0, panel1);
                if (!byRows) {
                    team.await();
                }
            }
        }
    }

    /** Most packed rows of a forward chunk. */
    static int chunkRows(SimdLayer layer, int threads) {
        return layer.isInputLarge ? CHUNK_ROWS : Math.min(CHUNK_ROWS, SMALL_CHUNK_ROWS * threads);
    }

    /**
     * gates[row,:] = x[row,:]·W_ihᵀ + b_ih for the packed rows of steps t0 … t1−1. All rows take turns on a panel: a
     * tile reads a row of x at a twelfth of the pace at which it reads the panel, so it is x that should come from
     * beyond the L2 cache.
     */
    private void projectInput(int t0, int t1, int base, int worker, SimdPool.Team team) {
        SimdGeometry g = layer.geometry;
        int from = schedule.first[t0];
        int count = schedule.first[t1] - from;
        int row1 = from + team.share(count, worker + 1);
        int width = Gates.COUNT * g.padded;
        int row = from + team.share(count, worker);
        for (int p = 0; p < g.panels; p++) {
            int at = Gates.COUNT * p * g.unit;
            kernels.multiply(
                    Gates.COUNT * g.units(p) / g.lanes, row1 - row, x, xOffset, layer.inputs, xRows, row,
                    layer.inputForward, layer.inputPanel(p), layer.inputs, layer.biasIh, at, 0,
                    gates, gatesOffset + (row - base) * width + at, width);
        }
    }

    private void stepAfter(int t, int rank0, int rank1, int panel0, int panel1, int base, int block) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int width = Gates.COUNT * Hp;
        int[] prev = schedule.prev[isReverse ? 1 : 0];
        int next = schedule.nextRow(t, isReverse);
        for (int p = panel0; p < panel1; p++) {
            int u = g.units(p);
            int unit = p * g.unit;
            int blockWidth = Gates.COUNT * u;
            for (int rank = rank0; rank < rank1; rank += BLOCK_ROWS) {
                int rows = Math.min(BLOCK_ROWS, rank1 - rank);
                int row = schedule.first[t] + rank;
                int gate = gatesOffset + (row - base) * width + Gates.COUNT * unit;
                multiplyRecurrent(p, 0, Gates.COUNT, rows, state, stateOffset, prev, row, block);
                kernels.forwardGates(blocks, block, blockWidth, gates, gate, width, rows, 2 * u);
                kernels.forwardCandidateAfter(
                        blocks, block + Gates.CANDIDATE * u, blockWidth, gates, gate, width, u,
                        state, stateOffset + unit, Hp, prev, row, next + rank,
                        kept, keptOffset + keptRow(row, rank) * Hp + unit, Hp, rows);
            }
        }
    }

    private void stepBefore(
            int t, int rank0, int rank1, int panel0, int panel1, int base, int block, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int Hp = g.padded;
        int width = Gates.COUNT * Hp;
        int[] prev = schedule.prev[isReverse ? 1 : 0];
        int next = schedule.nextRow(t, isReverse);
        for (int p = panel0; p < panel1; p++) {
            int u = g.units(p);
            int unit = p * g.unit;
            for (int rank = rank0; rank < rank1; rank += BLOCK_ROWS) {
                int rows = Math.min(BLOCK_ROWS, rank1 - rank);
                int row = schedule.first[t] + rank;
                int gate = gatesOffset + (row - base) * width + Gates.COUNT * unit;
                multiplyRecurrent(p, Gates.RESET, 2, rows, state, stateOffset, prev, row, block);
                kernels.forwardGates(blocks, block, 2 * u, gates, gate, width, rows, 2 * u);
                kernels.forwardReset(
                        gates, gate, width, u, state, stateOffset + unit, Hp, prev, row,
                        kept, keptOffset + keptRow(row, rank) * Hp + unit, Hp, rows);
            }
        }
        if (barrier != null) {
            barrier.await();
        }
        for (int p = panel0; p < panel1; p++) {
            int u = g.units(p);
            int unit = p * g.unit;
            for (int rank = rank0; rank < rank1; rank += BLOCK_ROWS) {
                int rows = Math.min(BLOCK_ROWS, rank1 - rank);
                int row = schedule.first[t] + rank;
                int gate = gatesOffset + (row - base) * width + Gates.COUNT * unit;
                multiplyRecurrent(
                        p, Gates.CANDIDATE, 1, rows, kept, keptOffset, schedule.identity, keptRow(row, rank), block);
                kernels.forwardCandidateBefore(
                        blocks, block, u, gates, gate, width, u,
                        state, stateOffset + unit, Hp, prev, row, next + rank, rows);
            }
        }
    }

    /** Some gates of panel p of a·W_hhᵀ + b_hh into the block, side by side; all three where they lie together. */
    private void multiplyRecurrent(
            int p, int gate0, int count, int rows, float[] a, int ao, int[] aRows, int ar, int block) {
        SimdGeometry g = layer.geometry;
        int u = g.units(p);
        int bias = Gates.COUNT * p * g.unit + gate0 * u;
        if (!layer.isRecurrentApart) {
            kernels.multiply(
                    count * u / g.lanes, rows, a, ao, g.padded, aRows, ar, layer.recurrentForward,
                    layer.recurrentPanel(p), g.H, layer.biasHh, bias, 0, blocks, block, count * u);
            return;
        }
        for (int i = 0; i < count; i++) {
            kernels.multiply(
                    u / g.lanes, rows, a, ao, g.padded, aRows, ar, layer.recurrentForward,
                    layer.recurrentPanel(gate0 + i, p), g.H, layer.biasHh, bias + i * u, 0,
                    blocks, block + i * u, count * u);
        }
    }

    /**
     * A step of a plan for B = 1: the product of all panels, then the cell, whose calls take panels of one width in the
     * place of rows; the last panel may be narrower than the others.
     */
    private void stepRow(
            int t, int rows, int panel0, int panel1, int base, int block, SimdPool.@Nullable Team barrier) {
        SimdGeometry g = layer.geometry;
        int alike;
        for (int p = panel0; p < panel1 && rows > 0; p += alike) {
            alike = g.alikePanels(p, panel1);
            if (layer.variant == GruVariant.RESET_AFTER) {
                rowAfter(t, p, p + alike, base, block);
            } else {
                rowReset(t, p, p + alike, base, block);
            }
        }
        if (layer.variant == GruVariant.RESET_AFTER) {
            return;
        }
        if (barrier != null) {
            barrier.await();
        }
        for (int p = panel0; p < panel1 && rows > 0; p += alike) {
            alike = g.alikePanels(p, panel1);
            rowCandidate(t, p, p + alike, base, block);
        }
    }

    /** gh of all gates, then r, z, n and hNext; reset-after. */
    private void rowAfter(int t, int panel0, int panel1, int base, int block) {
        SimdGeometry g = layer.geometry;
        int u = g.units(panel0);
        int blockWidth = Gates.COUNT * u;
        int hPrev = rowPrev(t);
        int ahead = rowNext(t) - hPrev;
        int gate = rowGates(t, base);
        multiplyRow(
                t, state, hPrev, layer.recurrentPanel(Gates.RESET, panel0), panel0, Gates.COUNT * (panel1 - panel0),
                Gates.COUNT * panel0 * g.unit, block);
        // hNext must lie a whole number of panels ahead of hPrev.
        boolean alike = g.padded % u == 0;
        int together = alike ? panel1 - panel0 : 1;
        for (int p = panel0; p < panel1; p += together) {
            int unit = p * g.unit;
            int at = block + (p - panel0) * blockWidth;
            kernels.forwardGates(
                    blocks, at, blockWidth, gates, gate + Gates.COUNT * unit, blockWidth, together, 2 * u);
            kernels.forwardCandidateAfter(
                    blocks, at + Gates.CANDIDATE * u, blockWidth, gates, gate + Gates.COUNT * unit, blockWidth, u,
                    state, hPrev + unit, alike ? u : ahead, schedule.identity, 0, alike ? ahead / u : 1,
                    kept, rowKept(t) + unit, u, together);
        }
    }

    /** gh of r and z, then r, z and r ⊙ hPrev; reset-before. */
    private void rowReset(int t, int panel0, int panel1, int base, int block) {
        SimdGeometry g = layer.geometry;
        int u = g.units(panel0);
        int unit = panel0 * g.unit;
        int gate = rowGates(t, base) + Gates.COUNT * unit;
        multiplyRow(
                t, state, rowPrev(t), layer.recurrentPanel(Gates.RESET, panel0), panel0,
                Gates.CANDIDATE * (panel1 - panel0), Gates.CANDIDATE * unit, block);
        kernels.forwardGates(blocks, block, 2 * u, gates, gate, Gates.COUNT * u, panel1 - panel0, 2 * u);
        kernels.forwardReset(
                gates, gate, Gates.COUNT * u, u, state, rowPrev(t) + unit, u, schedule.identity, 0,
                kept, rowKept(t) + unit, u, panel1 - panel0);
    }

    /** gh of n, then n and hNext; reset-before. */
    private void rowCandidate(int t, int panel0, int panel1, int base, int block) {
        SimdGeometry g = layer.geometry;
        int u = g.units(panel0);
        int hPrev = rowPrev(t);
        int ahead = rowNext(t) - hPrev;
        int gate = rowGates(t, base);
        multiplyRow(
                t, kept, rowKept(t), layer.recurrentPanel(Gates.CANDIDATE, panel0), panel0, panel1 - panel0,
                Gates.CANDIDATE * g.padded + panel0 * g.unit, block);
        boolean alike = g.padded % u == 0;
        int together = alike ? panel1 - panel0 : 1;
        for (int p = panel0; p < panel1; p += together) {
            int unit = p * g.unit;
            kernels.forwardCandidateBefore(
                    blocks, block + (p - panel0) * u, u, gates, gate + Gates.COUNT * unit, Gates.COUNT * u, u,
                    state, hPrev + unit, alike ? u : ahead, schedule.identity, 0, alike ? ahead / u : 1, together);
        }
    }

    /** One row times consecutive panels as wide as gate panel p; what one step read last is in cache in the next. */
    private void multiplyRow(int t, float[] a, int ao, long panel, int p, int count, int bias, int block) {
        SimdGeometry g = layer.geometry;
        boolean descending = (t & 1) != 0;
        if (layer.isPaired && g.H % 2 != 0) {
            // The other half of the last pair is padding: an infinite x makes it NaN, which no weight of 0 would hide.
            a[ao + g.H] = 0;
        }
        kernels.multiplyRow(
                layer.isPaired, g.units(p) / g.lanes, count, 1, descending, a, ao,
                layer.recurrentForward, panel, layer.recurrentStride(g.units(p)), g.H, layer.rowBiasHh, bias, blocks,
                block);
    }

    private int rowPrev(int t) {
        return stateOffset + schedule.prev[isReverse ? 1 : 0][schedule.first[t]] * layer.geometry.padded;
    }

    private int rowNext(int t) {
        return stateOffset + schedule.nextRow(t, isReverse) * layer.geometry.padded;
    }

    private int rowGates(int t, int base) {
        return gatesOffset + (schedule.first[t] - base) * Gates.COUNT * layer.geometry.padded;
    }

    private int rowKept(int t) {
        return keptOffset + keptRow(schedule.first[t], 0) * layer.geometry.padded;
    }

    /** Training keeps a row per packed row, inference only the step's. */
    private int keptRow(int row, int rank) {
        return isTraining ? row : rank;
    }

    private void loadInitialState(int rank0, int rank1, int panel0, int panel1) {
        SimdGeometry g = layer.geometry;
        int unit0 = panel0 * g.unit;
        int unit1 = Math.min(g.padded, panel1 * g.unit);
        int valid = Math.min(unit1, g.H) - unit0;
        for (int rank = rank0; rank < rank1 && unit0 < unit1; rank++) {
            int to = stateOffset + rank * g.padded;
            int from = schedule.order[rank] * g.H + unit0;
            java.util.Arrays.fill(state, to + unit0, to + unit1, 0f);
            if (h0 != null) {
                System.arraycopy(h0, h0Offset + from, state, to + unit0, valid);
            }
            if (hT != null && rank >= schedule.active[0]) {
                System.arraycopy(state, to + unit0, hT, hTOffset + from, valid);
            }
        }
    }

    /** Copies the step's states to the layer's output and, where a row ends here, to hT. */
    private void writeOutput(int t, int rank0, int rank1, int panel0, int panel1) {
        SimdGeometry g = layer.geometry;
        int unit0 = panel0 * g.unit;
        int count = Math.min(g.H, panel1 * g.unit) - unit0;
        if (count <= 0) {
            return;
        }
        int next = schedule.nextRow(t, isReverse);
        int goingOn = isReverse ? (t == 0 ? 0 : schedule.active[t]) : schedule.active[t + 1];
        for (int rank = rank0; rank < rank1; rank++) {
            int from = stateOffset + (next + rank) * g.padded + unit0;
            if (out != null) {
                int row = outRows[schedule.first[t] + rank];
                System.arraycopy(state, from, out, outOffset + row * outStride + unit0, count);
            }
            if (hT != null && rank >= goingOn) {
                System.arraycopy(state, from, hT, hTOffset + schedule.order[rank] * g.H + unit0, count);
            }
        }
    }
}
