package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.cuda.CudaKernels.Kernel;
import dev.gru4j.cuda.CudaProduct.Form;

/**
 * The forward pass of a layer, direction by direction: the input projection of all steps as one product,
 * then one persistent kernel, or stepwise the recurrent projection and the cell.
 *
 * <p>States and gates are kept in the order of steps, x, gx and y in the order of time; see
 * {@code cuda/gru_kernels.h}. To be called by a thread that has entered the session.
 */
final class CudaForward {
    private final CudaSession session;
    private final GruSpec spec;
    private final CudaLayout layout;
    private final CudaPersistent persistent;
    private final boolean isTraining;
    private final CudaProduct product;
    private final int H;
    private final int D;

    /** 3H: rows of W_ih and W_hh, width of gx, gh, dgx and dgh. */
    private final int gateRows;

    CudaForward(CudaSession session, GruSpec spec, CudaLayout layout, CudaPersistent persistent, boolean isTraining) {
        this.session = session;
        this.spec = spec;
        this.layout = layout;
        this.persistent = persistent;
        this.isTraining = isTraining;
        this.product = new CudaProduct(session);
        this.H = spec.hiddenSize();
        this.gateRows = Gates.COUNT * H;
        this.D = spec.directions().count();
    }

    /** One direction of a layer; two of them may run side by side. */
    void run(CudaCall call, CudaLayer layer) {
        projectInput(call, layer);
        if (persistent.isUsed(call.B())) {
            runPersistent(call, layer);
        } else {
            runStepwise(call, layer);
        }
    }

    /** What is left to do on a layer when all its directions are done. */
    void finish(CudaCall call, int layer) {
        if (isTraining && layer + 1 < spec.layers()) {
            dropOut(session, spec, call, layer, call.inReserve(layout.trainingOutput(layer)));
        }
    }

    private void runStepwise(CudaCall call, CudaLayer layer) {
        long hT = call.state(call.hT(), layer, D, H);
        long stateBytes = (long) call.B() * H * Float.BYTES;
        // Training keeps every state; in inference one is overwritten step by step, in place.
        long first = isTraining
                ? call.inReserve(layout.states(layer))
                : hT != 0 ? hT
                : call.inWorkspace(layout.h(layer));
        loadInitialState(call, layer, first);
        for (int step = 0; step < call.T(); step++) {
            long hPrev = isTraining ? first + step * stateBytes : first;
            long hNext = isTraining ? hPrev + stateBytes : first;
            if (spec.variant() == GruVariant.RESET_AFTER) {
                stepResetAfter(call, layer, step, hPrev, hNext);
            } else {
                stepResetBefore(call, layer, step, hPrev, hNext);
            }
        }
        if (isTraining && hT != 0) {
            session.copy(hT, first + call.T() * stateBytes, (long) call.B() * H);
        }
    }

    /** All steps in one launch. In inference two states take turns: others read one while the next is written. */
    private void runPersistent(CudaCall call, CudaLayer layer) {
        int stateBlocks = isTraining ? call.T() + 1 : 2;
        long states = isTraining ? call.inReserve(layout.states(layer)) : call.inWorkspace(layout.h(layer));
        loadInitialState(call, layer, states);
        if (call.T() > 0) {
            CudaBlocks.Division division = persistent.divide(call.B());
            long flags = call.inWorkspace(layout.flags(layer));
            session.fill(flags, 0, (long) CudaPersistent.FLAG_STRIDE * division.groups());
            session.arguments()
                    .put(CudaLayer.at(call.parameters(), layer.weightHh()))
                    .put(CudaLayer.at(call.parameters(), layer.biasHh()))
                    .put(call.inWorkspace(layout.gx(layer)))
                    .put(states)
                    .put(gates(call, layer, 0))
                    .put(output(call, layer))
                    .put(call.lengths())
                    .put(flags)
                    .put((long) D * H)
                    .put(stateBlocks)
                    .put(isTraining ? call.T() : 1)
                    .put(call.T())
                    .put(call.B())
                    .put(H)
                    .put(layer.isReverse())
                    .put(division.units())
                    .put(division.rows());
            session.launch(
                    persistent.kernel(false, division),
                    division.blocks(),
                    division.groups(),
                    1,
                    Math.toIntExact(persistent.sharedBytes(false, division)));
        }
        long hT = call.state(call.hT(), layer, D, H);
        if (hT != 0) {
            long state = (long) call.B() * H;
            session.copy(hT, states + call.T() % stateBlocks * state * Float.BYTES, state);
        }
    }

    /** gx (N,3H) = x·W_ihᵀ + b_ih. */
    private void projectInput(CudaCall call, CudaLayer layer) {
        product.of(Form.NT, call.N(), gateRows, layer.inputs())
                .a(layer.layer() == 0 ? call.x() : output(call, layer.layer() - 1), layer.inputs())
                .b(CudaLayer.at(call.parameters(), layer.weightIh()), layer.inputs())
                .bias(CudaLayer.at(call.parameters(), layer.biasIh()))
                .into(call.inWorkspace(layout.gx(layer)), gateRows)
                .positions(call.lengths(), call.B(), 0)
                .runLarge();
    }

