package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Stochastic gradient descent, with momentum as PyTorch defines it:
 * {@code velocity = momentum·velocity + gradient; parameters −= learningRate·velocity}.
 */
public final class Sgd implements Optimizer {
    private final float momentum;
    private final @Nullable FloatMemory velocity;

    /**
     * @param parameters the set to be updated
     * @param momentum in [0, 1); 0 keeps no state
     */
    public Sgd(GruBackend backend, ParameterSet parameters, float momentum) {
        if (!(momentum >= 0 && momentum < 1)) {
            throw new IllegalArgumentException("momentum is " + momentum + "; a number in [0, 1) expected");
        }
        this.momentum = momentum;
        this.velocity = momentum > 0 ? backend.allocate(parameters.length()) : null;
    }

    @Override
    public void update(
            TrainingKernels kernels,
            ParameterSet parameters,
            float learningRate,
            long step,
            @Nullable FloatMemory lossScale) {
        kernels.sgd(
                parameters.values(),
                parameters.gradients(),
                velocity,
                parameters.length(),
                learningRate,
                momentum,
                lossScale);
    }

    @Override
    public Map<String, FloatMemory> state() {
        return velocity == null ? Map.of() : Map.of("velocity", velocity);
    }

    @Override
    public Map<String, String> configuration() {
        return Map.of("kind", "sgd", "momentum", Float.toString(momentum));
    }

    @Override
    public void close() {
        if (velocity != null) {
            velocity.close();
        }
    }
}
