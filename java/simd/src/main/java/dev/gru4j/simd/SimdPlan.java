package dev.gru4j.simd;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.WeightStorage;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A GRU on the simd backend: packed parameters, and what one call does, layer by layer. The passes
 * themselves are {@link SimdForward}, {@link SimdBackward}, {@link SimdRowProduct} (dx) and
 * {@link SimdWeightGradient}.
 *
 * <p>Memory. Reserve, per layer and direction: states (B+N,Hp), gates r, z, n (N,3Hp) and kept (N,Hp),
 * which is gh_n or, reset-before, r ⊙ hPrev; per layer but the last its output (N,D·H). N = T·B of the
 * plan, Hp is H padded to the lanes. An inference plan has two steps of states, one of kept and one chunk
 * of gates in its workspace instead.
 */
final class SimdPlan extends GruPlan {
    // The blocks of dgates are n, r, z and, reset-after, n ⊙ r: the gate whose weights each of them gives with x, with
    // hPrev and, reset-before, with r ⊙ hPrev.
    private static final int[] GATES_IH = {
        Gates.CANDIDATE, Gates.RESET, Gates.UPDATE, SimdWeightGradient.NONE
    };
    private static final int[] GATES_HH = {
        SimdWeightGradient.NONE, Gates.RESET, Gates.UPDATE, Gates.CANDIDATE
    };
    private static final int[] GATES_HH_BEFORE = {SimdWeightGradient.NONE, Gates.RESET, Gates.UPDATE};
    private static final int[] GATES_HN_BEFORE = {
        Gates.CANDIDATE, SimdWeightGradient.NONE, SimdWeightGradient.NONE
    };

    private final WeightStorage recurrentWeights;
    private final SimdKernels kernels;
    private final SimdPool pool;
    private final SimdDivision division;
    private final SimdScratch.Pool scratches;
    private final SimdGeometry geometry;
    private final Arena arena = Arena.ofShared();
    private final List<SimdLayer> layers = new ArrayList<>();
    private final int[] gateColumns;