    private void loadInitialState(CudaCall call, CudaLayer layer, long first) {
        long h0 = call.state(call.h0(), layer, D, H);
        if (h0 == 0) {
            session.fill(first, 0, (long) call.B() * H);
        } else {
            session.copy(first, h0, (long) call.B() * H);
        }
    }

    private void stepResetAfter(CudaCall call, CudaLayer layer, int step, long hPrev, long hNext) {
        projectState(call, layer, hPrev, H, Gates.RESET, Gates.COUNT);
        cell(Kernel.CELL_FORWARD_RESET_AFTER, call, layer, step, hPrev, hNext);
    }

    /** The candidate's rows of W_hh meet r ⊙ h, so they wait for r. */
    private void stepResetBefore(CudaCall call, CudaLayer layer, int step, long hPrev, long hNext) {
        projectState(call, layer, hPrev, H, Gates.RESET, Gates.CANDIDATE);
        cell(Kernel.CELL_FORWARD_RESET_BEFORE_GATES, call, layer, step, hPrev, hNext);
        long rh = gates(call, layer, step) + (long) Gates.COUNT * H * Float.BYTES;
        projectState(call, layer, rh, (long) CudaLayout.GATE_BLOCKS * H, Gates.CANDIDATE, Gates.COUNT);
        cell(Kernel.CELL_FORWARD_RESET_BEFORE_CANDIDATE, call, layer, step, hPrev, hNext);
    }

    /** Blocks {@code from} to {@code to} of gh (B,3H) = v·W_hhᵀ + b_hh, v (B,H) with rows {@code stride} apart. */
    private void projectState(CudaCall call, CudaLayer layer, long v, long stride, int from, int to) {
        long bias = CudaLayer.at(call.parameters(), layer.biasHh());
        product.of(Form.NT, call.B(), (to - from) * H, H)
                .a(v, stride)
                .b(CudaLayer.at(call.parameters(), layer.weightHh() + (long) from * H * H), H)
                .bias(bias == 0 ? 0 : bias + (long) from * H * Float.BYTES)
                .into(call.inWorkspace(layout.gh(layer) + (long) from * H), gateRows)
                .run();
    }

    private void cell(Kernel kernel, CudaCall call, CudaLayer layer, int step, long hPrev, long hNext) {
        session.arguments()
                .put(call.inWorkspace(layout.gx(layer)))
                .put(call.inWorkspace(layout.gh(layer)))
                .put(hPrev)
                .put(hNext)
                .put(gates(call, layer, step))
                .put(output(call, layer))
                .put(call.lengths())
                .put((long) D * H)
                .put(call.T())
                .put(call.B())
                .put(H)
                .put(step)
                .put(layer.isReverse());
        session.launch(kernel, CudaProduct.rowBlocks(call.B(), H), 0);
    }

    /** Gates (B,4H) of a step; reset-before needs them in inference too. */
    private long gates(CudaCall call, CudaLayer layer, int step) {
        if (isTraining) {
            return call.inReserve(layout.gates(layer) + (long) step * call.B() * CudaLayout.GATE_BLOCKS * H);
        }
        return spec.variant() == GruVariant.RESET_BEFORE ? call.inWorkspace(layout.stepGates(layer)) : 0;
    }

    /** Where this direction's H columns of the layer's output begin; 0 if nobody wants them. */
    private long output(CudaCall call, CudaLayer layer) {
        long all = output(call, layer.layer());
        return all == 0 ? 0 : all + (long) layer.direction() * H * Float.BYTES;
    }

    /** The output (N,D·H) of a layer. */
    private long output(CudaCall call, int layer) {
        if (layer + 1 == spec.layers()) {
            return call.y();
        }
        return isTraining
                ? call.inReserve(layout.trainingOutput(layer))
                : call.inWorkspace(layout.inferenceOutput(layer));
    }

    /** Multiplies the output (N,D·H) of a layer, or its gradient, by the layer's dropout scales, in place. */
    static void dropOut(CudaSession session, GruSpec spec, CudaCall call, int layer, long values) {
        if (spec.dropout() == 0 || call.N() == 0) {
            return;
        }
        session.arguments()
                .put(values)
                .put(values)
                .put(call.lengths())
                .put(call.draw())
                .put(layer)
                .put(call.T())
                .put(call.B())
                .put(spec.outputSize())
                .put(spec.dropout())
                .put(1f / (1f - spec.dropout()));
        // A thread draws four neighbours from one block of the generator.
        session.launch(Kernel.DROPOUT, CudaProduct.rowBlocks(call.N(), Math.ceilDiv(spec.outputSize(), 4)), 0);
    }
}
