package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.cuda.CudaKernels.Kernel;
import dev.gru4j.cuda.CudaProduct.Form;

/**
 * The backward pass of one layer in one direction, last step first: one persistent kernel, or stepwise the
 * cell and the recurrent product; after the loop the gradients of input, weights and biases as one product
 * each over all positions.
 *
 * <p>dgh is kept in the order of steps, as states and gates are; dgx in the order of time, as x is. To be
 * called by a thread that has entered the session.
 */
final class CudaBackward {
    private final CudaSession session;
    private final GruSpec spec;
    private final CudaLayout layout;
    private final CudaPersistent persistent;
    private final CudaProduct product;
    private final int H;
    private final int D;

    /** 3H: rows of W_ih and W_hh, width of gx, gh, dgx and dgh. */
    private final int gateRows;

    CudaBackward(CudaSession session, GruSpec spec, CudaLayout layout, CudaPersistent persistent) {
        this.session = session;
        this.spec = spec;
        this.layout = layout;
        this.persistent = persistent;
        this.product = new CudaProduct(session);
        this.H = spec.hiddenSize();
        this.gateRows = Gates.COUNT * H;
        this.D = spec.directions().count();
    }

    /** One direction of a layer, all but the gradient of its input; two of them may run side by side. */
    void run(CudaCall call, CudaLayer layer) {
        long dh0 = call.state(call.dh0(), layer, D, H);
        long dh = dh0 != 0 ? dh0 : call.inWorkspace(layout.dh(layer));
        loadLastGradient(call, layer, dh);
        if (persistent.isUsed(call.B())) {
            runPersistent(call, layer, dh);
        } else {
            runStepwise(call, layer, dh);
        }
        if (call.dParameters() != 0) {
            weightGradients(call, layer);
        }
    }

    /**
     * The gradient of the layer's input as far as one direction adds to it: to be called for all of them, the first
     * one first, when all of them have run.
     */
    void finish(CudaCall call, CudaLayer layer) {
        inputGradient(call, layer);
        boolean isLastDirection = layer.direction() == D - 1;
        if (isLastDirection && layer.layer() > 0) {
            int below = layer.layer() - 1;
            CudaForward.dropOut(session, spec, call, below, call.inWorkspace(layout.outputGradient(below)));
        }
    }

    private void runStepwise(CudaCall call, CudaLayer layer, long dh) {
        for (int step = call.T() - 1; step >= 0; step--) {
            if (spec.variant() == GruVariant.RESET_AFTER) {
                stepResetAfter(call, layer, step, dh);
            } else {
                stepResetBefore(call, layer, step, dh);
            }
        }
    }

    /** All steps in one launch. */
    private void runPersistent(CudaCall call, CudaLayer layer, long dh) {
        if (call.T() == 0) {
            return;
        }
        CudaBlocks.Division division = persistent.divide(call.B());
        long flags = call.inWorkspace(layout.flags(layer));
        session.fill(flags, 0, (long) CudaPersistent.FLAG_STRIDE * division.groups());
        long dOut = outputGradient(call, layer.layer());
        session.arguments()
                .put(CudaLayer.at(call.parameters(), layer.weightHh()))
                .put(gates(call, layer, 0))
                .put(states(call, layer, 0))
                .put(dOut == 0 ? 0 : dOut + (long) layer.direction() * H * Float.BYTES)
                .put(dh)
                .put(call.inWorkspace(layout.gx(layer)))
                .put(dgh(call, layer, 0))
                .put(call.lengths())
                .put(flags)
                .put((long) D * H)
                .put(call.T())
                .put(call.B())
                .put(H)
                .put(layer.isReverse())
                .put(division.units())
                .put(division.rows());
        session.launch(
                persistent.kernel(true, division),
                division.blocks(),
                division.groups(),
                1,
                Math.toIntExact(persistent.sharedBytes(true, division)));
    }

    private void loadLastGradient(CudaCall call, CudaLayer layer, long dh) {
        long dhT = call.state(call.dhT(), layer, D, H);
        if (dhT == 0) {
            session.fill(dh, 0, (long) call.B() * H);
        } else {
            session.copy(dh, dhT, (long) call.B() * H);
        }
    }

    private void stepResetAfter(CudaCall call, CudaLayer layer, int step, long dh) {
        cell(Kernel.CELL_BACKWARD_RESET_AFTER, call, layer, step, dh);
        throughState(call, layer, step, Gates.RESET, Gates.COUNT, dh, true);
    }

    private void stepResetBefore(CudaCall call, CudaLayer layer, int step, long dh) {
        cell(Kernel.CELL_BACKWARD_RESET_BEFORE_CANDIDATE, call, layer, step, dh);
        throughState(call, layer, step, Gates.CANDIDATE, Gates.COUNT, call.inWorkspace(layout.drh(layer)), false);
        cell(Kernel.CELL_BACKWARD_RESET_BEFORE_RESET, call, layer, step, dh);
        throughState(call, layer, step, Gates.RESET, Gates.CANDIDATE, dh, true);
    }

