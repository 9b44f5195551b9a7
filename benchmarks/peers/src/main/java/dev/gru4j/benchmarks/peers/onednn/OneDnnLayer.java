package dev.gru4j.benchmarks.peers.onednn;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.comparison.Results;
import dev.gru4j.benchmarks.peers.GateOrder;
import dev.gru4j.benchmarks.peers.onednn.OneDnn.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * One layer in oneDNN: {@code lbr_gru} where the reset gate enters after the recurrent product, {@code gru} where it
 * enters before.
 *
 * <p>Inference packs its weights once. A training step starts from weights in oneDNN's own gate order, as a program
 * built on oneDNN would hold them: without gaps for {@code ANY}, else in the layout that forward reads in place. What
 * other layouts a step needs are made in every step, for the weights have changed. Gradients are overwritten, not added
 * up, and stay in oneDNN's layout.
 */
final class OneDnnLayer implements Prepared {
    private static final GateOrder ORDER = GateOrder.UPDATE_RESET_CANDIDATE;

    private final OneDnn onednn = new OneDnn();
    private final Cell cell;
    private final WeightsLayout weightsLayout;
    private final boolean trains;
    private final Map<Integer, Tensor> tensors = new HashMap<>();
    private final List<Runnable> calls = new ArrayList<>();
    private final dnnl_memory_desc weightsIhRows;
    private final dnnl_memory_desc weightsHhRows;

