package dev.gru4j;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The reference behind memory that is not host memory, as on a GPU: what the layer does not upload and
 * download does not arrive. Counts what is open, so that a test can see that nothing is left.
 */
final class FakeDeviceBackend implements GruBackend {
    final AtomicInteger openMemories = new AtomicInteger();
    final AtomicInteger openPlans = new AtomicInteger();
    final AtomicInteger plansMade = new AtomicInteger();
    boolean closed;
    private final GruBackend reference = Backends.open("reference", BackendOptions.DEFAULT);

    /** Memory that shows its floats to nobody but this backend. */
    private final class DeviceMemory implements FloatMemory {
        private final HostFloatMemory host;
        private final boolean owner;
        private boolean open = true;

        DeviceMemory(HostFloatMemory host, boolean owner) {
            this.host = host;
            this.owner = owner;
            if (owner) {
                openMemories.incrementAndGet();
            }
        }

        @Override
        public long length() {
            return host.length();
        }

        @Override
        public void upload(long at, float[] source, int from, int count) {
            host.upload(at, source, from, count);
        }

        @Override
        public void upload(long at, MemorySegment source) {
            host.upload(at, source);
        }

        @Override
        public void download(long at, float[] target, int to, int count) {
            host.download(at, target, to, count);
        }

        @Override
        public void download(long at, MemorySegment target) {
            host.download(at, target);
        }

        @Override
        public void fill(float value) {
            host.fill(value);
        }

        @Override
        public FloatMemory slice(long offset, long length) {
            return new DeviceMemory(host.slice(offset, length), false);
        }

        @Override
        public void close() {
            if (owner && open) {
                open = false;
                host.close();
                openMemories.decrementAndGet();
            }
        }
    }

    private final class DevicePlan extends GruPlan {
        private final GruPlan plan;

        DevicePlan(GruSpec spec, int maxT, int maxB, Mode mode) {
            super(spec, maxT, maxB, mode);
            plan = reference.plan(spec, maxT, maxB, mode);
            openPlans.incrementAndGet();
            plansMade.incrementAndGet();
        }

        @Override
        protected PlanReport.Builder explain() {
            return new PlanReport.Builder("fake device");
        }

        @Override
        public long workspaceLength() {
            return 1;
        }

        @Override
        public long reserveLength() {
            return plan.reserveLength();
        }

        @Override
        protected void doLoadParameters(FloatMemory flat) {
            plan.loadParameters(host("parameters", flat));
        }

        @Override
        protected void doForward(GruCall call) {
            plan.forward(hostCall(call));
        }

        @Override
        protected void doBackward(GruCall call) {
            plan.backward(hostCall(call));
        }

        @Override
        protected float[] doExportReserve(GruCall call, int layer, int direction) {
            return plan.exportReserve(hostCall(call), layer, direction);
        }

        @Override
        protected void doClose() {
            plan.close();
            openPlans.decrementAndGet();
        }
    }

    private static HostFloatMemory host(String name, FloatMemory memory) {
        if (memory instanceof DeviceMemory device) {
            return device.host;
        }
        throw new IllegalArgumentException(name + " is not device memory");
    }

    private static @Nullable FloatMemory hostOrNull(String name, @Nullable FloatMemory memory) {
        return memory == null ? null : host(name, memory);
    }

    private static GruCall hostCall(GruCall call) {
        FloatMemory x = call.x();
        FloatMemory workspace = call.workspace();
        if (x == null || workspace == null) {
            throw new IllegalStateException("x and workspace were checked by the plan");
        }
        return new GruCall()
                .shape(call.T(), call.B())
                .x(host("x", x))
                .h0(hostOrNull("h0", call.h0()))
                .lengths(call.lengths())
                .y(hostOrNull("y", call.y()))
                .hT(hostOrNull("hT", call.hT()))
                .workspace(host("workspace", workspace))
                .reserve(hostOrNull("reserve", call.reserve()))
                .dropout(call.dropoutSeed(), call.dropoutIteration())
                .dy(hostOrNull("dy", call.dy()))
                .dhT(hostOrNull("dhT", call.dhT()))
                .dx(hostOrNull("dx", call.dx()))
                .dh0(hostOrNull("dh0", call.dh0()))
                .dParameters(hostOrNull("dParameters", call.dParameters()))
                .accumulate(call.accumulate());
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public String description() {
        return "fake device";
    }

    @Override
    public ProductPrecision precision() {
        return reference.precision();
    }

    @Override
    public FloatMemory allocate(long floats) {
        return new DeviceMemory(HostFloatMemory.allocate(floats), true);
    }

    @Override
    public IntMemory allocateInts(long integers) {
        return reference.allocateInts(integers);
    }

    @Override
    public GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        return new DevicePlan(spec, maxT, maxB, mode);
    }

    @Override
    public TrainingKernels trainingKernels() {
        return reference.trainingKernels();
    }

    @Override
    public void synchronize() {
        reference.synchronize();
    }

    @Override
    public void close() {
        closed = true;
        reference.close();
    }
}
