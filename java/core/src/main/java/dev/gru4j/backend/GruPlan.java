package dev.gru4j.backend;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A GRU made ready on one backend: kernels chosen, parameters in the form the kernels read. Checks
 * every argument here, at the one public edge, so that all backends refuse the same inputs with the
 * same words.
 *
 * <p>Threads: after {@link #loadParameters}, {@link #forward} may run on several threads at once,
 * each with its own {@link GruCall}, workspace and outputs. Loading while a call runs is the caller's
 * mistake.
 */
public abstract class GruPlan implements AutoCloseable {
    /** Whether backward will be called. */
    public enum Mode {
        /** Forward only; no reserve. */
        INFERENCE,
        /** Forward keeps a reserve and applies dropout; backward is available. */
        TRAINING
    }

    private final GruSpec spec;
    private final GruParameters parameters;
    private final int maxT;
    private final int maxB;
    private final Mode mode;
    private boolean loaded;
    private boolean closed;

    protected GruPlan(GruSpec spec, int maxT, int maxB, Mode mode) {
        this.spec = Objects.requireNonNull(spec, "spec");
        this.mode = Objects.requireNonNull(mode, "mode");
        checkLargest(maxT, maxB);
        this.parameters = GruParameters.of(spec);
        this.maxT = maxT;
        this.maxB = maxB;
    }

    /** Sizes that a plan can be made for at all. */
    static void checkLargest(int maxT, int maxB) {
        if (maxT < 0) {
            throw new IllegalArgumentException("maxT is " + maxT + "; 0 or more expected");
        }
        if (maxB < 1) {
            throw new IllegalArgumentException("maxB is " + maxB + "; at least 1 expected");
        }
    }

    public final GruSpec spec() {
        return spec;
    }

    /** Layout of parameters and gradients. */
    public final GruParameters parameters() {
        return parameters;
    }

    /** Longest sequence this plan takes. */
    public final int maxT() {
        return maxT;
    }

    /** Largest batch this plan takes. */
    public final int maxB() {
        return maxB;
    }

    public final Mode mode() {
        return mode;
    }

    /** What was chosen for this shape and why, what was refused, and what the plan needs. */
    public final PlanReport report() {
        return explain().build(spec, maxT, maxB, mode, workspaceLength(), reserveLength());
    }

    /** One line for people, {@link #report} in short: which kernels were chosen for this shape and why. */
    public final String description() {
        return report().line();
    }

    /** The backend's part of {@link #report}: its name, its decisions, facts about them. */
    protected abstract PlanReport.Builder explain();

    /** Floats of workspace one call needs. */
    public abstract long workspaceLength();

    /** Floats of reserve one training forward fills; 0 for an inference plan. */
    public abstract long reserveLength();

    /**
     * Takes over the values of all parameters, {@link GruParameters} layout. To be called again after
     * every change of them; the memory itself is not kept.
     */
    public final void loadParameters(FloatMemory flat) {
        checkOpen();
        atLeast("parameters", flat, parameters.length());
        doLoadParameters(flat);
        loaded = true;
    }

    /**
     * Runs x through all layers: y, hT and, in a training plan, the reserve.
     *
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public final void forward(GruCall call) {
        checkCall(call);
        FloatMemory y = call.y();
        if (y != null) {
            atLeast("y", y, size("y (T,B,D·H)", call.T(), call.B(), spec.outputSize()));
        }
        if (call.hT() != null) {
            atLeast("hT", call.hT(), statesLength(call));
        }
        doForward(call);
    }

    /**
     * Runs the gradients dy and dhT back through all layers: dx, dh0, dParameters. Call it after
     * {@link #forward} with the same call object, before its reserve is used for another forward.
     *
     * @throws IllegalStateException if this is an inference plan
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public final void backward(GruCall call) {
        if (mode != Mode.TRAINING) {
            throw new IllegalStateException("backward needs a plan of mode TRAINING; this one is " + mode);
        }
        checkCall(call);
        if (call.dy() != null) {
            atLeast("dy", call.dy(), size("dy (T,B,D·H)", call.T(), call.B(), spec.outputSize()));
        }
        if (call.dhT() != null) {
            atLeast("dhT", call.dhT(), statesLength(call));
        }
        if (call.dx() != null) {
            atLeast("dx", call.dx(), size("dx (T,B,I)", call.T(), call.B(), spec.inputSize()));
        }
        if (call.dh0() != null) {
            atLeast("dh0", call.dh0(), statesLength(call));
        }
        if (call.dParameters() != null) {
            atLeast("dParameters", call.dParameters(), parameters.length());
        }
        doBackward(call);
    }

    /**
     * The reserve of one layer and direction after a forward, as (T,B,4H) for reset-after (r, z, n,
     * gh_n) or (T,B,3H) for reset-before (r, z, n), t being the time index; 0 in padding. For tests
     * and inspection: it copies.
     */
    public final float[] exportReserve(GruCall call, int layer, int direction) {
        checkCall(call);
        if (mode != Mode.TRAINING) {
            throw new IllegalStateException("a plan of mode " + mode + " keeps no reserve");
        }
        Objects.checkIndex(layer, spec.layers());
        Objects.checkIndex(direction, spec.directions().count());
        return doExportReserve(call, layer, direction);
    }

    /** Frees what the plan holds. Closing twice does nothing. */
    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            doClose();
        }
    }

    protected abstract void doLoadParameters(FloatMemory flat);

    /** All arguments are checked; x and workspace are present, reserve too in a training plan. */
    protected abstract void doForward(GruCall call);

    /** All arguments are checked; x, workspace and reserve are present. */
    protected abstract void doBackward(GruCall call);

    protected abstract float[] doExportReserve(GruCall call, int layer, int direction);

    protected abstract void doClose();

    private long statesLength(GruCall call) {
        return size("a state (L·D,B,H)", spec.states(), call.B(), spec.hiddenSize());
    }

    /** a·b·c, refused when its bytes do not fit a signed 64-bit number. */
    private static long size(String name, int a, int b, int c) {
        long plane = (long) a * b;
        if (plane != 0 && c > Long.MAX_VALUE / Float.BYTES / plane) {
            throw new IllegalArgumentException(
                    name + " has " + a + "·" + b + "·" + c + " floats; their bytes overflow a 64-bit size");
        }
        return plane * c;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("plan for " + spec + " was closed");
        }
    }

    private void checkCall(GruCall call) {
        checkOpen();
        if (!loaded) {
            throw new IllegalStateException("no parameters yet; call loadParameters first");
        }
        if (call.T() < 0 || call.T() > maxT) {
            throw new IllegalArgumentException("T is " + call.T() + "; 0 to " + maxT + " expected by this plan");
        }
        if (call.B() < 1 || call.B() > maxB) {
            throw new IllegalArgumentException("B is " + call.B() + "; 1 to " + maxB + " expected by this plan");
        }
        present("x", call.x());
        atLeast("x", call.x(), size("x (T,B,I)", call.T(), call.B(), spec.inputSize()));
        if (call.h0() != null) {
            atLeast("h0", call.h0(), statesLength(call));
        }
        checkLengths(call);
        atLeast("workspace", call.workspace(), workspaceLength());
        if (mode == Mode.TRAINING) {
            atLeast("reserve", call.reserve(), reserveLength());
        }
    }

    private static void checkLengths(GruCall call) {
        int[] lengths = call.lengths();
        if (lengths == null) {
            return;
        }
        if (lengths.length != call.B()) {
            throw new IllegalArgumentException(
                    "lengths has " + lengths.length + " entries; one per row, B = " + call.B() + ", expected");
        }
        for (int b = 0; b < lengths.length; b++) {
            if (lengths[b] < 0 || lengths[b] > call.T()) {
                throw new IllegalArgumentException(
                        "lengths[" + b + "] is " + lengths[b] + "; 0 to T = " + call.T() + " expected");
            }
        }
    }

    private static FloatMemory present(String name, @Nullable FloatMemory memory) {
        if (memory == null) {
            throw new IllegalArgumentException(name + " is absent; it is needed by this call");
        }
        return memory;
    }

    private static void atLeast(String name, @Nullable FloatMemory memory, long expected) {
        long found = present(name, memory).length();
        if (found < expected) {
            throw new IllegalArgumentException(name + " has " + found + " floats; " + expected + " expected");
        }
    }
}
