package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.training.data.Batch;
import java.util.Map;

/**
 * A model as the training loop sees it: parameters, and the loss with its gradient for one batch.
 * Belongs to one thread.
 *
 * @param <B> the batches it learns from
 */
public interface TrainableModel<B extends Batch> extends AutoCloseable {
    /** Parameters and gradients. */
    ParameterSet parameters();

    /**
     * Computes the mean loss over the batch's targets and overwrites {@link ParameterSet#gradients} with
     * its gradient. The loss stays on the backend, see {@link #loss()}.
     *
     * @param step number of the step, 0 for the first; with {@code seed} it selects the dropout masks
     * @param seed key of the dropout masks
     */
    void lossAndGradient(B batch, long step, long seed);

    /** Where the loss of the last batch lies, (1), in nats per target or mean squared error. */
    FloatMemory loss();

    /** To be called after every change of the parameters, before the next use of the model. */
    void parametersChanged();

    /** Draws all parameters anew, see {@link ParameterSet#initialize}. */
    default void initialize(long seed) {
        parameters().initialize(seed);
        parametersChanged();
    }

    /** FLOP (2 per multiply-add) that {@link #lossAndGradient} does on the valid positions of a batch. */
    long flops(B batch);

    /**
     * What is carried from one batch to the next, by name: the hidden state of truncated
     * backpropagation. Part of a checkpoint. Empty for a model that carries nothing.
     */
    Map<String, FloatMemory> carriedState();

    /** What the model is, as name and value; a checkpoint only fits a model with the same. */
    Map<String, String> configuration();

    @Override
    void close();
}
