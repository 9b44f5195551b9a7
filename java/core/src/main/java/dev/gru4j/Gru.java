package dev.gru4j;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * A GRU with weights on a backend, ready to run and to train.
 *
 * <pre>{@code
 * try (Gru gru = Gru.builder(256, 512).layers(2).build()) {
 *     GruOutput out = gru.forward(x, T, B); // x (T,B,I); out.y() (T,B,D·H), out.hT() (L·D,B,H)
 * }
 * }</pre>
 *
 * <p>Equations, with {@code ⊙} the product element by element:
 *
 * <pre>{@code
 * r  = σ(W_ir x + b_ir + W_hr h + b_hr)
 * z  = σ(W_iz x + b_iz + W_hz h + b_hz)
 * n  = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))    the other form: GruVariant.RESET_BEFORE
 * h' = (1 − z) ⊙ n + z ⊙ h
 * }</pre>
 *
 * <p><b>Copies.</b> On the CPU backends {@code float[]} tensors, {@link FloatBuffer}s over an array and
 * segments of an array are used in place; direct buffers, native and read-only segments are copied on
 * their way. On cuda all are copied to and from the device.
 *
 * <p><b>Memory.</b> Kernels and workspace are prepared for T and B rounded up to 1, 1¼, 1½ or 1¾ times a
 * power of two; the four sizes used last are kept, each with a copy of the weights and one workspace for
 * every call that ever ran at the same time. {@link #plans()} lists them.
 *
 * <p><b>Allocation.</b> Once a size has run, forwards into the caller's own arrays or segments allocate
 * nothing on the CPU backends, on any number of threads; the overloads that return a {@link GruOutput}
 * allocate that.
 *
 * <p><b>Threads.</b> All methods may be called from any thread, several forwards at once included; each
 * then has its own workspace. {@link #setWeights} and {@link #close} wait for the calls under way.
 */
public final class Gru implements AutoCloseable {
    private final GruSpec spec;
    private final long seed;
    private final GruBackend backend;
    private final boolean ownsBackend;
    private final FloatMemory parameters;
    private final PlanCache plans;

    /**
     * Shared by calls; exclusive for a change of weights and for closing. A ReentrantReadWriteLock would count
     * the holds of each thread in an object that is new for every call, once several threads read.
     */
    private final StampedLock lock = new StampedLock();

    private final List<GruTraining> trainings = new ArrayList<>(); // guarded by the exclusive lock
    private long version;
    private boolean closed;

    Gru(GruSpec spec, GruWeights weights, long seed, GruBackend backend, boolean ownsBackend) {
        this.spec = spec;
        this.seed = seed;
        this.backend = backend;
        this.ownsBackend = ownsBackend;
        this.parameters = backend.allocate(weights.layout().length());
        this.parameters.upload(weights.values());
        this.plans = new PlanCache(backend, spec, GruPlan.Mode.INFERENCE);
    }

    /** A GRU of I and H, by default PyTorch's {@code nn.GRU(I, H)} with weights drawn from seed 0. */
    public static GruBuilder builder(int inputSize, int hiddenSize) {
        return builder(GruSpec.of(inputSize, hiddenSize));
    }

    /** A GRU of this specification, its weights drawn from seed 0. */
    public static GruBuilder builder(GruSpec spec) {
        return new GruBuilder(spec, null);
    }

    /** A GRU with these weights; they are copied when it is built. */
    public static GruBuilder builder(GruWeights weights) {
        return new GruBuilder(weights.spec(), weights);
    }

    /**
     * A GRU with the weights of a safetensors file, PyTorch's or {@link GruWeights#save}'s, on the default
     * backend. For a choice of backend: {@code Gru.builder(GruWeights.load(path))}.
     *
     * @throws dev.gru4j.io.WeightFileException if the file breaks a rule of its format or holds no GRU
     */
    public static Gru load(Path path) throws IOException {
        return builder(GruWeights.load(path)).build();
    }

    public GruSpec spec() {
        return spec;
    }

    /** One line for people: the backend and where it computes. */
    public String description() {
        return backend.description();
    }

    /** One line for each inference plan now kept: the T and B it is for, its kernels and why. */
    public List<String> plans() {
        long stamp = enter();
        try {
            return plans.descriptions();
        } finally {
            leave(stamp);
        }
    }

    /** Runs x (T,B,I) from state 0, all rows of full length. */
    public GruOutput forward(float[] x, int T, int B) {
        return forward(new GruInput(x, T, B));
    }

    /**
     * Runs a batch of sequences through all layers, without dropout.
     *
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public GruOutput forward(GruInput input) {
        GruOutput output = newOutput(input);
        forward(input, output);
        return output;
    }

    /**
     * The same, into arrays of the caller that may serve call after call: nothing is allocated in the steady
     * state.
     *
     * @param output receives y (T,B,D·H) and hT (L·D,B,H), {@link GruOutput#of}; must not overlap the input
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public void forward(GruInput input, GruOutput output) {
        check(input, output);
        long stamp = enter();
        try (PlanCache.Lease lease = plans.acquire(input.T(), input.B(), parameters, version)) {
            run(lease, input, output);
        } finally {
            leave(stamp);
        }
    }

    /** One forward in a plan, inference or training; the tensors are checked. */
    void run(PlanCache.Lease lease, GruInput input, GruOutput output) {
        TensorEdge edge = lease.edge();
        float[] h0 = input.h0();
        GruCall call = lease.call().shape(input.T(), input.B()).lengths(input.lengths());
        call.x(edge.input(TensorEdge.Role.X, input.x()));
        call.h0(h0 == null ? null : edge.input(TensorEdge.Role.H0, h0));
        call.y(edge.output(TensorEdge.Role.Y, output.y()));
        call.hT(edge.output(TensorEdge.Role.HT, output.hT()));
        lease.plan().forward(call);
        edge.deliver(TensorEdge.Role.Y, output.y());
        edge.deliver(TensorEdge.Role.HT, output.hT());
    }

    /**
     * Runs the remaining floats of x (T,B,I) from state 0 and fills the rest of y (T,B,D·H); neither
     * position moves.
     *
     * @throws IllegalArgumentException if a buffer has another byte order than the machine
     */
    public void forward(FloatBuffer x, int T, int B, FloatBuffer y) {
        forward(FloatMemory.segmentOf("x", x), T, B, null, null, FloatMemory.segmentOf("y", y), null);
    }

    /**
     * Runs a batch of sequences between segments of floats in native byte order, at any alignment.
     * Outputs must not overlap inputs or each other.
     *
     * @param x input (T,B,I)
     * @param T steps, at least 0
     * @param B batch rows, at least 1
     * @param h0 initial states (L·D,B,H), direction fastest; absent: zero
     * @param lengths valid steps of each row (B), each 0 … T; absent: all T
     * @param y receives the states of the last layer (T,B,D·H), 0 in padding; absent: not wanted
     * @param hT receives the state after each row's last valid step (L·D,B,H); absent: not wanted
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public void forward(
            MemorySegment x,
            int T,
            int B,
            @Nullable MemorySegment h0,
            int @Nullable [] lengths,
            @Nullable MemorySegment y,
            @Nullable MemorySegment hT) {
        GruShapes.checkBatch(T, B);
        checkTensors(T, B, x, h0, y, hT);
        long stamp = enter();
        try (PlanCache.Lease lease = plans.acquire(T, B, parameters, version)) {
            run(lease, T, B, x, h0, lengths, y, hT);
        } finally {
            leave(stamp);
        }
    }

    /** The same between segments. */
    private void run(
            PlanCache.Lease lease,
            int T,
            int B,
            MemorySegment x,
            @Nullable MemorySegment h0,
            int @Nullable [] lengths,
            @Nullable MemorySegment y,
            @Nullable MemorySegment hT) {
        TensorEdge edge = lease.edge();
        GruCall call = lease.call().shape(T, B).lengths(lengths);
        call.x(edge.input(TensorEdge.Role.X, x));
        call.h0(h0 == null ? null : edge.input(TensorEdge.Role.H0, h0));
        call.y(y == null ? null : edge.output(TensorEdge.Role.Y, y));
        call.hT(hT == null ? null : edge.output(TensorEdge.Role.HT, hT));
        lease.plan().forward(call);
        if (y != null) {
            edge.deliver(TensorEdge.Role.Y, y);
        }
        if (hT != null) {
            edge.deliver(TensorEdge.Role.HT, hT);
        }
    }

    /** Before anything is allocated: a wrong T would otherwise show as a lack of memory. */
    private void checkTensors(
            int T,
            int B,
            MemorySegment x,
            @Nullable MemorySegment h0,
            @Nullable MemorySegment y,
            @Nullable MemorySegment hT) {
        GruShapes.check("x", x, GruShapes.positions("x", T, B, spec.inputSize()), "T·B·I");
        if (h0 != null) {
            GruShapes.check("h0", h0, GruShapes.states(spec, B), "L·D·B·H");
        }
        if (y != null) {
            GruShapes.check("y", y, GruShapes.positions("y", T, B, spec.outputSize()), "T·B·D·H");
        }
        if (hT != null) {
            GruShapes.check("hT", hT, GruShapes.states(spec, B), "L·D·B·H");
        }
    }

    /** The same for arrays, which need no segment then: each would be an object. */
    private void check(GruInput input) {
        long x = GruShapes.positions("x", input.T(), input.B(), spec.inputSize());
        GruShapes.check("x", input.x().length, x, "T·B·I");
        float[] h0 = input.h0();
        if (h0 != null) {
            GruShapes.check("h0", h0.length, GruShapes.states(spec, input.B()), "L·D·B·H");
        }
    }

    /** Refuses an input or arrays for its results that do not fit. */
    void check(GruInput input, GruOutput output) {
        check(input);
        long y = GruShapes.positions("y", input.T(), input.B(), spec.outputSize());
        GruShapes.check("y", output.y().length, y, "T·B·D·H");
        GruShapes.check("hT", output.hT().length, GruShapes.states(spec, input.B()), "L·D·B·H");
    }

    /** Arrays for the results of an input that is checked here. */
    GruOutput newOutput(GruInput input) {
        check(input);
        return GruOutput.of(spec, input.T(), input.B());
    }

    /** A copy of the weights as they are now. */
    public GruWeights weights() {
        long stamp = enter();
        try {
            return new GruWeights(spec, parameters.toArray());
        } finally {
            leave(stamp);
        }
    }

    /**
     * Replaces all weights; they are copied. A forward that begins later uses them, here and in every
     * {@link GruTraining} of this layer.
     *
     * @throws IllegalArgumentException if they are of another specification (dropout apart)
     */
    public void setWeights(GruWeights weights) {
        GruSpec given = weights.spec();
        if (!given.equals(spec) && !given.withDropout(spec.dropout()).equals(spec)) {
            throw new IllegalArgumentException("weights are of " + given + "; " + spec + " expected");
        }
        long stamp = lock.writeLock();
        try {
            checkOpen();
            parameters.upload(weights.values());
            version++;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /**
     * Training on the current thread, to which the returned object belongs. Close it, or let {@link #close}
     * do it.
     */
    public GruTraining training() {
        long stamp = lock.writeLock();
        try {
            checkOpen();
            GruTraining training = new GruTraining(this, new PlanCache(backend, spec, GruPlan.Mode.TRAINING));
            trainings.add(training);
            return training;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** A training plan loaded with the present weights; only between {@link #enter} and {@link #leave}. */
    PlanCache.Lease acquire(PlanCache cache, int T, int B) {
        return cache.acquire(T, B, parameters, version);
    }

    /** Frees a training, once, while no call runs. */
    void forget(GruTraining training, Runnable free) {
        long stamp = lock.writeLock();
        try {
            if (trainings.remove(training)) {
                free.run();
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    long seed() {
        return seed;
    }

    /** Begins work that {@link #close} and {@link #setWeights} wait for, until {@link #leave}. */
    long enter() {
        long stamp = lock.readLock();
        if (closed) {
            lock.unlockRead(stamp);
            checkOpen();
        }
        return stamp;
    }

    /** Ends what {@link #enter} began. */
    void leave(long stamp) {
        lock.unlockRead(stamp);
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("Gru for " + spec + " was closed");
        }
    }

    /**
     * Frees everything on the backend, and closes the backend itself if this layer opened it. Closing twice
     * does nothing.
     */
    @Override
    public void close() {
        long stamp = lock.writeLock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            trainings.forEach(GruTraining::free);
            trainings.clear();
            plans.close();
            parameters.close();
            if (ownsBackend) {
                backend.close();
            }
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    public String toString() {
        return "Gru " + spec + " on " + backend.name();
    }
}
