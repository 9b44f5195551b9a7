package dev.gru4j.training.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.data.StreamBatches;
import dev.gru4j.training.data.TokenBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LanguageModelTest {
    private static final int BOUNDARY = 0;
    private static final LanguageModelSpec SPEC = LanguageModelSpec.of(6, 3, 4, 2, 0);

    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    @Test
    void aTextReadInPiecesWithTheStateCarriedEqualsTheWhole() {
        int[] tokens = new Random(3).ints(2 * 20 + 1, 0, 6).toArray();
        try (LanguageModel model = new LanguageModel(backend, SPEC, 20, 2)) {
            model.initialize(1);
            Evaluation whole = model.evaluate(new StreamBatches(tokens, 2, 20));
            Evaluation pieces = model.evaluate(new StreamBatches(tokens, 2, 3));
            assertEquals(whole.targets(), pieces.targets());
            // The same numbers, but the float sums of seven batches instead of one.
            assertEquals(whole.nats(), pieces.nats(), 8 * 0x1p-24 * whole.nats());

            // In training, too: the loss of the second half from the carried state.
            TokenBatch all = new StreamBatches(tokens, 2, 20).batch(0);
            StreamBatches halves = new StreamBatches(tokens, 2, 10);
            model.lossAndGradient(all, 0, 1);
            float expected = model.loss().toArray()[0];
            model.lossAndGradient(halves.batch(0), 0, 1);
            float first = model.loss().toArray()[0];
            model.lossAndGradient(halves.batch(1), 1, 1);
            float second = model.loss().toArray()[0];
            assertEquals(expected, (first + second) / 2, 8 * 0x1p-24 * expected);
            // And from a zero state it is another loss.
            TokenBatch cut = halves.batch(1);
            TokenBatch alone = new TokenBatch(
                    cut.T(), cut.B(), cut.ids(), cut.lengths(), cut.positions(), cut.targets(), false);
            model.lossAndGradient(alone, 1, 1);
            assertFalse(second == model.loss().toArray()[0], "the carried state does not count");
        }
    }

    @Test
    void evaluationLeavesTheCarriedStateOfTrainingAlone() {
        StreamBatches source = new StreamBatches(new Random(3).ints(61, 0, 6).toArray(), 2, 5);
        try (LanguageModel model = new LanguageModel(backend, SPEC, 5, 2)) {
            model.initialize(1);
            model.lossAndGradient(source.batch(0), 0, 1);
            float[] carried = hidden(model);
            model.evaluate(source);
            assertArrayEquals(carried, hidden(model));
        }
    }

    private static float[] hidden(LanguageModel model) {
        return Objects.requireNonNull(model.carriedState().get("hidden")).toArray();
    }

    @Test
    void evaluationIsTheMeanOfTheLossesWithoutDropout() {
        LanguageModelBatches source = new LanguageModelBatches(words(), BOUNDARY, 2, 1);
        LanguageModelSpec dropped = LanguageModelSpec.of(6, 3, 4, 2, 0.5f);
        try (LanguageModel plain = new LanguageModel(backend, SPEC, source.maxT(), source.maxB());
                LanguageModel model = new LanguageModel(backend, dropped, source.maxT(), source.maxB())) {
            plain.initialize(1);
            model.initialize(1);
            Evaluation evaluation = model.evaluate(source);
            double nats = 0;
            for (int k = 0; k < source.batchesPerEpoch(); k++) {
                plain.lossAndGradient(source.batch(k), k, 1);
                nats += (double) plain.loss().toArray()[0] * source.batch(k).targetCount();
            }
            assertEquals(nats, evaluation.nats(), 32 * 0x1p-24 * nats);
            assertEquals(nats / evaluation.targets() / Math.log(2), evaluation.bitsPerTarget(), 1e-5);
            model.lossAndGradient(source.batch(0), 0, 1);
            plain.lossAndGradient(source.batch(0), 0, 1);
            assertFalse(
                    model.loss().toArray()[0] == plain.loss().toArray()[0],
                    "dropout does not change the training loss");
        }
    }

    @Test
    void aFewWordsAreLearntByHeart() throws IOException {
        LanguageModelBatches source = new LanguageModelBatches(words(), BOUNDARY, 3, 1);
        LanguageModelSpec spec = LanguageModelSpec.of(6, 6, 16, 1, 0);
        try (LanguageModel model = new LanguageModel(backend, spec, source.maxT(), source.maxB());
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT)) {
            model.initialize(4);
            train(model, adam, source, 250);
            // Three words: which one it is takes log 3 nats at its first token, the rest is certain.
            double floor = 3 * Math.log(3) / model.evaluate(source).targets();
            double found = model.evaluate(source).natsPerTarget();
            assertTrue(found < floor + 0.05, found + " nats a token; " + floor + " is the best possible");
            try (TextSampler sampler = model.sampler()) {
                List<String> known = words().stream().map(Arrays::toString).toList();
                for (long seed = 0; seed < 10; seed++) {
                    int[] word = sampler.sample(new int[] {BOUNDARY}, BOUNDARY, 20, 0.2f, seed);
                    assertTrue(known.contains(Arrays.toString(word)), Arrays.toString(word) + " is none of " + known);
                }
            }
        }
    }

    private void train(LanguageModel model, Adam adam, BatchSource<TokenBatch> source, int steps) throws IOException {
        TrainingOptions options = TrainingOptions.ofSteps(steps, 4);
        try (Trainer<TokenBatch> trainer =
                new Trainer<>(backend, model, source, adam, Schedule.trapezoid(0.03f, 5, 50), options)) {
            trainer.run();
        }
    }

    @Test
    void aSampleIsAFunctionOfItsSeed() {
        try (LanguageModel model = new LanguageModel(backend, SPEC, 4, 2)) {
            model.initialize(1);
            try (TextSampler one = model.sampler();
                    TextSampler two = model.sampler()) {
                int[] prompt = {1, 2};
                int[] sample = one.sample(prompt, TrainingKernels.NONE, 100, 1, 77);
                assertEquals(100, sample.length);
                one.sample(new int[] {5, 5, 5}, BOUNDARY, 10, 2, 3);
                assertArrayEquals(sample, one.sample(prompt, TrainingKernels.NONE, 100, 1, 77));
                assertArrayEquals(sample, two.sample(prompt, TrainingKernels.NONE, 100, 1, 77));
                assertFalse(
                        Arrays.equals(sample, two.sample(prompt, TrainingKernels.NONE, 100, 1, 78)),
                        "the seed does not count");
                assertArrayEquals(
                        one.sample(prompt, TrainingKernels.NONE, 30, 0, 1),
                        one.sample(prompt, TrainingKernels.NONE, 30, 0, 2),
                        "the likeliest tokens depend on the seed");
            }
        }
    }

    @Test
    void samplesFollowTheModelsDistribution() {
        try (LanguageModel model = new LanguageModel(backend, SPEC, 4, 2)) {
            // All weights zero: the bias alone decides, with these probabilities.
            double[] expected = {0.05, 0.1, 0.15, 0.2, 0.1, 0.4};
            float[] bias = new float[6];
            for (int k = 0; k < 6; k++) {
                bias[k] = (float) Math.log(expected[k]);
            }
            model.parameters().value("head.bias").upload(bias);
            model.parametersChanged();
            try (TextSampler sampler = model.sampler()) {
                int n = 4000;
                int[] counts = new int[6];
                for (int token : sampler.sample(new int[] {1}, TrainingKernels.NONE, n, 1, 5)) {
                    counts[token]++;
                }
                for (int k = 0; k < 6; k++) {
                    double deviation = Math.sqrt(expected[k] * (1 - expected[k]) * n);
                    assertEquals(expected[k] * n, counts[k], 5 * deviation, "how often token " + k + " was drawn");
                }
            }
        }
    }

    @Test
    void theSamplerSeesChangedParameters() {
        try (LanguageModel model = new LanguageModel(backend, SPEC, 4, 2);
                TextSampler sampler = model.sampler()) {
            model.initialize(1);
            int[] before = sampler.sample(new int[] {1}, TrainingKernels.NONE, 40, 1, 5);
            model.initialize(2);
            assertFalse(Arrays.equals(before, sampler.sample(new int[] {1}, TrainingKernels.NONE, 40, 1, 5)));
        }
    }

    @Test
    void flopsAreThreeTimesTheForwardProductsOfTheValidPositions() {
        try (LanguageModel model = new LanguageModel(backend, SPEC, 4, 2)) {
            TokenBatch batch = TokenBatch.of(List.of(new int[] {1, 2, 3}, new int[] {4}), BOUNDARY);
            // I = 3, H = 4, L = 2, six classes: W_ih, W_hh, W_ih, W_hh, head; 4 + 2 positions.
            long forward = 2 * (12 * 3 + 12 * 4 + 12 * 4 + 12 * 4 + 6 * 4);
            assertEquals(3 * forward * 6, model.flops(batch));
        }
    }

    @Test
    void shouldRejectBatchesItWasNotMadeFor() {
        try (LanguageModel model = new LanguageModel(backend, SPEC, 3, 2)) {
            model.initialize(1);
            assertMessage("the model was made for at most T = 3", model, TokenBatch.of(List.of(new int[3]), 1));
            assertMessage(
                    "at most T = 3 and B = 2",
                    model,
                    TokenBatch.of(List.of(new int[1], new int[1], new int[1]), 1));
            assertMessage("ids[1] is 6", model, TokenBatch.of(List.of(new int[] {6}), 1));
            assertMessage("no targets", model, new TokenBatch(1, 1, new int[1], null, null, new int[0], false));
            model.lossAndGradient(new TokenBatch(1, 2, new int[2], null, null, new int[2], false), 0, 1);
            assertMessage(
                    "a batch of B = 1 rows cannot go on from one of B = 2",
                    model,
                    new TokenBatch(1, 1, new int[1], null, null, new int[1], true));
        }
        assertThrows(IllegalArgumentException.class, () -> LanguageModelSpec.of(0, 3, 4, 1, 0));
    }

    private static void assertMessage(String part, LanguageModel model, TokenBatch batch) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> model.lossAndGradient(batch, 0, 1));
        assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage() + " does not say '" + part + "'");
    }

    private static List<int[]> words() {
        return List.of(new int[] {1, 2, 3, 4}, new int[] {2, 2}, new int[] {5, 1, 1, 5, 3});
    }
}
