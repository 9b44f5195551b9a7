package dev.gru4j.simd;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.WeightStorage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The parameters of one layer and direction in the layouts that the tiles read, off heap:
 *
 * <pre>
 * inputForward      [gate panel][I][r|z|n of the panel]     x·W_ihᵀ
 * recurrentForward  [gate panel][H][r|z|n of the panel]     h·W_hhᵀ, reset-after
 *                   [gate panel][r|z|n][H][units]           the same, gates apart: one row, or a large W_hh
 *                   [gate panel][r|z][H][units],
 *                   [gate panel][H][units] of n             reset-before, which multiplies n apart
 * inputBackward     [general panel][n|r|z of Hp][columns]   dgx·W_ih, columns being inputs
 * recurrentBackward [general panel][r|z|n of Hp][columns]   dgh·W_hh, columns being hidden units
 * </pre>
 *
 * <p>Where W_hh is kept in bf16, rows k and k + 1 of a block [H] or [Hp] are the low and high halves of one row of ints, and
 * a cache line lies between the blocks of recurrentForward and between the panels of recurrentBackward.
 *
 * <p>Hp is H padded; what belongs to padded units is 0, written once when the memory is made.
 */
final class SimdLayer implements SimdPool.Task {
    /** Floats of a cache line. */
    private static final int LINE = SimdScratch.ALIGNMENT / Float.BYTES;

    private static final float[] NONE = {};

    /** Gate → its place in the order n|r|z of dgx. */
    private static final int[] INPUT_PLACE = {1, 2, 0};

    /** Bytes of a weight, several L2 caches, above which reading it costs more than the arithmetic of few rows. */
    private static final long LARGE = 4 << 20;

    final SimdGeometry geometry;
    final GruVariant variant;

    /** Whether the plan is for B = 1, where products of a single row take the place of tiles. */
    final boolean isRow;

    /** Whether W_ih is large, so that many rows should share one reading of it. */
    final boolean isInputLarge;

    /**
     * Whether each gate of {@link #recurrentForward} has panels of its own: where n is multiplied apart from r and z,
     * for a single row, and where W_hh is large. Every step reads all of it, and tiles of 8 × 2 vectors ask for it at
     * half the pace of those of 4 × 6.
     */
    final boolean isRecurrentApart;

    /** Whether recurrent weights are kept as pairs of bf16, which is where a plan is for B = 1 and asks for bf16. */
    final boolean isPaired;

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
    private final WeightStorage recurrentWeights;

    /** W_hh rounded, where it is kept rounded but not in pairs. */
    private final float[] rounded;
    private float[] flat = NONE;
    private int flatOffset;

    SimdLayer(
            GruParameters parameters, int layer, int direction, boolean training, int maxB,
            WeightStorage recurrentWeights, SimdGeometry geometry, SimdKernels kernels, Arena arena) {
        this.geometry = geometry;
        this.kernels = kernels;
        this.parameters = parameters;
        this.layer = layer;
        this.direction = direction;
        this.isTraining = training;
        this.isRow = maxB == 1;
        this.recurrentWeights = recurrentWeights;
        this.isPaired = isRow && recurrentWeights == WeightStorage.BF16;
        boolean rounds = recurrentWeights != WeightStorage.FP32 && !isRow;
        this.rounded = new float[rounds ? Gates.COUNT * geometry.H * geometry.H : 0];
        this.variant = parameters.spec().variant();
        this.inputs = parameters.spec().layerInputSize(layer);
        long gates = (long) Gates.COUNT * geometry.padded;
        this.isInputLarge = gates * inputs * Float.BYTES > LARGE;
        boolean isRecurrentLarge = gates * geometry.H * Float.BYTES > LARGE;
        boolean canSplit = kernels.shape.unitVectors() == 2 && maxB >= kernels.shape.generalRows();
        this.isRecurrentApart = variant == GruVariant.RESET_BEFORE || isRow || (isRecurrentLarge && canSplit);
        this.inputForward = floats(arena, gates * inputs);
        // Of pairs, K is even, and one line lies between panels, lest all fall into the same cache sets.
        long lines = (long) LINE * Gates.COUNT * geometry.padded / geometry.lanes;
        this.recurrentForward = floats(
                arena, isPaired ? gates * Math.ceilDiv(geometry.H, 2) + lines : gates * geometry.H);
        this.inputBackward = floats(arena, training ? gates * SimdGeometry.roundUp(inputs, geometry.lanes) : 0);
        long recurrent = isPaired ? gates * geometry.padded / 2 + lines : gates * geometry.padded;
        this.recurrentBackward = floats(arena, training ? recurrent : 0);
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
        long own = recurrentStride(geometry.units(p));
        long full = recurrentStride(geometry.unit);
        if (variant == GruVariant.RESET_AFTER) {
            return (long) Gates.COUNT * p * full + gate * own;
        }
        if (gate != Gates.CANDIDATE) {
            return (long) Gates.CANDIDATE * p * full + gate * own;
        }
        // Behind r and z of all panels, the last of which may be narrow.
        int last = geometry.panels - 1;
        return Gates.CANDIDATE * (last * full + recurrentStride(geometry.units(last))) + p * full;
    }

