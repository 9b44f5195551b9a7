package dev.gru4j.simd;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruVariant;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The parameters of one layer and direction in the layouts that the tiles read, off heap:
 *
 * <pre>
 * inputForward      [gate panel][I][r|z|n of the panel]     x·W_ihᵀ
 * recurrentForward  [gate panel][H][r|z|n of the panel]     h·W_hhᵀ, reset-after
 *                   [gate panel][r|z|n][H][units]           the same for plans of one row
 *                   [gate panel][r|z][H][units],
 *                   [gate panel][H][units] of n             reset-before, which multiplies n apart
 * inputBackward     [general panel][n|r|z of Hp][columns]   dgx·W_ih, columns being inputs
 * recurrentBackward [general panel][r|z|n of Hp][columns]   dgh·W_hh, columns being hidden units
 * </pre>
 *
 * <p>Hp is H padded; what belongs to padded units is 0, written once when the memory is made.
 */
final class SimdLayer implements SimdPool.Task {
    private static final float[] NONE = {};

    /** Gate → its place in the order n|r|z of dgx. */
    private static final int[] INPUT_PLACE = {1, 2, 0};

    final SimdGeometry geometry;
    final GruVariant variant;

    /** Whether the plan is for B = 1, where products of a single row take the place of tiles. */
    final boolean isRow;

    /** I of this layer. */
    final int inputs;

    final MemorySegment inputForward;
    final MemorySegment recurrentForward;
    final MemorySegment inputBackward;
    final MemorySegment recurrentBackward;

    /** b_ih and b_hh in the order of a row of gates, (3Hp); 0 where the layer has none. */
    final float[] biasIh;

    final float[] biasHh;

    /** b_hh in the order of the panels of {@link #recurrentForward}: with reset-before, n behind all r and z. */
    final float[] rowBiasHh;

    private final SimdKernels kernels;
    private final GruParameters parameters;
    private final int layer;
    private final int direction;
    private final boolean isTraining;
    private float[] flat = NONE;
    private int flatOffset;

    SimdLayer(
            GruParameters parameters, int layer, int direction, boolean training, boolean row,
            SimdGeometry geometry, SimdKernels kernels, Arena arena) {
        this.geometry = geometry;
        this.kernels = kernels;
        this.parameters = parameters;
        this.layer = layer;
        this.direction = direction;
        this.isTraining = training;
        this.isRow = row;
        this.variant = parameters.spec().variant();
        this.inputs = parameters.spec().layerInputSize(layer);
        long gates = (long) Gates.COUNT * geometry.padded;
        this.inputForward = floats(arena, gates * inputs);
        this.recurrentForward = floats(arena, gates * geometry.H);
        this.inputBackward = floats(arena, training ? gates * SimdGeometry.roundUp(inputs, geometry.lanes) : 0);
        this.recurrentBackward = floats(arena, training ? gates * geometry.padded : 0);
        this.biasIh = new float[(int) gates];
        this.biasHh = new float[(int) gates];
        this.rowBiasHh = variant == GruVariant.RESET_AFTER ? biasHh : new float[(int) gates];
    }

    private static MemorySegment floats(Arena arena, long floats) {
        return arena.allocate(Math.multiplyExact(floats, (long) Float.BYTES), SimdScratch.ALIGNMENT);
    }

    /** Offset in bytes of gate panel p of {@link #inputForward}. */
    long inputPanel(int p) {
        return 4L * Gates.COUNT * p * geometry.unit * inputs;
    }

    /** Offset in bytes of gate panel p of {@link #recurrentForward}, reset-after: of all its gates. */
    long recurrentPanel(int p) {
        return 4L * Gates.COUNT * p * geometry.unit * geometry.H;
    }

    /** Offset in bytes of one gate of gate panel p of {@link #recurrentForward}, where gates lie apart. */
    long recurrentPanel(int gate, int p) {
        int u = geometry.units(p);
        if (variant == GruVariant.RESET_AFTER) {
            return recurrentPanel(p) + 4L * gate * u * geometry.H;
        }
        long columns = gate == Gates.CANDIDATE
                ? (long) Gates.CANDIDATE * geometry.padded + (long) p * geometry.unit
                : (long) Gates.CANDIDATE * p * geometry.unit + (long) gate * u;
        return 4L * columns * geometry.H;
    }

