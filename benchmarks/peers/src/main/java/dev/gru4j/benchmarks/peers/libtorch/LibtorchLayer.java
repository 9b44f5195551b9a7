package dev.gru4j.benchmarks.peers.libtorch;

import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.comparison.Results;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * {@code torch::gru}, in training with its graph and {@code torch::autograd::grad}, whose gradients are new in every
 * step. libtorch packs no weights, and returns tensors of its own: they live until the next run.
 */
final class LibtorchLayer implements Prepared {
    static final String VERSION = "2.10.0"; // The preset offers no call that says it.

    private final boolean trains;
    private final List<Pointer> kept = new ArrayList<>();
    private final Tensor x;
    private final Tensor h0;
    private final TensorVector lossGradients;
    private final TensorVector weights;
    private final TensorVector leaves;
    private @Nullable T_TensorTensor_T states;
    private @Nullable TensorVector gradients;

    LibtorchLayer(Cell cell, Problem problem) {
        trains = cell.mode() == Mode.TRAINING;
        GruShape s = cell.shape();
        long rows = 3L * s.H();
        try (PointerScope _ = new PointerScope()) {
            x = keep(leaf(problem.x(), s.T(), s.B(), s.I()));
            h0 = keep(leaf(problem.h0(), 1, s.B(), s.H()));
            Tensor weightIh = leaf(problem.weightIh(), rows, s.I());
            Tensor weightHh = leaf(problem.weightHh(), rows, s.H());
            Tensor biasIh = leaf(problem.biasIh(), rows);
            Tensor biasHh = leaf(problem.biasHh(), rows);
            weights = keep(new TensorVector(weightIh, weightHh, biasIh, biasHh));
            leaves = keep(new TensorVector(x, h0, weightIh, weightHh, biasIh, biasHh));
            lossGradients = keep(
                    new TensorVector(
                            tensor(problem.dy(), s.T(), s.B(), s.H()), tensor(problem.dhT(), 1, s.B(), s.H())));
        }
    }

    /** Keeps what the scope around it would free. */
    private <P extends Pointer> P keep(P pointer) {
        pointer.retainReference();
        kept.add(pointer);
        return pointer;
    }

    private Tensor leaf(float[] values, long... sizes) {
        return trains ? tensor(values, sizes).requires_grad_() : tensor(values, sizes);
    }

    /** A copy in libtorch's own memory. */
    private static Tensor tensor(float[] values, long... sizes) {
        return torch.from_blob(new FloatPointer(values), sizes).clone();
    }

    @Override
    public void run() {
        release();
        try (PointerScope _ = new PointerScope()) {
            if (trains) {
                T_TensorTensor_T made = forward();
                TensorVector computed = torch.grad(
                        new TensorVector(made.get0(), made.get1()), leaves, lossGradients, new BoolOptional(), false,
                        false);
                computed.retainReference();
                gradients = computed;
            } else {
                try (InferenceMode _ = new InferenceMode()) {
                    forward();
                }
            }
        }
    }

    private T_TensorTensor_T forward() {
        T_TensorTensor_T made = torch.gru(x, h0, weights, true, 1, 0, trains, false, false);
        made.retainReference();
        states = made;
        return made;
    }

    @Override
    public Results results() {
        T_TensorTensor_T made = states;
        if (made == null) {
            throw new IllegalStateException("nothing was run yet");
        }
        try (PointerScope _ = new PointerScope()) {
            float[] y = values(made.get0());
            float[] hT = values(made.get1());
            TensorVector g = gradients;
            return g == null
                    ? Results.ofInference(y, hT)
                    : new Results(
                            y, hT, values(g.get(0)), values(g.get(1)), values(g.get(2)), values(g.get(3)),
                            values(g.get(4)), values(g.get(5)));
        }
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        new FloatPointer(tensor.contiguous().data_ptr()).get(values);
        return values;
    }

    private void release() {
        T_TensorTensor_T made = states;
        TensorVector computed = gradients;
        states = null;
        gradients = null;
        if (computed != null) {
            computed.releaseReference();
        }
        if (made != null) {
            made.releaseReference();
        }
    }

    @Override
    public void close() {
        release();
        kept.forEach(Pointer::releaseReference);
        kept.clear();
    }
}
