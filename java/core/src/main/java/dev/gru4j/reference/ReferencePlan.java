package dev.gru4j.reference;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.WeightStorage;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * {@link ReferenceNetwork} in float, its products in any precision, behind the plan interface. It copies between
 * host memory and the network's arrays, exactly, since the network's numbers are floats; unlike other
 * plans it allocates in every call and needs no workspace.
 *
 * <p>Reserve, for the T and B of the call: for every layer and direction, direction fastest, the gates
 * (T,B,4H) or (T,B,3H) and then the states (T,B,H). Between forward and backward nothing is kept
 * anywhere else.
 */
final class ReferencePlan extends GruPlan {
    private final ProductPrecision products;
    private final Precision precision;
    private final WeightStorage recurrentWeights;
    private @Nullable ReferenceNetwork network;

    ReferencePlan(
            GruSpec spec, int maxT, int maxB, Mode mode, ProductPrecision products, WeightStorage recurrentWeights) {
        super(spec, maxT, maxB, mode);
        this.products = products;
        this.precision = Precision.of(products);
        this.recurrentWeights = recurrentWeights;
    }

    @Override
    protected PlanReport.Builder explain() {
        return new PlanReport.Builder(ReferenceBackend.NAME)
                .decision("kernels", "scalar loops", "the equations and nothing else", List.of())
                .fact("precision", "float, products in " + products)
                .fact("recurrent weights", recurrentWeights.toString())
                .fact("threads", "1, the caller's");
    }

    @Override
    public long workspaceLength() {
        return 0;
    }

    @Override
    public long reserveLength() {
        if (mode() != Mode.TRAINING) {
            return 0;
        }
        long positions = (long) maxT() * maxB();
        return Math.multiplyExact(positions, (long) spec().states() * traceWidth());
    }

    @Override
    protected void doLoadParameters(FloatMemory flat) {
        int length = Math.toIntExact(parameters().length());
        double[] values = read("parameters", flat, 0, length);
        for (Parameter p : parameters().all()) {
            if (p.kind() == Kind.WEIGHT_HH) {
                int end = (int) (p.offset() + p.length());
                for (int k = (int) p.offset(); k < end; k++) {
                    values[k] = recurrentWeights.round((float) values[k]);
                }
            }
        }
        network = new ReferenceNetwork(spec(), precision, values);
    }

    @Override
    protected void doForward(GruCall call) {
        ReferenceNetwork.Forward forward = network()
                .forward(call.T(), call.B(), x(call), statesOf("h0", call, call.h0()), call.lengths(), dropout(call));
        if (call.y() != null) {
            write("y", call.y(), 0, forward.y());
        }
        if (call.hT() != null) {
            write("hT", call.hT(), 0, forward.hT());
        }
        if (mode() == Mode.TRAINING) {
            FloatMemory reserve = Objects.requireNonNull(call.reserve());
            long at = 0;
            for (ReferenceForward.Trace trace : forward.traces) {
                write("reserve", reserve, at, trace.gates);
                write("reserve", reserve, at + trace.gates.length, trace.states);
                at += trace.gates.length + trace.states.length;
            }
        }
    }

    @Override
    protected void doBackward(GruCall call) {
        int positions = call.T() * call.B();
        double[] dy = call.dy() == null ? null : read("dy", call.dy(), 0, positions * spec().outputSize());
        double[] dhT = statesOf("dhT", call, call.dhT());
        ReferenceNetwork.Gradients gradients = network().backward(readForward(call), dy, dhT);
        if (call.dx() != null) {
            write("dx", call.dx(), 0, gradients.dx());
        }
        if (call.dh0() != null) {
            write("dh0", call.dh0(), 0, gradients.dh0());
        }
        if (call.dParameters() != null) {
            double[] dParameters = gradients.dParameters();
            if (call.accumulate()) {
                double[] before = read("dParameters", call.dParameters(), 0, dParameters.length);
                for (int k = 0; k < dParameters.length; k++) {
                    dParameters[k] = precision.round(before[k] + dParameters[k]);
                }
            }
            write("dParameters", call.dParameters(), 0, dParameters);
        }
    }

    @Override
    protected float[] doExportReserve(GruCall call, int layer, int direction) {
        int positions = call.T() * call.B();
        int index = layer * spec().directions().count() + direction;
        FloatMemory reserve = Objects.requireNonNull(call.reserve());
        float[] gates = new float[positions * spec().variant().reserveGates() * spec().hiddenSize()];
        reserve.download((long) positions * traceWidth() * index, gates, 0, gates.length);
        return gates;
    }

    @Override
    protected void doClose() {
        network = null;
    }

    /** The forward that filled the reserve. */
    private ReferenceNetwork.Forward readForward(GruCall call) {
        int positions = call.T() * call.B();
        double[] h0 = statesOf("h0", call, call.h0());
        ReferenceNetwork.Forward forward = new ReferenceNetwork.Forward(
                spec(),
                call.T(),
                call.B(),
                x(call),
                h0 == null ? new double[statesLength(call)] : h0,
                call.lengths(),
                dropout(call));
        FloatMemory reserve = Objects.requireNonNull(call.reserve());
        int gates = positions * spec().variant().reserveGates() * spec().hiddenSize();
        int states = positions * spec().hiddenSize();
        long at = 0;
        for (int k = 0; k < spec().states(); k++) {
            forward.traces.add(new ReferenceForward.Trace(
                    read("reserve", reserve, at, gates), read("reserve", reserve, at + gates, states)));
            at += gates + states;
        }
        return forward;
    }

    private ReferenceNetwork network() {
        return Objects.requireNonNull(network, "parameters are loaded");
    }

    /** Floats of reserve that one position of one layer and direction takes. */
    private int traceWidth() {
        return (spec().variant().reserveGates() + 1) * spec().hiddenSize();
    }

    private int statesLength(GruCall call) {
        return spec().states() * call.B() * spec().hiddenSize();
    }

    private double[] x(GruCall call) {
        return read("x", Objects.requireNonNull(call.x()), 0, call.T() * call.B() * spec().inputSize());
    }

    private double @Nullable [] statesOf(String name, GruCall call, @Nullable FloatMemory memory) {
        return memory == null ? null : read(name, memory, 0, statesLength(call));
    }

    private ReferenceNetwork.@Nullable Dropout dropout(GruCall call) {
        return mode() == Mode.TRAINING
                ? new ReferenceNetwork.Dropout(call.dropoutSeed(), call.dropoutIteration())
                : null;
    }

    private static double[] read(String name, FloatMemory memory, long at, int count) {
        HostFloatMemory host = HostFloatMemory.of(name, memory).slice(at, count);
        double[] values = new double[count];
        for (int k = 0; k < count; k++) {
            values[k] = host.array()[host.offset() + k];
        }
        return values;
    }

    private static void write(String name, FloatMemory memory, long at, double[] values) {
        HostFloatMemory host = HostFloatMemory.of(name, memory).slice(at, values.length);
        for (int k = 0; k < values.length; k++) {
            host.array()[host.offset() + k] = (float) values[k];
        }
    }
}