    OneDnnLayer(Cell cell, WeightsLayout weightsLayout, int forwardKind, Problem problem) {
        this.cell = cell;
        this.weightsLayout = weightsLayout;
        trains = cell.mode() == Mode.TRAINING;
        weightsIhRows = WeightsLayout.PLAIN.forward(onednn, problem.shape().I(), problem.shape().H());
        weightsHhRows = WeightsLayout.PLAIN.forward(onednn, problem.shape().H(), problem.shape().H());
        boolean complete = false;
        try {
            prepare(forwardKind, problem);
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private void prepare(int forwardKind, Problem problem) {
        long steps = problem.shape().T();
        long rows = problem.shape().B();
        long in = problem.shape().I();
        long hidden = problem.shape().H();
        dnnl_memory_desc x = onednn.layout(dnnl.dnnl_tnc, steps, rows, in);
        dnnl_memory_desc y = onednn.layout(dnnl.dnnl_tnc, steps, rows, hidden);
        dnnl_memory_desc h = onednn.layout(dnnl.dnnl_ldnc, 1, 1, rows, hidden);
        dnnl_memory_desc bias = onednn.layout(dnnl.dnnl_ldgo, 1, 1, isResetAfter() ? 4 : 3, hidden);
        tensors.put(dnnl.DNNL_ARG_SRC_LAYER, onednn.tensor(x, problem.x()));
        tensors.put(dnnl.DNNL_ARG_SRC_ITER, onednn.tensor(h, problem.h0()));
        tensors.put(dnnl.DNNL_ARG_BIAS, onednn.tensor(bias, bias(problem)));
        tensors.put(dnnl.DNNL_ARG_DST_LAYER, onednn.tensor(y));
        tensors.put(dnnl.DNNL_ARG_DST_ITER, onednn.tensor(h));

        dnnl_memory_desc forwardIh = weightsLayout.forward(onednn, in, hidden);
        dnnl_memory_desc forwardHh = weightsLayout.forward(onednn, hidden, hidden);
        dnnl_primitive_desc forward = onednn.descriptor(
                d -> isResetAfter()
                        ? dnnl.dnnl_lbr_gru_forward_primitive_desc_create(
                                d, onednn.engine(), forwardKind, dnnl.dnnl_unidirectional_left2right, x, h, forwardIh,
                                forwardHh, bias, y, h, 0, null)
                        : dnnl.dnnl_gru_forward_primitive_desc_create(
                                d, onednn.engine(), forwardKind, dnnl.dnnl_unidirectional_left2right, x, h, forwardIh,
                                forwardHh, bias, y, h, 0, null));
        if (forwardKind == dnnl.dnnl_forward_training) {
            tensors.put(
                    dnnl.DNNL_ARG_WORKSPACE, onednn.tensor(OneDnn.layoutOf(forward, dnnl.DNNL_ARG_WORKSPACE)));
        }
        Tensor weightsIh =
                weights(problem.weightIh(), weightsIhRows, OneDnn.layoutOf(forward, dnnl.DNNL_ARG_WEIGHTS_LAYER));
        Tensor weightsHh =
                weights(problem.weightHh(), weightsHhRows, OneDnn.layoutOf(forward, dnnl.DNNL_ARG_WEIGHTS_ITER));
        addCall(forward, weightsIh, weightsHh);
        if (!trains) {
            return;
        }

        tensors.put(dnnl.DNNL_ARG_DIFF_DST_LAYER, onednn.tensor(y, problem.dy()));
        tensors.put(dnnl.DNNL_ARG_DIFF_DST_ITER, onednn.tensor(h, problem.dhT()));
        tensors.put(dnnl.DNNL_ARG_DIFF_SRC_LAYER, onednn.tensor(x));
        tensors.put(dnnl.DNNL_ARG_DIFF_SRC_ITER, onednn.tensor(h));
        tensors.put(dnnl.DNNL_ARG_DIFF_BIAS, onednn.tensor(bias));
        dnnl_memory_desc backwardIh = weightsLayout.backward(onednn, in, hidden);
        dnnl_memory_desc backwardHh = weightsLayout.backward(onednn, hidden, hidden);
        dnnl_primitive_desc backward = onednn.descriptor(
                d -> isResetAfter()
                        ? dnnl.dnnl_lbr_gru_backward_primitive_desc_create(
                                d, onednn.engine(), dnnl.dnnl_backward, dnnl.dnnl_unidirectional_left2right, x, h,
                                backwardIh, backwardHh, bias, y, h, x, h, forwardIh, forwardHh, bias, y, h,
                                dnnl.dnnl_rnn_flags_diff_weights_overwrite, forward, null)
                        : dnnl.dnnl_gru_backward_primitive_desc_create(
                                d, onednn.engine(), dnnl.dnnl_backward, dnnl.dnnl_unidirectional_left2right, x, h,
                                backwardIh, backwardHh, bias, y, h, x, h, forwardIh, forwardHh, bias, y, h,
                                dnnl.dnnl_rnn_flags_diff_weights_overwrite, forward, null));
        for (int gradient : new int[] {dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER, dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER}) {
            tensors.put(gradient, onednn.tensor(OneDnn.layoutOf(backward, gradient)));
        }
        addCall(backward, weightsIh, weightsHh);
    }

    private boolean isResetAfter() {
        return cell.variant() == GruVariant.RESET_AFTER;
    }

    /** The parameters themselves: in the layout that forward reads if that has no blocks, or without gaps. */
    private Tensor weights(float[] ours, dnnl_memory_desc withoutGaps, dnnl_memory_desc ofForward) {
        float[] rows = GateOrder.transpose(ORDER.fromOurs(ours), 3 * cell.shape().H());
        Tensor plain = onednn.tensor(withoutGaps, rows);
        return weightsLayout == WeightsLayout.ANY ? plain : onednn.copy(plain, ofForward);
    }

    /** Adds a primitive, and before it what brings the weights into its layouts: now for inference, else in every run. */
    private void addCall(dnnl_primitive_desc primitive, Tensor weightsIh, Tensor weightsHh) {
        Map<Integer, Tensor> arguments = new HashMap<>(tensors);
        arguments.put(dnnl.DNNL_ARG_WEIGHTS_LAYER, laidOut(weightsIh, primitive, dnnl.DNNL_ARG_WEIGHTS_LAYER));
        arguments.put(dnnl.DNNL_ARG_WEIGHTS_ITER, laidOut(weightsHh, primitive, dnnl.DNNL_ARG_WEIGHTS_ITER));
        calls.add(onednn.call(primitive, arguments));
    }

    private Tensor laidOut(Tensor weights, dnnl_primitive_desc primitive, int argument) {
        dnnl_memory_desc wanted = OneDnn.layoutOf(primitive, argument);
        if (OneDnn.isSame(weights.layout(), wanted)) {
            return weights;
        }
        Tensor copy = onednn.tensor(wanted);
        Runnable reorder = onednn.reorder(weights, copy);
        if (trains) {
            calls.add(reorder);
        } else {
            reorder.run();
        }
        return copy;
    }

    /** oneDNN's biases u, r, o and, for reset-after, u′: sums of ours where both enter at one place. */
    private float[] bias(Problem problem) {
        int hidden = problem.shape().H();
        float[] ih = ORDER.fromOurs(problem.biasIh());
        float[] hh = ORDER.fromOurs(problem.biasHh());
        float[] bias = Arrays.copyOf(ih, (isResetAfter() ? 4 : 3) * hidden);
        int summed = (isResetAfter() ? 2 : 3) * hidden;
        for (int i = 0; i < summed; i++) {
            bias[i] += hh[i];
        }
        if (isResetAfter()) {
            System.arraycopy(hh, Gates.CANDIDATE * hidden, bias, 3 * hidden, hidden);
        }
        return bias;
    }

    @Override
    public void run() {
        for (Runnable call : calls) {
            call.run();
        }
    }

    @Override
    public Results results() {
        float[] y = values(dnnl.DNNL_ARG_DST_LAYER);
        float[] hT = values(dnnl.DNNL_ARG_DST_ITER);
        if (!trains) {
            return Results.ofInference(y, hT);
        }
        int hidden = cell.shape().H();
        float[] bias = values(dnnl.DNNL_ARG_DIFF_BIAS);
        float[] biasIh = Arrays.copyOf(bias, 3 * hidden);
        float[] biasHh = biasIh.clone();
        if (isResetAfter()) {
            System.arraycopy(bias, 3 * hidden, biasHh, Gates.CANDIDATE * hidden, hidden);
        }
        return new Results(
                y, hT, values(dnnl.DNNL_ARG_DIFF_SRC_LAYER), values(dnnl.DNNL_ARG_DIFF_SRC_ITER),
                gradient(dnnl.DNNL_ARG_DIFF_WEIGHTS_LAYER, weightsIhRows, cell.shape().I()),
                gradient(dnnl.DNNL_ARG_DIFF_WEIGHTS_ITER, weightsHhRows, hidden), ORDER.toOurs(biasIh),
                ORDER.toOurs(biasHh));
    }

    private float[] values(int argument) {
        return tensor(argument).toArray();
    }

    private float[] gradient(int argument, dnnl_memory_desc withoutGaps, int in) {
        return ORDER.toOurs(GateOrder.transpose(onednn.copy(tensor(argument), withoutGaps).toArray(), in));
    }

    private Tensor tensor(int argument) {
        Tensor tensor = tensors.get(argument);
        if (tensor == null) {
            throw new IllegalStateException("no tensor was made for argument " + argument);
        }
        return tensor;
    }

    @Override
    public void close() {
        onednn.close();
    }
}
