package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.training.data.Batch;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
     * its gradient. Both stay on the backend.
     *
     * @param step number of the step, 0 for the first; with {@code seed} it selects the dropout masks
     * @param seed key of the dropout masks
     * @param loss (1), overwritten, in nats per target or mean squared error
     * @param lossScale (1), read where it lies: what the gradient, but not the loss, is multiplied by; absent: 1
     */
    void lossAndGradient(B batch, long step, long seed, FloatMemory loss, @Nullable FloatMemory lossScale);

    /** The same without a scale, for the loss see {@link #loss()}. */
    default void lossAndGradient(B batch, long step, long seed) {
        lossAndGradient(batch, step, seed, loss(), null);
    }

    /** Memory of the model for a loss, (1). */
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
