package dev.gru4j;

import dev.gru4j.backend.GruCall;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Forward and backward of a {@link Gru}, made by {@link Gru#training()}. One step is {@link #forward},
 * {@link #backward} and, after the caller's optimizer, {@link Gru#setWeights}:
 *
 * <pre>{@code
 * GruOutput out = training.forward(input, step);
 * GruGradients g = training.backward(dy, null);        // dy: gradient of the caller's loss at out.y()
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

    private @Nullable GruInput input;
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
        MemorySegment x = MemorySegment.ofArray(input.x());
        MemorySegment h0 = Gru.segmentOrNull(input.h0());
        MemorySegment y = MemorySegment.ofArray(output.y());
        MemorySegment hT = MemorySegment.ofArray(output.hT());
        return gru.locked(() -> {
            checkOpen();
            giveBack();
            PlanCache.Lease lease = gru.acquire(plans, input.T(), input.B());
            try {
                lease.call().dropout(gru.seed(), iteration);
                gru.run(lease, input.T(), input.B(), x, h0, input.lengths(), y, hT);
            } catch (RuntimeException | Error e) {
                lease.close();
                throw e;
            }
            this.pending = lease;
            this.input = input;
            return output;
        });
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
        return gru.locked(() -> {
            checkOpen();
            PlanCache.Lease lease = pending;
            GruInput forwarded = input;
            if (lease == null || forwarded == null) {
                throw new IllegalStateException("backward needs a forward before it; each forward has one backward");
            }
            GruGradients gradients = run(lease, forwarded, dy, dhT);
            giveBack();
            return gradients;
        });
    }

    private GruGradients run(
            PlanCache.Lease lease, GruInput forwarded, float @Nullable [] dy, float @Nullable [] dhT) {
        GruSpec spec = gru.spec();
        int T = forwarded.T();
        int B = forwarded.B();
        long states = GruShapes.states(spec, B);
        TensorEdge edge = lease.edge();
        GruCall call = lease.call();
        call.dy(null).dhT(null);
        if (dy != null) {
            MemorySegment host = MemorySegment.ofArray(dy);
            GruShapes.check("dy", host, GruShapes.positions("dy", T, B, spec.outputSize()), "T·B·D·H");
            call.dy(edge.input(TensorEdge.Role.DY, host));
        }
        if (dhT != null) {
            MemorySegment host = MemorySegment.ofArray(dhT);
            GruShapes.check("dhT", host, states, "L·D·B·H");
            call.dhT(edge.input(TensorEdge.Role.DHT, host));
        }
        GruGradients gradients = new GruGradients(
                GruShapes.array("dx", GruShapes.positions("dx", T, B, spec.inputSize())),
                GruShapes.array("dh0", states),
                new GruWeights(spec));
        MemorySegment dx = MemorySegment.ofArray(gradients.dx());
        MemorySegment dh0 = MemorySegment.ofArray(gradients.dh0());
        MemorySegment dParameters = MemorySegment.ofArray(gradients.dParameters().values());
        call.dx(edge.output(TensorEdge.Role.DX, dx));
        call.dh0(edge.output(TensorEdge.Role.DH0, dh0));
        call.dParameters(edge.output(TensorEdge.Role.DPARAMETERS, dParameters));
        lease.plan().backward(call);
        edge.deliver(TensorEdge.Role.DX, dx);
        edge.deliver(TensorEdge.Role.DH0, dh0);
        edge.deliver(TensorEdge.Role.DPARAMETERS, dParameters);
        return gradients;
    }

    private void giveBack() {
        if (pending != null) {
            pending.close();
            pending = null;
            input = null;
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
        input = null;
        plans.close();
    }
}
