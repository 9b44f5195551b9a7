package dev.gru4j.benchmarks.peers.djl;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.comparison.Results;
import org.jspecify.annotations.Nullable;

/**
 * A GRU on DJL's arrays. DJL adds gradients up, so a step begins by zeroing them. Backward starts at y with dy, to
 * whose last step dhT was added beforehand: hT is y's last step, and DJL's engine starts at one array only.
 */
final class DjlLayer implements Prepared {
    private final Engine engine;
    private final NDManager whole;
    private final boolean trains;
    private final NDArray x;
    private final NDArray h0;
    private final NDArray dy;
    private final NDList weights;
    private final NDList leaves;
    private @Nullable NDManager latest;
    private @Nullable NDList states;

    DjlLayer(Engine engine, Cell cell, Problem problem) {
        this.engine = engine;
        trains = cell.mode() == Mode.TRAINING;
        whole = engine.newBaseManager(Device.cpu());
        GruShape s = cell.shape();
        long rows = 3L * s.H();
        x = leaf(problem.x(), s.T(), s.B(), s.I());
        h0 = leaf(problem.h0(), 1, s.B(), s.H());
        dy = whole.create(withLastState(problem), new Shape(s.T(), s.B(), s.H()));
        weights = new NDList(
                leaf(problem.weightIh(), rows, s.I()), leaf(problem.weightHh(), rows, s.H()),
                leaf(problem.biasIh(), rows), leaf(problem.biasHh(), rows));
        leaves = new NDList(x, h0).addAll(weights);
    }

    private NDArray leaf(float[] values, long... sizes) {
        NDArray array = whole.create(values, new Shape(sizes));
        array.setRequiresGradient(trains);
        return array;
    }

    private static float[] withLastState(Problem problem) {
        float[] dy = problem.dy().clone();
        float[] dhT = problem.dhT();
        for (int i = 0; i < dhT.length; i++) {
            dy[dy.length - dhT.length + i] += dhT[i];
        }
        return dy;
    }

    @Override
    public void run() {
        release();
        NDManager manager = whole.newSubManager();
        latest = manager;
        if (!trains) {
            forward(manager);
            return;
        }
        for (NDArray leaf : leaves) {
            if (leaf.hasGradient()) {
                try (NDArray gradient = leaf.getGradient()) {
                    gradient.subi(gradient);
                }
            }
        }
        try (GradientCollector _ = engine.newGradientCollector()) {
            NDList made = forward(manager);
            JniUtils.backward((PtNDArray) made.get(0), (PtNDArray) dy, false, false);
        }
    }

    private NDList forward(NDManager manager) {
        NDList made = x.getNDArrayInternal().gru(x, h0, weights, true, 1, 0, trains, false, false);
        made.attach(manager);
        states = made;
        return made;
    }

    @Override
    public Results results() {
        NDList made = states;
        if (made == null) {
            throw new IllegalStateException("nothing was run yet");
        }
        float[] y = made.get(0).toFloatArray();
        float[] hT = made.get(1).toFloatArray();
        return trains
                ? new Results(y, hT, gradient(0), gradient(1), gradient(2), gradient(3), gradient(4), gradient(5))
                : Results.ofInference(y, hT);
    }

    private float[] gradient(int leaf) {
        try (NDArray gradient = leaves.get(leaf).getGradient()) {
            return gradient.toFloatArray();
        }
    }

    private void release() {
        NDManager manager = latest;
        latest = null;
        states = null;
        if (manager != null) {
            manager.close();
        }
    }

    @Override
    public void close() {
        whole.close();
    }
}
