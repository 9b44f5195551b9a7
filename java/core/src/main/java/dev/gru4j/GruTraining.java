package dev.gru4j;

import dev.gru4j.backend.GruCall;
import org.jspecify.annotations.Nullable;

/**
 * Forward and backward of a {@link Gru}, made by {@link Gru#training()}. One step is {@link #forward},
 * {@link #backward} and, after the caller's optimizer, {@link Gru#setWeights}:
 *
 * <pre>{@code
 * GruOutput out = GruOutput.of(gru.spec(), T, B);       // once; or let forward and backward allocate
 * GruGradients g = GruGradients.of(gru.spec(), T, B);
 * training.forward(input, step, out);
 * training.backward(dy, null, g);                      // dy: gradient of the caller's loss at out.y()
 * for (int k = 0; k < w.length; k++) w[k] -= rate * g.dParameters().values()[k];
 * gru.setWeights(weights);
 * }</pre>
 *
 * <p>Belongs to the thread that made it: a call from another thread is an error that names both.
 */
public final class GruTraining implements AutoCloseable {
    private final Gru gru;
    private final PlanCache plans;
    private final Thread owner = Thread.currentThread();

    /** From forward to backward: the reserve is in use. */
    private PlanCache.@Nullable Lease pending;

    private boolean closed;

    GruTraining(Gru gru, PlanCache plans) {
        this.gru = gru;
        this.plans = plans;
    }

    /**
     * Runs a batch with dropout and keeps what backward needs. Leave the arrays of {@code input} unchanged
     * until backward has returned. A forward without a backward after it is allowed and forgotten.
     *
     * @param iteration training step: with the seed it decides the dropout masks (its low 32 bits count)
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public GruOutput forward(GruInput input, long iteration) {
        checkThread();
        GruOutput output = gru.newOutput(input);
        forward(input, iteration, output);
        return output;
    }

    /**
     * The same, into arrays of the caller that may serve step after step: nothing is allocated in the steady
     * state.
     *
     * @param output receives y (T,B,D·H) and hT (L·D,B,H), {@link GruOutput#of}; must not overlap the input;
     *     backward does not read it
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public void forward(GruInput input, long iteration, GruOutput output) {
        checkThread();
        gru.check(input, output);
        long stamp = gru.enter();
        try {
            checkOpen();
            giveBack();
            PlanCache.Lease lease = gru.acquire(plans, input.T(), input.B());
            try {
                lease.call().dropout(gru.seed(), iteration);
                gru.run(lease, input, output);
            } catch (RuntimeException | Error e) {
                lease.close();
                throw e;
            }
            pending = lease;
        } finally {
            gru.leave(stamp);
        }
    }

    /**
     * Runs gradients back through the last forward, with the weights that forward used.
     *
     * @param dy gradient of the loss at y (T,B,D·H), padding not read; absent: zero
     * @param dhT gradient of the loss at hT (L·D,B,H); absent: zero
     * @throws IllegalStateException if there was no forward since the last backward
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public GruGradients backward(float @Nullable [] dy, float @Nullable [] dhT) {
        checkThread();
        long stamp = gru.enter();
        try {
            GruCall call = forwarded().call();
            checkGradients(call, dy, dhT);
            GruGradients gradients = GruGradients.of(gru.spec(), call.T(), call.B());
            run(dy, dhT, gradients);
            return gradients;
        } finally {
            gru.leave(stamp);
        }
    }

    /**
     * The same, into arrays of the caller that may serve step after step: nothing is allocated in the steady
     * state. What the arrays held is overwritten, not added to.
     *
     * @param dy gradient of the loss at y (T,B,D·H), padding not read; absent: zero
     * @param dhT gradient of the loss at hT (L·D,B,H); absent: zero
     * @param gradients receives dx (T,B,I), dh0 (L·D,B,H) and the gradients of all parameters,
     *     {@link GruGradients#of}; must not overlap dy, dhT or the input
     * @throws IllegalStateException if there was no forward since the last backward
     * @throws IllegalArgumentException naming the argument, what was found and what was expected
     */
    public void backward(float @Nullable [] dy, float @Nullable [] dhT, GruGradients gradients) {
        checkThread();
        long stamp = gru.enter();
        try {
            checkGradients(forwarded().call(), dy, dhT);
            run(dy, dhT, gradients);
        } finally {
            gru.leave(stamp);
        }
    }

    /** The lease of the forward whose backward this is. */
    private PlanCache.Lease forwarded() {
        checkOpen();
        PlanCache.Lease lease = pending;
        if (lease == null) {
            throw new IllegalStateException("backward needs a forward before it; each forward has one backward");
        }
        return lease;
    }

    private void checkGradients(GruCall call, float @Nullable [] dy, float @Nullable [] dhT) {
        GruSpec spec = gru.spec();
        if (dy != null) {
            GruShapes.check(
                    "dy", dy.length, GruShapes.positions("dy", call.T(), call.B(), spec.outputSize()), "T·B·D·H");
        }
        if (dhT != null) {
            GruShapes.check("dhT", dhT.length, GruShapes.states(spec, call.B()), "L·D·B·H");
        }
    }

    /** One backward in the plan of the last forward; dy and dhT are checked. */
    private void run(float @Nullable [] dy, float @Nullable [] dhT, GruGradients gradients) {
        PlanCache.Lease lease = forwarded();
        GruSpec spec = gru.spec();
        GruCall call = lease.call();
        float[] values = gradients.dParameters().values();
        GruShapes.check(
                "dx", gradients.dx().length, GruShapes.positions("dx", call.T(), call.B(), spec.inputSize()), "T·B·I");
        GruShapes.check("dh0", gradients.dh0().length, GruShapes.states(spec, call.B()), "L·D·B·H");
        GruShapes.check("dParameters", values.length, lease.plan().parameters().length(), "all parameters");
        TensorEdge edge = lease.edge();
        call.dy(dy == null ? null : edge.input(TensorEdge.Role.DY, dy));
        call.dhT(dhT == null ? null : edge.input(TensorEdge.Role.DHT, dhT));
        call.dx(edge.output(TensorEdge.Role.DX, gradients.dx()));
        call.dh0(edge.output(TensorEdge.Role.DH0, gradients.dh0()));
        call.dParameters(edge.output(TensorEdge.Role.DPARAMETERS, values));
        lease.plan().backward(call);
        edge.deliver(TensorEdge.Role.DX, gradients.dx());
        edge.deliver(TensorEdge.Role.DH0, gradients.dh0());
        edge.deliver(TensorEdge.Role.DPARAMETERS, values);
        giveBack();
    }

    private void giveBack() {
        if (pending != null) {
            pending.close();
            pending = null;
        }
    }

    private void checkThread() {
        Thread caller = Thread.currentThread();
        if (!caller.equals(owner)) {
            throw new IllegalStateException("this GruTraining belongs to thread '" + owner.getName()
                    + "' and was called from '" + caller.getName() + "'; each thread needs its own");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("this GruTraining was closed");
        }
    }

    /** Frees plans and reserve. Closing twice does nothing. */
    @Override
    public void close() {
        checkThread();
        gru.forget(this, this::free);
    }

    /** On behalf of {@link Gru}, under its exclusive lock. */
    void free() {
        closed = true;
        pending = null;
        plans.close();
    }
}
