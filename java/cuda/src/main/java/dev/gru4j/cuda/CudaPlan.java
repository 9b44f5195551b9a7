package dev.gru4j.cuda;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A GRU on the cuda backend: its parameters on the device, and what one call enqueues, layer by layer.
 * The passes themselves are {@link CudaForward} and {@link CudaBackward}; where what lies is
 * {@link CudaLayout}; how two directions share the device is {@link CudaDirections}; when a pass is one
 * launch of a graph is {@link CudaGraphs}.
 *
 * <p>A call enqueues and returns. Workspace, reserve and outputs hold results once the backend was
 * synchronized or one of them was downloaded.
 */
final class CudaPlan extends GruPlan {
    private final CudaSession session;
    private final CudaDirections directions;
    private final CudaLayout layout;
    private final CudaForward forward;
    private final CudaBackward backward;
    private final BiConsumer<CudaCall, CudaLayer> forwardOfLayer;
    private final BiConsumer<CudaCall, CudaLayer> backwardOfLayer;

    /** Null where graphs are not wanted. */
    private final @Nullable CudaGraphs forwardGraphs;

    private final @Nullable CudaGraphs backwardGraphs;
    private final CudaFloatMemory values;

    /** L·D, direction fastest. */
    private final List<CudaLayer> layers = new ArrayList<>();

    /** The beginning of the workspace as the host sees it: the draw of dropout masks, then lengths. */
    private final int[] head;

    private final MemorySegment headMemory;

