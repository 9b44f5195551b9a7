package dev.gru4j.training.model;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.ParameterSet;
import org.jspecify.annotations.Nullable;

/**
 * The affine map from states to logits or predictions, at valid positions only: the rows of y that
 * count are gathered first, so that padding costs nothing here, and their gradients are scattered back.
 */
final class DenseHead {
    /** Names of the parameters. */
    static final String WEIGHT = "head.weight";

    static final String BIAS = "head.bias";

    private final TrainingKernels kernels;
    private final int hiddenSize;
    private final int outputSize;
    private final FloatMemory weight;
    private final FloatMemory bias;
    private final FloatMemory dWeight;
    private final FloatMemory dBias;
    private final IntMemory positions;
    private final FloatMemory gathered;
    private final FloatMemory dGathered;
    private final FloatMemory outputs;

    /** Rows of y and of the outputs in the last forward, and whether they were gathered. */
    private int rows;

    private int count;
    private boolean isGathered;

    /** @param maxRows rows of y at most, T·B */
    DenseHead(Memories memories, ParameterSet parameters, int hiddenSize, int outputSize, long maxRows) {
        this.kernels = memories.backend().trainingKernels();
        this.hiddenSize = hiddenSize;
        this.outputSize = outputSize;
        this.weight = parameters.value(WEIGHT);
        this.bias = parameters.value(BIAS);
        this.dWeight = parameters.gradient(WEIGHT);
        this.dBias = parameters.gradient(BIAS);
        this.positions = memories.ints(maxRows);
        this.gathered = memories.floats(maxRows * hiddenSize);
        this.dGathered = memories.floats(maxRows * hiddenSize);
        this.outputs = memories.floats(maxRows * outputSize);
    }

    /** Appends the head's parameters, uniform in ±1/√H as PyTorch initialises a linear layer. */
    static void layout(ParameterSet.Layout layout, int hiddenSize, int outputSize) {
        float bound = (float) (1 / Math.sqrt(hiddenSize));
        layout.weight(WEIGHT, bound, outputSize, hiddenSize).bias(BIAS, bound, outputSize);
    }

    /** (n,outputSize): written by {@link #forward}; a loss may replace it by its gradient for {@link #backward}. */
    FloatMemory outputs() {
        return outputs;
    }

    /**
     * Outputs at {@code n} positions of y.
     *
     * @param y (allRows,H)
     * @param at rows of y that count, distinct; absent: all, and n = allRows
     */
    void forward(FloatMemory y, int allRows, int @Nullable [] at, int n) {
        rows = allRows;
        count = n;
        isGathered = at != null;
        FloatMemory x = y;
        if (at != null) {
            positions.upload(0, at, 0, n);
            kernels.embeddingForward(positions, y, n, allRows, hiddenSize, gathered);
            x = gathered;
        }
        kernels.denseForward(x, weight, bias, n, hiddenSize, outputSize, outputs);
    }

    /**
     * Takes the gradient of {@link #outputs} in their own place: overwrites dy (allRows,H), zero where
     * nothing was asked for, and the gradients of weight and bias.
     *
     * @param y as given to forward
     */
    void backward(FloatMemory y, FloatMemory dy) {
        FloatMemory x = isGathered ? gathered : y;
        FloatMemory dx = isGathered ? dGathered : dy;
        kernels.denseBackward(x, weight, outputs, count, hiddenSize, outputSize, dx, dWeight, dBias, false);
        if (isGathered) {
            kernels.embeddingBackward(positions, dGathered, count, rows, hiddenSize, dy, false);
        }
    }
}
