package dev.gru4j.training.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.data.Batch;
import dev.gru4j.training.data.PairBatch;
import dev.gru4j.training.data.SeriesBatch;
import dev.gru4j.training.data.TokenBatch;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole-model gradients against finite differences of an independent loss in double.
 *
 * <p>Bound: the central difference is extrapolated from steps 2^−10 and 2^−11; what is left is O(step^4), so
 * below 2^−9 of the distance of the two. The gradient under test is computed in float through
 * T dependent steps, each of a few roundings: 16·T·2^−24 times the tensor's largest gradient.
 */
final class ModelGradientTest {
    private static final long SEED = 20240607;
    private static final long STEP = 3;

    @ParameterizedTest
    @ValueSource(floats = {0f, 0.4f})
    void theLanguageModelHasTheGradientOfItsLoss(float dropout) {
        LanguageModelSpec spec = LanguageModelSpec.of(7, 3, 5, 2, dropout);
        TokenBatch batch = TokenBatch.of(List.of(new int[] {1, 2, 3, 4}, new int[] {6, 5}, new int[] {}), 0);
        try (GruBackend backend = reference();
                LanguageModel model = new LanguageModel(backend, spec, 6, 4)) {
            check(model, batch, 6, p -> p.languageModel(spec, batch, null, STEP, SEED));
        }
    }

    @Test
    void aBatchWithoutPaddingHasTheGradientOfItsLoss() {
        LanguageModelSpec spec = LanguageModelSpec.of(5, 4, 3, 1, 0);
        TokenBatch batch = TokenBatch.of(List.of(new int[] {1, 2, 3}, new int[] {4, 1, 1}), 0);
        try (GruBackend backend = reference();
                LanguageModel model = new LanguageModel(backend, spec, 4, 2)) {
            check(model, batch, 4, p -> p.languageModel(spec, batch, null, STEP, SEED));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theSequenceToSequenceModelHasTheGradientOfItsLoss(boolean bidirectional) {
        SequenceToSequenceSpec spec = new SequenceToSequenceSpec(5, 6, 3, 4, 2, bidirectional, 0.3f);
        PairBatch batch = new PairBatch(
                PairBatch.Side.of(List.of(new int[] {1, 2, 3, 4}, new int[] {0}, new int[] {4, 2})),
                TokenBatch.of(List.of(new int[] {1, 2}, new int[] {5, 4, 3, 1}, new int[] {}), 0));
        try (GruBackend backend = reference();
                SequenceToSequence model = new SequenceToSequence(backend, spec, 5, 6, 4)) {
            check(model, batch, 9, p -> p.sequenceToSequence(spec, batch, STEP, SEED));
        }
    }

    @Test
    void theForecasterHasTheGradientOfItsLoss() {
        ForecasterSpec spec = new ForecasterSpec(GruSpec.of(2, 4).withLayers(2).withDropout(0.25f), 3);
        Random random = new Random(SEED);
        float[] x = randomFloats(random, 5 * 3 * 2);
        int[] lengths = {5, 3, 2};
        // Padding of x may hold anything, so it holds NaN.
        for (int b = 0; b < 3; b++) {
            for (int t = lengths[b]; t < 5; t++) {
                x[(t * 3 + b) * 2] = Float.NaN;
                x[(t * 3 + b) * 2 + 1] = Float.NaN;
            }
        }
        int[] positions = {2, 3, 4, 5, 7, 12};
        SeriesBatch batch =
                new SeriesBatch(5, 3, 2, 3, x, lengths, positions, randomFloats(random, positions.length * 3));
        try (GruBackend backend = reference();
                Forecaster model = new Forecaster(backend, spec, 6, 4)) {
            check(model, batch, 5, p -> p.forecaster(spec, batch, STEP, SEED));
        }
    }

    private static <B extends Batch> void check(
            TrainableModel<B> model, B batch, int dependentSteps, Function<DoubleLoss, Double> loss) {
        ParameterSet parameters = model.parameters();
        model.initialize(SEED);
        // A gradient left over from another batch must not shine through.
        parameters.gradients().fill(Float.NaN);
        model.lossAndGradient(batch, STEP, SEED);
        float[] gradient = parameters.gradients().toArray();
        double[] at = new double[gradient.length];
        float[] values = parameters.values().toArray();
        for (int i = 0; i < at.length; i++) {
            at[i] = values[i];
        }
        double expectedLoss = loss.apply(new DoubleLoss(parameters, at));
        assertEquals(
                expectedLoss,
                model.loss().toArray()[0],
                16 * dependentSteps * 0x1p-24 * expectedLoss,
                "loss of " + model.configuration());
        checkScaled(model, batch, gradient);
        for (ParameterSet.Tensor tensor : parameters.tensors()) {
            double largest = 0;
            for (int i = 0; i < tensor.length(); i++) {
                largest = Math.max(largest, Math.abs(gradient[(int) tensor.offset() + i]));
            }
            assertTrue(largest > 0, "the gradient of " + tensor.name() + " is zero throughout; a test of nothing");
            for (int i = 0; i < tensor.length(); i++) {
                int index = (int) tensor.offset() + i;
                double coarse = difference(parameters, at, index, 0x1p-10, loss);
                double fine = difference(parameters, at, index, 0x1p-11, loss);
                double expected = (4 * fine - coarse) / 3;
                double bound = 2 * Math.abs(fine - coarse) * 0x1p-10 + 16 * dependentSteps * 0x1p-24 * largest + 1e-10;
                double found = gradient[index];
                assertTrue(
                        Math.abs(found - expected) <= bound,
                        () -> "gradient of " + DoubleLoss.nameOf(parameters.tensors(), index) + " is " + found
                                + "; finite differences give " + expected + ", bound " + bound
                                + "; repeat with mvn -pl java/training -am test -Dtest=ModelGradientTest");
            }
        }
    }

    /** A power of two as scale of the loss multiplies every element of the gradient, exactly, and not the loss. */
    private static <B extends Batch> void checkScaled(TrainableModel<B> model, B batch, float[] gradient) {
        float scale = 0x1p12f;
        FloatMemory loss = HostFloatMemory.allocate(1);
        model.lossAndGradient(batch, STEP, SEED, loss, HostFloatMemory.wrap(new float[] {scale}));
        assertEquals(model.loss().toArray()[0], loss.toArray()[0], "loss of " + model.configuration());
        float[] scaled = model.parameters().gradients().toArray();
        for (int i = 0; i < gradient.length; i++) {
            assertEquals(
                    scale * gradient[i],
                    scaled[i],
                    "scaled gradient of " + DoubleLoss.nameOf(model.parameters().tensors(), i)
                            + "; repeat with mvn -pl java/training -am test -Dtest=ModelGradientTest");
        }
    }

    private static double difference(
            ParameterSet layout, double[] at, int index, double step, Function<DoubleLoss, Double> loss) {
        double[] moved = at.clone();
        moved[index] = at[index] + step;
        double above = loss.apply(new DoubleLoss(layout, moved));
        moved[index] = at[index] - step;
        double below = loss.apply(new DoubleLoss(layout, moved));
        return (above - below) / (2 * step);
    }

    private static float[] randomFloats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    private static GruBackend reference() {
        return Backends.named("reference").open(BackendOptions.DEFAULT);
    }
}