    private void cell(Kernel kernel, CudaCall call, CudaLayer layer, int step, long dh) {
        long dOut = outputGradient(call, layer.layer());
        session.arguments()
                .put(gates(call, layer, step))
                .put(states(call, layer, step))
                .put(dOut == 0 ? 0 : dOut + (long) layer.direction() * H * Float.BYTES)
                .put(dh)
                .put(call.inWorkspace(layout.drh(layer)))
                .put(call.inWorkspace(layout.gx(layer)))
                .put(dgh(call, layer, step))
                .put(call.lengths())
                .put((long) D * H)
                .put(call.T())
                .put(call.B())
                .put(H)
                .put(step)
                .put(layer.isReverse());
        session.launch(kernel, CudaProduct.rowBlocks(call.B(), H), 0);
    }

    /** target (B,H) = dgh[blocks from … to]·W_hh[the same rows], or added to it; padded rows keep their gradient. */
    private void throughState(
            CudaCall call, CudaLayer layer, int step, int from, int to, long target, boolean accumulate) {
        product.of(Form.NN, call.B(), H, (to - from) * H)
                .a(dgh(call, layer, step) + (long) from * H * Float.BYTES, gateRows)
                .b(CudaLayer.at(call.parameters(), layer.weightHh() + (long) from * H * H), H)
                .into(target, H)
                .accumulate(accumulate)
                .positions(call.lengths(), call.B(), step)
                .run();
    }

    /** dx = dgx·W_ih, or the gradient of the layer below; the second direction adds to the first. */
    private void inputGradient(CudaCall call, CudaLayer layer) {
        long target = layer.layer() == 0
                ? call.dx()
                : call.inWorkspace(layout.outputGradient(layer.layer() - 1));
        if (target == 0) {
            return;
        }
        product.of(Form.NN, call.N(), layer.inputs(), gateRows)
                .a(call.inWorkspace(layout.gx(layer)), gateRows)
                .b(CudaLayer.at(call.parameters(), layer.weightIh()), layer.inputs())
                .into(target, layer.inputs())
                .accumulate(layer.direction() > 0)
                .positions(call.lengths(), call.B(), 0)
                .runLarge();
    }

    /** dW_ih = Σ dgxᵀ·x, dW_hh = Σ dghᵀ·hPrev, db_ih = Σ dgx, db_hh = Σ dgh. */
    private void weightGradients(CudaCall call, CudaLayer layer) {
        long x = layer.layer() == 0 ? call.x() : call.inReserve(layout.trainingOutput(layer.layer() - 1));
        long dgx = call.inWorkspace(layout.gx(layer));
        long dgh = call.inWorkspace(layout.dgh(layer));
        long dWeightHh = CudaLayer.at(call.dParameters(), layer.weightHh());
        gradient(
                call, layer, dgx, Gates.COUNT, x, layer.inputs(), layer.inputs(),
                CudaLayer.at(call.dParameters(), layer.weightIh()));
        if (spec.variant() == GruVariant.RESET_AFTER) {
            gradient(call, layer, dgh, Gates.COUNT, states(call, layer, 0), H, H, dWeightHh);
        } else {
            // The candidate's rows of W_hh met r ⊙ hPrev, which lies behind the gates.
            gradient(call, layer, dgh, Gates.CANDIDATE, states(call, layer, 0), H, H, dWeightHh);
            gradient(
                    call,
                    layer,
                    dgh + (long) Gates.CANDIDATE * H * Float.BYTES,
                    1,
                    gates(call, layer, 0) + (long) Gates.COUNT * H * Float.BYTES,
                    (long) CudaLayout.GATE_BLOCKS * H,
                    H,
                    dWeightHh + (long) Gates.CANDIDATE * H * H * Float.BYTES);
        }
        sum(call, layer, dgx, CudaLayer.at(call.dParameters(), layer.biasIh()));
        sum(call, layer, dgh, CudaLayer.at(call.dParameters(), layer.biasHh()));
    }

    /** target (gates·H,columns) = Σ dgatesᵀ·v over all positions, v with rows {@code stride} apart; or added to it. */
    private void gradient(
            CudaCall call, CudaLayer layer, long dgates, int gates, long v, long stride, int columns, long target) {
        product.of(Form.TN, gates * H, columns, call.N())
                .a(dgates, gateRows)
                .b(v, stride)
                .into(target, columns)
                .accumulate(call.accumulate())
                .positions(call.lengths(), call.B(), 0)
                .splitInto(call.inWorkspace(layout.partial(layer)))
                .runLarge();
    }

    /** target (3H) = Σ dgates over all positions, or added to it; nothing where the bias is absent. */
    private void sum(CudaCall call, CudaLayer layer, long dgates, long target) {
        if (target != 0) {
            CudaColumnSums.run(
                    session, dgates, call.N(), gateRows, call.lengths(), call.B(), target,
                    call.accumulate(), call.inWorkspace(layout.partial(layer)));
        }
    }

    /** Gradient (N,D·H) arriving at a layer's output; 0 if none does. */
    private long outputGradient(CudaCall call, int layer) {
        return layer + 1 == spec.layers() ? call.dy() : call.inWorkspace(layout.outputGradient(layer));
    }

    /** State (B,H) that enters a step. */
    private long states(CudaCall call, CudaLayer layer, int step) {
        return call.inReserve(layout.states(layer) + (long) step * call.B() * H);
    }

    private long gates(CudaCall call, CudaLayer layer, int step) {
        return call.inReserve(layout.gates(layer) + (long) step * call.B() * CudaLayout.GATE_BLOCKS * H);
    }

    /** dgh (B,3H) of a step. */
    private long dgh(CudaCall call, CudaLayer layer, int step) {
        return call.inWorkspace(layout.dgh(layer) + (long) step * call.B() * gateRows);
    }
}