    /** Bytes from gate to gate of a panel of {@link #recurrentForward}, where gates lie apart. */
    long recurrentStride(int units) {
        return isPaired
                ? 4L * ((long) units * Math.ceilDiv(geometry.H, 2) + LINE)
                : 4L * units * geometry.H;
    }

    /** Offset in bytes of the rows of a gate in general panel q of {@link #recurrentBackward}. */
    long recurrentBackwardPanel(int gate, int q) {
        long rows = isPaired ? geometry.padded / 2 : geometry.padded;
        return q * recurrentBackwardStride(geometry.general) + 4L * gate * rows * geometry.generalUnits(q);
    }

    /** Bytes from panel to panel of {@link #recurrentBackward}. */
    long recurrentBackwardStride(int width) {
        long floats = (long) Gates.COUNT * geometry.padded * width;
        return 4L * (isPaired ? floats / 2 + LINE : floats);
    }

    /** Takes over the parameters in {@code newFlat}, all threads of the pool sharing the work. */
    void load(float[] newFlat, int offset, SimdPool pool) {
        flat = newFlat;
        flatOffset = offset;
        for (int k = 0; k < rounded.length; k++) {
            rounded[k] = recurrentWeights.round(flat[offsetOf(Kind.WEIGHT_HH) + k]);
        }
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
        if (isTraining) {
            packRows(flat, wIh, rows, inputs, inputBackward, INPUT_PLACE[gate] * geometry.padded + unit);
        }
        if (isPaired) {
            packPairs(gate, unit, rows);
            return;
        }
        boolean isRounded = rounded.length > 0;
        float[] recurrent = isRounded ? rounded : flat;
        int wHh = (isRounded ? 0 : offsetOf(Kind.WEIGHT_HH)) + (gate * H + unit) * H;
        if (isRecurrentApart) {
            kernels.transpose(recurrent, wHh, H, rows, H, recurrentForward, recurrentPanel(gate, p) + inUnit, 4L * u);
        } else {
            kernels.transpose(
                    recurrent, wHh, H, rows, H, recurrentForward, recurrentPanel(p) + column, 4L * Gates.COUNT * u);
        }
        if (isTraining) {
            packRows(recurrent, wHh, rows, H, recurrentBackward, gate * geometry.padded + unit);
        }
    }

    /** Rows of W as rows k, k + 1, … of every general panel. */
    private void packRows(float[] a, int from, int rows, int columns, MemorySegment target, int k) {
        long K = (long) Gates.COUNT * geometry.padded;
        int wide = geometry.general;
        for (int column = 0; column < columns; column += wide) {
            int left = columns - column;
            int vectors = Math.min(kernels.shape.generalVectors(), Math.ceilDiv(left, geometry.lanes));
            kernels.packRows(
                    a, from + column, columns, geometry.rows, 0, rows, left, target,
                    4L * (K * column + (long) k * vectors * geometry.lanes), vectors);
        }
    }

    /** One gate's rows of W_hh for a vector of units as pairs of bf16: of columns forward, of rows backward. */
    private void packPairs(int gate, int unit, int rows) {
        int H = geometry.H;
        int from = offsetOf(Kind.WEIGHT_HH) + (gate * H + unit) * H;
        int p = unit / geometry.unit;
        int u = geometry.units(p);
        long forward = recurrentPanel(gate, p) / Integer.BYTES + (unit - p * geometry.unit);
        for (int j = 0; j < rows; j++) {
            int row = from + j * H;
            for (int k = 0; k < H; k += 2) {
                int pair = pair(flat[row + k], k + 1 < H ? flat[row + k + 1] : 0f);
                recurrentForward.setAtIndex(ValueLayout.JAVA_INT, forward + j + (long) k / 2 * u, pair);
            }
        }
        for (int q = 0; q < geometry.generalPanels && isTraining; q++) {
            int width = geometry.generalUnits(q);
            int column = q * geometry.general;
            long panel = recurrentBackwardPanel(gate, q) / Integer.BYTES + (long) unit / 2 * width - column;
            for (int j = 0; j < rows; j += 2) {
                int row = from + j * H;
                for (int k = column; k < Math.min(H, column + width); k++) {
                    int pair = pair(flat[row + k], j + 1 < rows ? flat[row + H + k] : 0f);
                    recurrentBackward.setAtIndex(ValueLayout.JAVA_INT, panel + (long) j / 2 * width + k, pair);
                }
            }
        }
    }

    private int pair(float low, float high) {
        return bf16(low) >>> Short.SIZE | bf16(high);
    }

    /** The bits of a rounded weight; of a NaN, one that is still a NaN when its low half is cut off. */
    private int bf16(float weight) {
        return Float.floatToIntBits(recurrentWeights.round(weight)) & 0xffff_0000;
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