    SimdPlan(
            GruSpec spec, int maxT, int maxB, Mode mode, WeightStorage recurrentWeights, SimdKernels kernels,
            SimdPool pool, SimdDivision division, SimdScratch.Pool scratches) {
        super(spec, maxT, maxB, mode);
        this.recurrentWeights = recurrentWeights;
        this.kernels = kernels;
        this.pool = pool;
        this.division = division;
        this.scratches = scratches;
        this.geometry = new SimdGeometry(spec.hiddenSize(), kernels);
        int Hp = geometry.padded;
        this.gateColumns = spec.variant() == GruVariant.RESET_AFTER
                ? new int[] {0, Hp, 2 * Hp, 3 * Hp}
                : new int[] {0, Hp, 2 * Hp};
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                layers.add(new SimdLayer(
                        parameters(), layer, d, mode == Mode.TRAINING, maxB, recurrentWeights, geometry, kernels,
                        arena));
            }
        }
    }

    @Override
    protected PlanReport.Builder explain() {
        long multiplyAdds = multiplyAdds(spec(), maxRows());
        long meetings = SimdDivision.meetings(spec().variant(), maxT());
        int threads = division.threads(pool.threads(), kernels.lanes, multiplyAdds, maxB(), meetings);
        return SimdExplanation.of(kernels, geometry, pool.threads(), threads, maxB())
                .fact("recurrent weights", recurrentWeights == WeightStorage.FP32 || maxB() == 1
                        ? recurrentWeights.toString()
                        : "rounded to " + recurrentWeights
                                + ", kept in fp32: from B = 2 on memory does not set the pace");
    }

    // ---- memory ------------------------------------------------------------------------------------

    private boolean isTraining() {
        return mode() == Mode.TRAINING;
    }

    /** N of this plan. */
    private long maxRows() {
        return (long) maxT() * maxB();
    }

    /** Most packed rows of a chunk of steps. */
    private long chunkRows() {
        return Math.min(maxRows(), Math.max(SimdForward.CHUNK_ROWS, maxB()));
    }

    private long betweenLength() {
        return maxRows() * spec().outputSize();
    }

    private long statesLength() {
        return isTraining() ? (maxB() + maxRows()) * geometry.padded : 3L * maxB() * geometry.padded;
    }

    private long gatesLength() {
        long rows = isTraining() ? maxRows() : chunkRows();
        return rows * Gates.COUNT * geometry.padded;
    }

    private long keptLength() {
        return (isTraining() ? maxRows() : maxB()) * geometry.padded;
    }

    private long traceLength() {
        return statesLength() + gatesLength() + keptLength();
    }

    /** Offset of what layer {@code layer} and direction {@code d} keep: states, gates, kept. */
    private long traceOffset(int layer, int d) {
        return isTraining() ? (layer * spec().directions().count() + d) * traceLength() : 0;
    }

    /** Offset of the output of layer {@code layer}, behind the traces; in inference two take turns. */
    private long betweenOffset(int layer) {
        return isTraining()
                ? traceOffset(spec().layers(), 0) + layer * betweenLength()
                : traceLength() + (layer & 1) * betweenLength();
    }

    @Override
    public long reserveLength() {
        return isTraining() ? betweenOffset(spec().layers() - 1) : 0;
    }

    /** Backward: dh, drh, dgates of one chunk, and the gradients of two layers' outputs. */
    @Override
    public long workspaceLength() {
        if (!isTraining()) {
            return traceLength() + Math.min(2, spec().layers() - 1) * betweenLength();
        }
        return dBetweenOffset(0) + Math.min(2, spec().layers() - 1) * betweenLength();
    }

    private long dgatesOffset() {
        return 2L * maxB() * geometry.padded;
    }

    /** Most packed rows of a chunk of the backward pass. */
    private long dgatesRows() {
        return Math.min(maxRows(), Math.max(SimdBackward.chunkRows(geometry.padded), maxB()));
    }

    private long dBetweenOffset(int layer) {
        return dgatesOffset() + dgatesRows() * SimdBackward.BLOCKS * geometry.padded
                + (layer & 1) * betweenLength();
    }

    // ---- calls -------------------------------------------------------------------------------------

    @Override
    protected void doLoadParameters(FloatMemory flat) {
        HostFloatMemory host = HostFloatMemory.of("parameters", flat);
        for (SimdLayer layer : layers) {
            layer.load(host.array(), host.offset(), pool);
        }
    }

    @Override
    protected void doForward(GruCall call) {
        SimdScratch scratch = scratches.take();
        try {
            scratch.schedule.prepare(call, isTraining(), SimdForward.CHUNK_ROWS);
            scratch.schedule.identity(geometry.panels);
            int threads = threadsFor(scratch.schedule, 1);
            for (int layer = 0; layer < spec().layers(); layer++) {
                for (int d = 0; d < spec().directions().count(); d++) {
                    forwardLayer(call, scratch, layer, d, threads);
                }
                if (isTraining() && layer + 1 < spec().layers() && spec().dropout() > 0) {
                    HostFloatMemory reserve = memory("reserve", call.reserve());
                    dropOut(call, scratch, layer, reserve.array(), at(reserve, betweenOffset(layer)), threads);
                }
            }
            if (call.y() != null && !scratch.schedule.isFull()) {
                HostFloatMemory y = memory("y", call.y());
                clearPadding(call, y, spec().outputSize());
            }
        } finally {
            scratches.giveBack(scratch);
        }
    }

    @Override
    protected void doBackward(GruCall call) {
        SimdScratch scratch = scratches.take();
        try {
            scratch.schedule.prepare(call, true, SimdBackward.chunkRows(geometry.padded));
            scratch.schedule.identity(geometry.panels);
            int threads = threadsFor(scratch.schedule, 2);
            for (int layer = spec().layers() - 1; layer >= 0; layer--) {
                for (int d = 0; d < spec().directions().count(); d++) {
                    backwardLayer(call, scratch, layer, d, threads);
                }
                if (layer > 0 && spec().dropout() > 0) {
                    HostFloatMemory workspace = memory("workspace", call.workspace());
                    dropOut(call, scratch, layer - 1, workspace.array(), at(workspace, dBetweenOffset(layer - 1)),
                            threads);
                }
            }
            if (call.dx() != null && !scratch.schedule.isFull()) {
                clearPadding(call, memory("dx", call.dx()), spec().inputSize());
            }
        } finally {
            scratches.giveBack(scratch);
        }
    }

    /** Threads for a pass over the first layer, which stands for all; backward has {@code products} = 2. */
    private int threadsFor(SimdSchedule schedule, int products) {
        return division.threads(
                pool.threads(), kernels.lanes, products * multiplyAdds(spec(), schedule.packedRows), schedule.B,
                SimdDivision.meetings(spec().variant(), schedule.T));
    }

    /** Of a forward pass over a number of rows, layer 0 in one direction. */
    private static long multiplyAdds(GruSpec spec, long rows) {
        return rows * Gates.COUNT * spec.hiddenSize() * (spec.inputSize() + spec.hiddenSize());
    }

    private void forwardLayer(GruCall call, SimdScratch scratch, int layer, int d, int threads) {
        SimdForward f = scratch.forward;
        HostFloatMemory trace =
                isTraining() ? memory("reserve", call.reserve()) : memory("workspace", call.workspace());
        f.kernels = kernels;
        f.layer = layers.get(layer * spec().directions().count() + d);
        f.schedule = scratch.schedule;
        f.isReverse = spec().directions().isReverse(d);
        f.isTraining = isTraining();
        setLayerInput(call, scratch, layer, trace, f);
        f.state = trace.array();
        f.stateOffset = at(trace, traceOffset(layer, d));
        f.gates = trace.array();
        f.gatesOffset = at(trace, traceOffset(layer, d) + statesLength());
        f.kept = trace.array();
        f.keptOffset = at(trace, traceOffset(layer, d) + statesLength() + gatesLength());
        int states = stateOffset(call, layer, d);
        f.h0 = arrayOf("h0", call.h0());
        f.h0Offset = offsetOf("h0", call.h0()) + states;
        f.hT = arrayOf("hT", call.hT());
        f.hTOffset = offsetOf("hT", call.hT()) + states;
        f.outStride = spec().outputSize();
        if (layer + 1 == spec().layers()) {
            f.out = arrayOf("y", call.y());
            f.outOffset = offsetOf("y", call.y()) + d * spec().hiddenSize();
            f.outRows = scratch.schedule.source;
        } else {
            f.out = trace.array();
            f.outOffset = at(trace, betweenOffset(layer)) + d * spec().hiddenSize();
            f.outRows = scratch.schedule.identity;
        }
        f.blocks = scratch.onHeap(SimdForward.blockFloats(geometry, f.layer.isRow, pool.threads()));
        scratch.schedule.cut(SimdForward.chunkRows(f.layer, threads));
        pool.run(f, threads);
    }

    private void setLayerInput(GruCall call, SimdScratch scratch, int layer, HostFloatMemory trace, SimdForward f) {
        if (layer == 0) {
            HostFloatMemory x = memory("x", call.x());
            f.x = x.array();
            f.xOffset = x.offset();
            f.xRows = scratch.schedule.source;
        } else {
            f.x = trace.array();
            f.xOffset = at(trace, betweenOffset(layer - 1));
            f.xRows = scratch.schedule.identity;
        }
    }

    private void backwardLayer(GruCall call, SimdScratch scratch, int layer, int d, int threads) {
        SimdBackward b = scratch.backward;
        HostFloatMemory trace = memory("reserve", call.reserve());
        HostFloatMemory workspace = memory("workspace", call.workspace());
        int states = stateOffset(call, layer, d);
        b.kernels = kernels;
        b.layer = layers.get(layer * spec().directions().count() + d);
        b.schedule = scratch.schedule;
        b.isReverse = spec().directions().isReverse(d);
        b.state = trace.array();
        b.stateOffset = at(trace, traceOffset(layer, d));
        b.gates = trace.array();
        b.gatesOffset = at(trace, traceOffset(layer, d) + statesLength());
        b.kept = trace.array();
        b.keptOffset = at(trace, traceOffset(layer, d) + statesLength() + gatesLength());
        b.dOutStride = spec().outputSize();
        if (layer + 1 == spec().layers()) {
            b.dOut = arrayOf("dy", call.dy());
            b.dOutOffset = offsetOf("dy", call.dy()) + d * spec().hiddenSize();
            b.dOutRows = scratch.schedule.source;
        } else {
            b.dOut = workspace.array();
            b.dOutOffset = at(workspace, dBetweenOffset(layer)) + d * spec().hiddenSize();
            b.dOutRows = scratch.schedule.identity;
        }
        b.dhT = arrayOf("dhT", call.dhT());
        b.dhTOffset = offsetOf("dhT", call.dhT()) + states;
        b.dh0 = arrayOf("dh0", call.dh0());
        b.dh0Offset = offsetOf("dh0", call.dh0()) + states;
        b.dh = workspace.array();
        b.dhOffset = workspace.offset();
        b.drh = workspace.array();
        b.drhOffset = at(workspace, (long) maxB() * geometry.padded);
        b.dgates = workspace.array();
        b.dgatesOffset = at(workspace, dgatesOffset());
        b.zeros = scratch.clearedRow(Math.max(geometry.general, geometry.padded));
        b.inputGradient = inputGradient(call, scratch, layer, d, b);
        b.accumulate = call.accumulate();
        b.weightGradient = call.dParameters() == null
                ? null
                : weightGradient(scratch, memory("dParameters", call.dParameters()), layer, d, b, call);
        if (scratch.schedule.packedRows == 0 && !call.accumulate() && b.weightGradient != null) {
            b.weightGradient.clear();
        }
        pool.run(b, threads);
    }

    /** dx, or the gradient of the layer below; the second direction adds to the first. */
    private @Nullable SimdRowProduct inputGradient(
            GruCall call, SimdScratch scratch, int layer, int d, SimdBackward b) {
        if (layer == 0 && call.dx() == null) {
            return null;
        }
        SimdRowProduct p = scratch.rowProduct;
        p.kernels = kernels;
        p.columns = b.layer.inputs;
        p.K = Gates.COUNT * geometry.padded;
        p.a = b.dgates;
        p.aOffset = b.dgatesOffset;
        p.aStride = SimdBackward.BLOCKS * geometry.padded;
        p.identity = scratch.schedule.identity;
        p.panels = b.layer.inputBackward;
        p.bias = scratch.clearedRow(SimdGeometry.roundUp(p.columns, geometry.general));
        p.add = d > 0;
        p.outStride = b.layer.inputs;
        if (layer == 0) {
            HostFloatMemory dx = memory("dx", call.dx());
            p.out = dx.array();
            p.outOffset = dx.offset();
            p.outRows = scratch.schedule.source;
        } else {
            HostFloatMemory workspace = memory("workspace", call.workspace());
            p.out = workspace.array();
            p.outOffset = at(workspace, dBetweenOffset(layer - 1));
            p.outRows = scratch.schedule.identity;
        }
        p.blocks = scratch.blocks(SimdRowProduct.blockFloats(kernels, pool.threads()));
        return p;
    }

    /** dW_ih = Σ dgxᵀ·x and dW_hh = Σ dghᵀ·hPrev over all packed rows, with the biases' sums. */
    private SimdWeightGradient weightGradient(
            SimdScratch scratch, HostFloatMemory gradients, int layer, int d, SimdBackward b, GruCall call) {
        boolean isAfter = spec().variant() == GruVariant.RESET_AFTER;
        SimdWeightGradient w = scratch.weightGradient;
        w.kernels = kernels;
        w.g = b.dgates;
        w.gOffset = b.dgatesOffset;
        w.gStride = SimdBackward.BLOCKS * geometry.padded;
        w.gateColumns = gateColumns;
        w.gateRows = spec().hiddenSize();
        w.products = scratch.products(isAfter ? 2 : 3);

        SimdWeightGradient.Product ih = w.products[0];
        ih.columns = b.layer.inputs;
        ih.vStride = b.layer.inputs;
        if (layer == 0) {
            HostFloatMemory x = memory("x", call.x());
            ih.v = x.array();
            ih.vOffset = x.offset();
            ih.vRows = scratch.schedule.source;
        } else {
            HostFloatMemory reserve = memory("reserve", call.reserve());
            ih.v = reserve.array();
            ih.vOffset = at(reserve, betweenOffset(layer - 1));
            ih.vRows = scratch.schedule.identity;
        }
        ih.gates = GATES_IH;
        setTarget(ih, gradients, layer, d, Kind.WEIGHT_IH, Kind.BIAS_IH);

        SimdWeightGradient.Product hh = w.products[1];
        hh.columns = spec().hiddenSize();
        hh.v = b.state;
        hh.vOffset = b.stateOffset;
        hh.vStride = geometry.padded;
        hh.vRows = scratch.schedule.prev[b.isReverse ? 1 : 0];
        hh.gates = isAfter ? GATES_HH : GATES_HH_BEFORE;
        setTarget(hh, gradients, layer, d, Kind.WEIGHT_HH, Kind.BIAS_HH);
        if (!isAfter) {
            // W_hn met r ⊙ hPrev, the other two hPrev.
            SimdWeightGradient.Product hn = w.products[2];
            hn.columns = hh.columns;
            hn.v = b.kept;
            hn.vOffset = b.keptOffset;
            hn.vStride = geometry.padded;
            hn.vRows = scratch.schedule.identity;
            hn.gates = GATES_HN_BEFORE;
            setTarget(hn, gradients, layer, d, Kind.WEIGHT_HH, Kind.BIAS_HH);
        }
        w.heap = scratch.onHeap(SimdWeightGradient.heapFloats(pool.threads()));
        w.offHeap = scratch.offHeap(w.offHeapFloats((int) dgatesRows()));
        return w;
    }

    private void setTarget(
            SimdWeightGradient.Product w, HostFloatMemory gradients, int layer, int d, Kind weight, Kind bias) {
        w.out = gradients.array();
        w.outOffset = at(gradients, parameters().get(layer, d, weight).offset());
        boolean hasBias = parameters().exists(bias);
        w.sums = hasBias ? gradients.array() : null;
        w.sumsOffset = hasBias ? at(gradients, parameters().get(layer, d, bias).offset()) : 0;
    }

    private void dropOut(GruCall call, SimdScratch scratch, int layer, float[] features, int offset, int threads) {
        SimdDropout dropout = scratch.dropout;
        dropout.kernels = kernels;
        dropout.schedule = scratch.schedule;
        dropout.probability = spec().dropout();
        dropout.seed = call.dropoutSeed();
        dropout.iteration = call.dropoutIteration();
        dropout.layer = layer;
        dropout.features = features;
        dropout.offset = offset;
        dropout.prepare(pool.threads(), spec().outputSize());
        pool.run(dropout, threads);
    }

    private static void clearPadding(GruCall call, HostFloatMemory target, int width) {
        for (int t = 0; t < call.T(); t++) {
            for (int b = 0; b < call.B(); b++) {
                if (t >= call.length(b)) {
                    int from = target.offset() + (t * call.B() + b) * width;
                    java.util.Arrays.fill(target.array(), from, from + width, 0f);
                }
            }
        }
    }

    @Override
    protected float[] doExportReserve(GruCall call, int layer, int direction) {
        SimdSchedule schedule = new SimdSchedule();
        schedule.prepare(call, true, SimdBackward.chunkRows(geometry.padded));
        HostFloatMemory reserve = memory("reserve", call.reserve());
        int H = spec().hiddenSize();
        int width = spec().variant().reserveGates() * H;
        int gates = at(reserve, traceOffset(layer, direction) + statesLength());
        int kept = at(reserve, traceOffset(layer, direction) + statesLength() + gatesLength());
        float[] result = new float[Math.multiplyExact(call.T() * call.B(), width)];
        for (int row = 0; row < schedule.packedRows; row++) {
            int to = schedule.source[row] * width;
            for (int p = 0; p < geometry.panels; p++) {
                int unit = p * geometry.unit;
                int u = geometry.units(p);
                int valid = Math.min(u, H - unit);
                int from = gates + row * Gates.COUNT * geometry.padded + Gates.COUNT * unit;
                for (int gate = 0; gate < Gates.COUNT; gate++) {
                    System.arraycopy(reserve.array(), from + gate * u, result, to + gate * H + unit, valid);
                }
                if (spec().variant() == GruVariant.RESET_AFTER) {
                    System.arraycopy(
                            reserve.array(), kept + row * geometry.padded + unit,
                            result, to + Gates.RECURRENT_CANDIDATE * H + unit, valid);
                }
            }
        }
        return result;
    }

    @Override
    protected void doClose() {
        arena.close();
    }

    /** Offset of the (B,H) states of one layer and direction in h0, hT, dhT and dh0. */
    private int stateOffset(GruCall call, int layer, int d) {
        return (layer * spec().directions().count() + d) * call.B() * spec().hiddenSize();
    }

    private static float @Nullable [] arrayOf(String name, @Nullable FloatMemory memory) {
        return memory == null ? null : HostFloatMemory.of(name, memory).array();
    }

    private static int offsetOf(String name, @Nullable FloatMemory memory) {
        return memory == null ? 0 : HostFloatMemory.of(name, memory).offset();
    }

    /** Host memory that is there. */
    private static HostFloatMemory memory(String name, @Nullable FloatMemory memory) {
        if (memory == null) {
            throw new IllegalArgumentException(name + " is absent; it is needed by this call");
        }
        return HostFloatMemory.of(name, memory);
    }

    /** Index in the array of {@code memory} of its float {@code floats}. */
    private static int at(HostFloatMemory memory, long floats) {
        return Math.toIntExact(memory.offset() + floats);
    }
}
