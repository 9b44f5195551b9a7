package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.SeriesBatch;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Predicts numbers from sequences of numbers: GRU → dense head, mean squared error. */
public final class Forecaster implements TrainableModel<SeriesBatch> {
    private static final String GRU = "gru.";

    private final ForecasterSpec spec;
    private final TrainingKernels kernels;
    private final Memories memories;
    private final ParameterSet parameters;
    private final GruStack gru;
    private final DenseHead head;
    private final FloatMemory targets;
    private final FloatMemory loss;

    /**
     * Allocates everything training needs; parameters are zero until {@link #initialize} or a file gives
     * them values.
     *
     * @param maxT longest batch, in steps
     * @param maxB largest batch, in rows
     */
    public Forecaster(GruBackend backend, ForecasterSpec spec, int maxT, int maxB) {
        this.spec = spec;
        this.kernels = backend.trainingKernels();
        this.memories = new Memories(backend);
        try {
            int hidden = spec.gru().hiddenSize();
            ParameterSet.Layout layout = new ParameterSet.Layout().gru(GRU, spec.gru());
            DenseHead.layout(layout, hidden, spec.outputs());
            this.parameters = memories.keep(new ParameterSet(backend, layout));
            long rows = (long) maxT * maxB;
            this.gru = new GruStack(memories, parameters, GRU, spec.gru(), maxT, maxB, true, false);
            this.head = new DenseHead(memories, parameters, hidden, spec.outputs(), rows);
            this.targets = memories.floats(rows * spec.outputs());
            this.loss = memories.floats(1);
        } catch (RuntimeException | Error e) {
            memories.close();
            throw e;
        }
    }

    public ForecasterSpec spec() {
        return spec;
    }

    /** One line for people: which kernels the GRU runs on and why. */
    public String description() {
        return gru.description();
    }

    @Override
    public ParameterSet parameters() {
        return parameters;
    }

    @Override
    public void lossAndGradient(
            SeriesBatch batch, long step, long seed, FloatMemory lossOfBatch, @Nullable FloatMemory lossScale) {
        int n = forward(GruStack.Run.TRAINING, batch, step, seed);
        int values = n * spec.outputs();
        if (batch.targets().length != values) {
            throw new IllegalArgumentException("the batch has " + batch.targets().length + " target values; " + values
                    + " expected for " + n + " positions and " + spec.outputs() + " outputs");
        }
        targets.upload(0, batch.targets(), 0, values);
        kernels.squaredError(
                head.outputs(), targets, null, n, spec.outputs(), 1f / values, lossOfBatch, head.outputs(),
                lossScale);
        head.backward(gru.y(), gru.dy());
        gru.backward(null, null);
    }

    /** Predictions at all positions; their number. */
    private int forward(GruStack.Run run, SeriesBatch batch, long step, long seed) {
        int n = batch.positions().length;
        if (n == 0) {
            throw new IllegalArgumentException("the batch asks for no prediction; at least 1 position expected");
        }
        if (batch.inputSize() != spec.gru().inputSize() || batch.outputs() != spec.outputs()) {
            throw new IllegalArgumentException("the batch has I = " + batch.inputSize() + " and "
                    + batch.outputs() + " outputs; I = " + spec.gru().inputSize() + " and " + spec.outputs()
                    + " outputs expected by this model");
        }
        int rows = batch.T() * batch.B();
        gru.x().upload(0, batch.x(), 0, rows * batch.inputSize());
        gru.forward(run, batch.T(), batch.B(), batch.lengths(), null, null, seed, step);
        head.forward(gru.y(), rows, batch.positions(), n);
        return n;
    }

    @Override
    public FloatMemory loss() {
        return loss;
    }

    @Override
    public void parametersChanged() {
        gru.parametersChanged();
    }

    @Override
    public long flops(SeriesBatch batch) {
        long validSteps = (long) batch.T() * batch.B();
        if (batch.lengths() != null) {
            validSteps = 0;
            for (int length : batch.lengths()) {
                validSteps += length;
            }
        }
        long headFlops = 3 * 2L * spec.gru().hiddenSize() * spec.outputs(); // forward, dWeight, dx
        return gru.flops(validSteps) + headFlops * batch.targetCount();
    }

    /** Empty: every window starts anew. */
    @Override
    public Map<String, FloatMemory> carriedState() {
        return Map.of();
    }

    @Override
    public Map<String, String> configuration() {
        return spec.configuration();
    }

    /** The predictions (n,outputs) at the positions of a batch, without dropout; its targets are not read. */
    public float[] predict(SeriesBatch batch) {
        int n = forward(GruStack.Run.INFERENCE, batch, 0, 0);
        float[] predictions = new float[n * spec.outputs()];
        head.outputs().download(0, predictions, 0, predictions.length);
        return predictions;
    }

    @Override
    public void close() {
        memories.close();
    }
}
