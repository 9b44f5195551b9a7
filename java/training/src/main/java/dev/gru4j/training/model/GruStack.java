package dev.gru4j.training.model;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.training.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * A GRU inside a model: its parameters within the model's, a plan for training, one for inference made
 * at first use, and the memory of one call, allocated once for the largest batch.
 */
final class GruStack {
    /** How a forward is to run. */
    enum Run {
        TRAINING,
        INFERENCE
    }

    private final Memories memories;
    private final GruSpec spec;
    private final int maxT;
    private final int maxB;
    private final FloatMemory values;
    private final FloatMemory gradients;
    private final FloatMemory x;
    private final FloatMemory dx;
    private final FloatMemory y;
    private final FloatMemory dy;
    private final Pass training;
    private @Nullable Pass inference;

    /** One plan with what a call of it needs; its parameters are loaded when they have changed. */
    private static final class Pass {
        final GruPlan plan;
        final GruCall call = new GruCall();
        boolean stale = true;

        Pass(Memories memories, GruPlan plan) {
            this.plan = plan;
            call.workspace(memories.floats(plan.workspaceLength()));
            if (plan.mode() == GruPlan.Mode.TRAINING) {
                call.reserve(memories.floats(plan.reserveLength()));
            }
        }
    }

    /**
     * @param prefix of the names of its parameters, which lie in {@link dev.gru4j.GruParameters} order
     * @param hasOutputs whether y is used; an encoder only needs hT
     * @param hasInputGradient whether dx is wanted
     */
    GruStack(
            Memories memories,
            ParameterSet parameters,
            String prefix,
            GruSpec spec,
            int maxT,
            int maxB,
            boolean hasOutputs,
            boolean hasInputGradient) {
        this.memories = memories;
        this.spec = spec;
        this.maxT = maxT;
        this.maxB = maxB;
        GruPlan plan = memories.plan(spec, maxT, maxB, GruPlan.Mode.TRAINING);
        this.values = within(parameters.values(), parameters, prefix, plan);
        this.gradients = within(parameters.gradients(), parameters, prefix, plan);
        long rows = (long) maxT * maxB;
        this.x = memories.floats(rows * spec.inputSize());
        this.dx = memories.floats(hasInputGradient ? rows * spec.inputSize() : 0);
        this.y = memories.floats(hasOutputs ? rows * spec.outputSize() : 0);
        this.dy = memories.floats(hasOutputs ? rows * spec.outputSize() : 0);
        this.training = new Pass(memories, plan);
        training.call
                .x(x)
                .y(hasOutputs ? y : null)
                .dy(hasOutputs ? dy : null)
                .dx(hasInputGradient ? dx : null)
                .dParameters(gradients);
    }

    private static FloatMemory within(FloatMemory flat, ParameterSet parameters, String prefix, GruPlan plan) {
        String first = prefix + plan.parameters().all().getFirst().name();
        return flat.slice(parameters.tensor(first).offset(), plan.parameters().length());
    }

    /** Input (T,B,I), to be written before {@link #forward}. */
    FloatMemory x() {
        return x;
    }

    /** Gradient of x, written by {@link #backward}. */
    FloatMemory dx() {
        return dx;
    }

    /** States (T,B,D·H), written by {@link #forward}. */
    FloatMemory y() {
        return y;
    }

    /** Gradient of y, to be written before {@link #backward}. */
    FloatMemory dy() {
        return dy;
    }

    /** Floats of h0 and hT for {@code rows} rows. */
    long statesLength(int rows) {
        return (long) spec.states() * rows * spec.hiddenSize();
    }

    /** Which kernels were chosen. */
    String description() {
        return training.plan.description();
    }

    /** The parameters have other values now. */
    void parametersChanged() {
        training.stale = true;
        if (inference != null) {
            inference.stale = true;
        }
    }

    /** Runs x through all layers; {@code seed} and {@code step} select the dropout masks of a training run. */
    void forward(
            Run run,
            int T,
            int B,
            int @Nullable [] lengths,
            @Nullable FloatMemory h0,
            @Nullable FloatMemory hT,
            long seed,
            long step) {
        if (T > maxT || B > maxB) {
            throw new IllegalArgumentException("the batch has T = " + T + " and B = " + B
                    + "; the model was made for at most T = " + maxT + " and B = " + maxB);
        }
        Pass pass = run == Run.TRAINING ? training : inference();
        if (pass.stale) {
            pass.plan.loadParameters(values);
            pass.stale = false;
        }
        pass.call.shape(T, B).lengths(lengths).h0(h0).hT(hT).dropout(seed, step);
        pass.plan.forward(pass.call);
    }

    /**
     * Runs dy and dhT back through the last training forward; overwrites the gradients of its parameters.
     */
    void backward(@Nullable FloatMemory dhT, @Nullable FloatMemory dh0) {
        training.call.dhT(dhT).dh0(dh0);
        training.plan.backward(training.call);
    }

    private Pass inference() {
        Pass pass = inference;
        if (pass == null) {
            pass = new Pass(memories, memories.plan(spec, maxT, maxB, GruPlan.Mode.INFERENCE));
            pass.call.x(x).y(y.length() > 0 ? y : null);
            inference = pass;
        }
        return pass;
    }

    /** FLOP of forward and backward for that many valid steps of rows, 2 per multiply-add of the matrix products. */
    long flops(long validSteps) {
        long total = 0;
        for (int layer = 0; layer < spec.layers(); layer++) {
            long gates = 3L * spec.hiddenSize() * spec.directions().count();
            long inputProducts = layer > 0 || dx.length() > 0 ? 3 : 2; // forward, dW_ih and, if wanted, dx
            total += 2 * gates * (inputProducts * spec.layerInputSize(layer) + 3L * spec.hiddenSize());
        }
        return total * validSteps;
    }
}