    CudaPlan(
            GruSpec spec, int maxT, int maxB, Mode mode, CudaSession session, KernelFamily family,
            boolean isWithGraphs) {
        super(spec, maxT, maxB, mode);
        this.session = session;
        boolean isTraining = mode == Mode.TRAINING;
        this.directions = new CudaDirections(
                session.device(), spec, maxB, isTraining, family, session.precision());
        CudaPersistent persistent = directions.persistent();
        this.layout = new CudaLayout(spec, maxT, maxB, isTraining, persistent.flagWords(maxB));
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                layers.add(CudaLayer.of(parameters(), layer, d));
            }
        }
        this.head = new int[CudaLayout.LENGTHS + maxB];
        this.headMemory = MemorySegment.ofArray(head);
        this.forward = new CudaForward(session, spec, layout, persistent, isTraining);
        this.backward = new CudaBackward(session, spec, layout, persistent);
        this.forwardOfLayer = forward::run;
        this.backwardOfLayer = backward::run;
        this.forwardGraphs = isWithGraphs ? new CudaGraphs(session, "forward", this::enqueueForward) : null;
        this.backwardGraphs = isWithGraphs ? new CudaGraphs(session, "backward", this::enqueueBackward) : null;
        if (spec.directions().count() == 2) {
            session.openSide();
        }
        this.values = CudaFloatMemory.allocate(session, parameters().length());
    }

    @Override
    protected PlanReport.Builder explain() {
        boolean hasLibrary = !(session.products() instanceof OwnProducts);
        return new CudaExplanation(
                session.device(), spec(), maxT(), maxB(), session.precision(), directions, layout,
                forwardGraphs != null)
                .addTo(
                        new PlanReport.Builder(CudaBackendProvider.NAME), session.products().description(), hasLibrary);
    }

    @Override
    public long workspaceLength() {
        return layout.workspaceLength();
    }

    @Override
    public long reserveLength() {
        return layout.reserveLength();
    }

    @Override
    protected void doLoadParameters(FloatMemory flat) {
        long from = CudaFloatMemory.address("parameters", flat, session);
        session.copy(CudaFloatMemory.address("parameters", values, session), from, parameters().length());
    }

    @Override
    protected void doForward(GruCall call) {
        session.enter();
        try {
            CudaCall addresses = forwardAddresses(call);
            if (forwardGraphs != null && isStepwise(addresses)) {
                forwardGraphs.run(addresses);
            } else {
                enqueueForward(addresses);
            }
        } finally {
            session.leave();
        }
    }

    @Override
    protected void doBackward(GruCall call) {
        session.enter();
        try {
            CudaCall addresses = backwardAddresses(call);
            if (backwardGraphs != null && isStepwise(addresses)) {
                backwardGraphs.run(addresses);
            } else {
                enqueueBackward(addresses);
            }
        } finally {
            session.leave();
        }
    }

    /** Whether there is a loop over steps on the host. */
    private boolean isStepwise(CudaCall call) {
        return call.T() > 0 && !directions.persistent().isUsed(call.B());
    }

    private void enqueueForward(CudaCall call) {
        for (int layer = 0; layer < spec().layers(); layer++) {
            enqueueDirections(forwardOfLayer, call, layer);
            forward.finish(call, layer);
        }
    }

    private void enqueueBackward(CudaCall call) {
        int D = spec().directions().count();
        for (int layer = spec().layers() - 1; layer >= 0; layer--) {
            enqueueDirections(backwardOfLayer, call, layer);
            for (int d = 0; d < D; d++) {
                backward.finish(call, layers.get(layer * D + d));
            }
        }
    }

    private void enqueueDirections(BiConsumer<CudaCall, CudaLayer> pass, CudaCall call, int layer) {
        int D = spec().directions().count();
        if (directions.areSideBySide(call.B())) {
            session.streams().sideBySide(pass, call, layers.get(layer * D), layers.get(layer * D + 1));
        } else {
            for (int d = 0; d < D; d++) {
                pass.accept(call, layers.get(layer * D + d));
            }
        }
    }

    /** The tensors of a forward as device addresses, what its kernels read besides uploaded. */
    private CudaCall forwardAddresses(GruCall call) {
        long workspace = address("workspace", call.workspace());
        boolean isPadded = uploadHead(call, workspace);
        return new CudaCall(
                call.T(),
                call.B(),
                false,
                address("parameters", values),
                address("x", call.x()),
                address("h0", call.h0()),
                draw(workspace),
                isPadded ? lengths(workspace) : 0,
                address("y", call.y()),
                address("hT", call.hT()),
                workspace,
                address("reserve", mode() == Mode.TRAINING ? call.reserve() : null),
                0,
                0,
                0,
                0,
                0);
    }

    /** The same of a backward, which does not look at h0, y and hT: the reserve has the states. */
    private CudaCall backwardAddresses(GruCall call) {
        long workspace = address("workspace", call.workspace());
        boolean isPadded = uploadHead(call, workspace);
        return new CudaCall(
                call.T(),
                call.B(),
                call.accumulate(),
                address("parameters", values),
                address("x", call.x()),
                0,
                draw(workspace),
                isPadded ? lengths(workspace) : 0,
                0,
                0,
                workspace,
                address("reserve", call.reserve()),
                address("dy", call.dy()),
                address("dhT", call.dhT()),
                address("dx", call.dx()),
                address("dh0", call.dh0()),
                address("dParameters", call.dParameters()));
    }

    /** Copies the draw of dropout masks and the lengths to the device, if anybody reads them; returns whether a row is padded. */
    private boolean uploadHead(GruCall call, long workspace) {
        int[] lengths = call.lengths();
        boolean isPadded = false;
        for (int b = 0; lengths != null && b < lengths.length; b++) {
            isPadded |= lengths[b] < call.T();
        }
        int words = 0;
        if (hasDropout()) {
            head[CudaLayout.DRAW] = (int) call.dropoutSeed();
            head[CudaLayout.DRAW + 1] = (int) (call.dropoutSeed() >>> Integer.SIZE);
            head[CudaLayout.DRAW + 2] = (int) call.dropoutIteration();
            words = CudaLayout.LENGTHS;
        }
        if (isPadded) {
            System.arraycopy(Objects.requireNonNull(lengths), 0, head, CudaLayout.LENGTHS, call.B());
            words = CudaLayout.LENGTHS + call.B();
        }
        if (words > 0) {
            session.upload(workspace, headMemory.asSlice(0, (long) words * Integer.BYTES));
        }
        return isPadded;
    }

    private boolean hasDropout() {
        return mode() == Mode.TRAINING && spec().dropout() != 0 && spec().layers() > 1;
    }

    private long draw(long workspace) {
        return hasDropout() ? workspace + (long) CudaLayout.DRAW * Integer.BYTES : 0;
    }

    private static long lengths(long workspace) {
        return workspace + (long) CudaLayout.LENGTHS * Integer.BYTES;
    }

    /** 0 where the argument is absent. */
    private long address(String name, @Nullable FloatMemory memory) {
        return memory == null ? 0 : CudaFloatMemory.address(name, memory, session);
    }

    @Override
    protected float[] doExportReserve(GruCall call, int layer, int direction) {
        int T = call.T();
        int B = call.B();
        int H = spec().hiddenSize();
        int width = spec().variant().reserveGates() * H;
        float[] byStep = new float[Math.toIntExact((long) T * B * CudaLayout.GATE_BLOCKS * H)];
        CudaLayer place = layers.get(layer * spec().directions().count() + direction);
        Objects.requireNonNull(call.reserve()).download(layout.gates(place), byStep, 0, byStep.length);
        float[] byTime = new float[T * B * width];
        int stride = CudaLayout.GATE_BLOCKS * H;
        for (int b = 0; b < B; b++) {
            int length = call.length(b);
            for (int step = 0; step < length; step++) {
                int t = place.isReverse() ? length - 1 - step : step;
                System.arraycopy(
                        byStep, (step * B + b) * stride, byTime, (t * B + b) * width, width);
            }
        }
        return byTime;
    }

    @Override
    protected void doClose() {
        try {
            if (forwardGraphs != null) {
                forwardGraphs.close();
            }
            if (backwardGraphs != null) {
                backwardGraphs.close();
            }
        } finally {
            values.close();
        }
    }
}
