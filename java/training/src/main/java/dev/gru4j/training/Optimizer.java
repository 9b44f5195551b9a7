package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.TrainingKernels;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Changes the parameters by their gradients. Owns its state, which lies on the backend. */
public interface Optimizer extends AutoCloseable {
    /**
     * One update of all parameters.
     *
     * @param parameters the set this optimizer was made for
     * @param learningRate of this step
     * @param step 0 for the first step
     * @param lossScale (4), the state of {@link dev.gru4j.backend.LossScaling}: the gradients are scaled, and in a step
     *     that overflowed neither the parameters nor the state of this optimizer change; absent: not scaled
     */
    void update(
            TrainingKernels kernels,
            ParameterSet parameters,
            float learningRate,
            long step,
            @Nullable FloatMemory lossScale);

    /** One update of all parameters by gradients that are not scaled. */
    default void update(TrainingKernels kernels, ParameterSet parameters, float learningRate, long step) {
        update(kernels, parameters, learningRate, step, null);
    }

    /** State by name, each as long as the parameters; part of a checkpoint. */
    Map<String, FloatMemory> state();

    /** Kind and hyperparameters, as name and value; a checkpoint only fits an optimizer with the same. */
    Map<String, String> configuration();

    @Override
    void close();
}
