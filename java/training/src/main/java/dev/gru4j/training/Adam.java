package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Adam with bias correction (Kingma and Ba 2015, arXiv 1412.6980) and decoupled weight decay
 * (Loshchilov and Hutter 2019, arXiv 1711.05101). Biases are not decayed. Where the loss is scaled, the bias
 * correction counts the applied steps alone.
 */
public final class Adam implements Optimizer {
    /**
     * Hyperparameters.
     *
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon added to the root of the second moment, above 0
     * @param weightDecay each step takes learningRate·weightDecay·weight off every weight; 0: none
     */
    public record Options(float beta1, float beta2, float epsilon, float weightDecay) {
        /** The values of the paper: 0.9, 0.999, 1e-8, no decay. */
        public static final Options DEFAULT = new Options(0.9f, 0.999f, 1e-8f, 0f);

        public Options {
            if (!(beta1 >= 0 && beta1 < 1)) {
                throw new IllegalArgumentException("beta1 is " + beta1 + "; a number in [0, 1) expected");
            }
            if (!(beta2 >= 0 && beta2 < 1)) {
                throw new IllegalArgumentException("beta2 is " + beta2 + "; a number in [0, 1) expected");
            }
            if (!(epsilon > 0 && epsilon < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("epsilon is " + epsilon + "; a positive number expected");
            }
            if (!(weightDecay >= 0 && weightDecay < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("weightDecay is " + weightDecay + "; 0 or more expected");
            }
        }

        public Options withBeta2(float newBeta2) {
            return new Options(beta1, newBeta2, epsilon, weightDecay);
        }

        public Options withWeightDecay(float newWeightDecay) {
            return new Options(beta1, beta2, epsilon, newWeightDecay);
        }
    }

    private final Options options;
    private final FloatMemory firstMoment;
    private final FloatMemory secondMoment;

    /** @param parameters the set to be updated */
    public Adam(GruBackend backend, ParameterSet parameters, Options options) {
        this.options = options;
        this.firstMoment = backend.allocate(parameters.length());
        try {
            this.secondMoment = backend.allocate(parameters.length());
        } catch (RuntimeException | Error e) {
            firstMoment.close();
            throw e;
        }
    }

    @Override
    public void update(
            TrainingKernels kernels,
            ParameterSet parameters,
            float learningRate,
            long step,
            @Nullable FloatMemory lossScale) {
        if (options.weightDecay() == 0) {
            update(kernels, parameters, 0, parameters.length(), settings(learningRate, 0, step), lossScale);
            return;
        }
        for (ParameterSet.Range range : parameters.decayRanges()) {
            float decay = range.decayed() ? options.weightDecay() : 0;
            TrainingKernels.Adam settings = settings(learningRate, decay, step);
            update(kernels, parameters, range.offset(), range.length(), settings, lossScale);
        }
    }

    private TrainingKernels.Adam settings(float learningRate, float decay, long step) {
        return new TrainingKernels.Adam(
                learningRate, options.beta1(), options.beta2(), options.epsilon(), decay, step + 1);
    }

    private void update(
            TrainingKernels kernels,
            ParameterSet parameters,
            long offset,
            long length,
            TrainingKernels.Adam settings,
            @Nullable FloatMemory lossScale) {
        kernels.adam(
                parameters.values().slice(offset, length),
                parameters.gradients().slice(offset, length),
                firstMoment.slice(offset, length),
                secondMoment.slice(offset, length),
                length,
                settings,
                lossScale);
    }

    @Override
    public Map<String, FloatMemory> state() {
        return new TreeMap<>(Map.of("first_moment", firstMoment, "second_moment", secondMoment));
    }

    @Override
    public Map<String, String> configuration() {
        return Map.of(
                "kind", "adam",
                "beta1", Float.toString(options.beta1()),
                "beta2", Float.toString(options.beta2()),
                "epsilon", Float.toString(options.epsilon()),
                "weight_decay", Float.toString(options.weightDecay()));
    }

    @Override
    public void close() {
        firstMoment.close();
        secondMoment.close();
    }
}
