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
import org.jspecify.annotations.Nullable;

/**
 * A GRU on the cuda backend: its parameters on the device, and what one call enqueues, layer by layer.
 * The passes themselves are {@link CudaForward} and {@link CudaBackward}; where what lies is
 * {@link CudaLayout}.
 *
 * <p>A call enqueues and returns. Workspace, reserve and outputs hold results once the backend was
 * synchronized or one of them was downloaded.
 */
final class CudaPlan extends GruPlan {
    private final CudaSession session;
    private final CudaPersistent persistent;
    private final CudaLayout layout;
    private final CudaForward forward;
    private final CudaBackward backward;
    private final CudaFloatMemory values;

    /** L·D, direction fastest. */
    private final List<CudaLayer> layers = new ArrayList<>();

    CudaPlan(GruSpec spec, int maxT, int maxB, Mode mode, CudaSession session, KernelFamily family) {
        super(spec, maxT, maxB, mode);
        this.session = session;
        boolean isTraining = mode == Mode.TRAINING;
        this.persistent = new CudaPersistent(session.device(), spec, maxB, isTraining, family);
        this.layout = new CudaLayout(spec, maxT, maxB, isTraining, persistent.flagWords(maxB));
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                layers.add(CudaLayer.of(parameters(), layer, d));
            }
        }
        this.forward = new CudaForward(session, spec, layout, persistent, isTraining);
        this.backward = new CudaBackward(session, spec, layout, persistent);
        this.values = CudaFloatMemory.allocate(session, parameters().length());
    }

    @Override
    protected PlanReport.Builder explain() {
        boolean hasLibrary = !(session.products() instanceof OwnProducts);
        return new CudaExplanation(session.device(), spec(), maxT(), maxB(), persistent, layout)
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
            CudaCall addresses = addresses(call);
            for (CudaLayer layer : layers) {
                forward.run(addresses, layer);
            }
        } finally {
            session.leave();
        }
    }

    @Override
    protected void doBackward(GruCall call) {
        session.enter();
        try {
            CudaCall addresses = addresses(call);
            int D = spec().directions().count();
            for (int layer = spec().layers() - 1; layer >= 0; layer--) {
                for (int d = 0; d < D; d++) {
                    backward.run(addresses, layers.get(layer * D + d));
                }
            }
        } finally {
            session.leave();
        }
    }

    /** The call's tensors as device addresses, its lengths uploaded. */
    private CudaCall addresses(GruCall call) {
        long workspace = address("workspace", call.workspace());
        int[] lengths = call.lengths();
        boolean isPadded = false;
        for (int b = 0; lengths != null && b < lengths.length; b++) {
            isPadded |= lengths[b] < call.T();
        }
        if (isPadded) {
            session.upload(workspace, MemorySegment.ofArray(Objects.requireNonNull(lengths)));
        }
        return new CudaCall(
                call,
                address("parameters", values),
                address("x", call.x()),
                address("h0", call.h0()),
                isPadded ? workspace : 0,
                address("y", call.y()),
                address("hT", call.hT()),
                workspace,
                address("reserve", mode() == Mode.TRAINING ? call.reserve() : null),
                address("dy", call.dy()),
                address("dhT", call.dhT()),
                address("dx", call.dx()),
                address("dh0", call.dh0()),
                address("dParameters", call.dParameters()));
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
        values.close();
    }

}