    /** Takes over the parameters in {@code newFlat}, all threads of the pool sharing the work. */
    void load(float[] newFlat, int offset, SimdPool pool) {
        flat = newFlat;
        flatOffset = offset;
        pool.run(this, pool.threads());
        flat = NONE;
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        int strips = Gates.COUNT * geometry.padded / geometry.lanes;
        for (int s = team.share(strips, worker); s < team.share(strips, worker + 1); s++) {
            pack(s % Gates.COUNT, s / Gates.COUNT * geometry.lanes);
        }
        if (worker == 0) {
            loadBias(Kind.BIAS_IH, biasIh);
            loadBias(Kind.BIAS_HH, biasHh);
            orderRowBias();
        }
    }

    private int offsetOf(Kind kind) {
        return flatOffset + (int) parameters.get(layer, direction, kind).offset();
    }

    /** One gate's rows of both weights for a vector of units: a strip that is in cache when it is read again. */
    private void pack(int gate, int unit) {
        int rows = Math.min(geometry.lanes, geometry.H - unit);
        int p = unit / geometry.unit;
        int u = geometry.units(p);
        int H = geometry.H;
        long inUnit = 4L * (unit - p * geometry.unit);
        long column = 4L * gate * u + inUnit;
        int wIh = offsetOf(Kind.WEIGHT_IH) + (gate * H + unit) * inputs;
        kernels.transpose(
                flat, wIh, inputs, rows, inputs, inputForward, inputPanel(p) + column, 4L * Gates.COUNT * u);
        int wHh = offsetOf(Kind.WEIGHT_HH) + (gate * H + unit) * H;
        if (variant == GruVariant.RESET_AFTER && !isRow) {
            kernels.transpose(flat, wHh, H, rows, H, recurrentForward, recurrentPanel(p) + column,
                    4L * Gates.COUNT * u);
        } else {
            kernels.transpose(flat, wHh, H, rows, H, recurrentForward, recurrentPanel(gate, p) + inUnit, 4L * u);
        }
        if (isTraining) {
            packRows(wIh, rows, inputs, inputBackward, INPUT_PLACE[gate] * geometry.padded + unit);
            packRows(wHh, rows, H, recurrentBackward, gate * geometry.padded + unit);
        }
    }

    /** Rows of W as rows k, k + 1, … of every general panel. */
    private void packRows(int from, int rows, int columns, MemorySegment target, int k) {
        long K = (long) Gates.COUNT * geometry.padded;
        int wide = geometry.general;
        for (int column = 0; column < columns; column += wide) {
            int left = columns - column;
            int vectors = Math.min(kernels.shape.generalVectors(), Math.ceilDiv(left, geometry.lanes));
            kernels.packRows(
                    flat, from + column, columns, geometry.rows, 0, rows, left, target,
                    4L * (K * column + (long) k * vectors * geometry.lanes), vectors);
        }
    }

    private void loadBias(Kind kind, float[] bias) {
        if (!parameters.exists(kind)) {
            return;
        }
        int from = offsetOf(kind);
        int H = geometry.H;
        for (int p = 0; p < geometry.panels; p++) {
            int u = geometry.units(p);
            int valid = Math.min(u, H - p * geometry.unit);
            for (int gate = 0; gate < Gates.COUNT; gate++) {
                System.arraycopy(
                        flat, from + gate * H + p * geometry.unit,
                        bias, Gates.COUNT * p * geometry.unit + gate * u, valid);
            }
        }
    }

    private void orderRowBias() {
        if (variant == GruVariant.RESET_AFTER) {
            return;
        }
        for (int p = 0; p < geometry.panels; p++) {
            int u = geometry.units(p);
            int unit = p * geometry.unit;
            int from = Gates.COUNT * unit;
            int pair = Gates.CANDIDATE;
            System.arraycopy(biasHh, from, rowBiasHh, pair * unit, pair * u);
            System.arraycopy(biasHh, from + pair * u, rowBiasHh, pair * geometry.padded + unit, u);
        }
    }
}
