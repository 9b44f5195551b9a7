package dev.gru4j.training.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.data.PairBatch;
import dev.gru4j.training.data.PairBatches;
import dev.gru4j.training.data.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SequenceToSequenceTest {
    private static final int BOUNDARY = 0;
    private static final int VOCABULARY = 5;

    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFewPairsAreLearntByHeart(boolean bidirectional) throws IOException {
        List<int[]> sources = new ArrayList<>();
        List<int[]> targets = new ArrayList<>();
        Random random = new Random(8);
        for (int k = 0; k < 5; k++) {
            sources.add(random.ints(1 + k % 4, 1, VOCABULARY).toArray());
            sources.getLast()[0] = k % VOCABULARY; // no two alike
            targets.add(random.ints(k % 5, 1, VOCABULARY).toArray());
        }
        PairBatches source = new PairBatches(sources, targets, BOUNDARY, 5, 1);
        SequenceToSequenceSpec spec =
                new SequenceToSequenceSpec(VOCABULARY, VOCABULARY, 6, 16, 1, bidirectional, 0);
        try (SequenceToSequence model =
                new SequenceToSequence(backend, spec, source.maxSourceT(), source.maxTargetT(), source.maxB());
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                Trainer<PairBatch> trainer = new Trainer<>(
                        backend,
                        model,
                        source,
                        adam,
                        Schedule.trapezoid(0.02f, 5, 50),
                        TrainingOptions.ofSteps(200, 1))) {
            model.initialize(2);
            trainer.run();
            assertTrue(
                    model.evaluate(source).natsPerTarget() < 0.1,
                    model.evaluate(source).natsPerTarget() + " nats a token");
            for (int beamWidth = 1; beamWidth <= 3; beamWidth++) {
                List<int[]> found = model.translate(sources, BOUNDARY, 20, beamWidth);
                for (int k = 0; k < sources.size(); k++) {
                    assertArrayEquals(targets.get(k), found.get(k), "pair " + k + ", beam of " + beamWidth);
                }
            }
        }
    }

    @Test
    void aWiderBeamFindsNothingLessLikelyThanAllTargetsTried() {
        SequenceToSequenceSpec spec = new SequenceToSequenceSpec(3, 3, 4, 6, 2, false, 0);
        List<int[]> sources = List.of(new int[] {1}, new int[] {2, 1}, new int[] {0, 0, 2});
        try (SequenceToSequence model = new SequenceToSequence(backend, spec, 3, 4, 27)) {
            model.initialize(7);
            model.parameters().value("head.weight").upload(scaled(model, 8)); // far from uniform
            model.parametersChanged();
            // 27 candidates of up to 3 tokens out of 2 that are not the boundary: the beam is never cut.
            List<int[]> found = model.translate(sources, BOUNDARY, 3, 27);
            for (int k = 0; k < sources.size(); k++) {
                double best = Double.NEGATIVE_INFINITY;
                for (int[] target : targetsOfUpTo(2)) {
                    best = Math.max(best, -natsPerToken(model, sources.get(k), target));
                }
                if (found.get(k).length <= 2) {
                    assertEquals(best, -natsPerToken(model, sources.get(k), found.get(k)), 1e-5, "source " + k);
                }
            }
            // One at a time or together: the same.
            for (int k = 0; k < sources.size(); k++) {
                int[] alone = model.translate(sources.subList(k, k + 1), BOUNDARY, 3, 2).getFirst();
                assertArrayEquals(model.translate(sources, BOUNDARY, 3, 2).get(k), alone, "source " + k);
            }
        }
    }

    /** The head's weights times a factor. */
    private static float[] scaled(SequenceToSequence model, float factor) {
        float[] weight = model.parameters().value("head.weight").toArray();
        for (int i = 0; i < weight.length; i++) {
            weight[i] *= factor;
        }
        return weight;
    }

    private static List<int[]> targetsOfUpTo(int length) {
        List<int[]> all = new ArrayList<>(List.of(new int[0]));
        for (int from = 0, l = 0; l < length; l++) {
            int to = all.size();
            for (int k = from; k < to; k++) {
                for (int token = 1; token < 3; token++) {
                    int[] longer = Arrays.copyOf(all.get(k), l + 1);
                    longer[l] = token;
                    all.add(longer);
                }
            }
            from = to;
        }
        return all;
    }

    /** As training computes it, by another way than the search: teacher forcing over the whole target. */
    private static double natsPerToken(SequenceToSequence model, int[] source, int[] target) {
        PairBatch batch =
                new PairBatch(PairBatch.Side.of(List.of(source)), TokenBatch.of(List.of(target), BOUNDARY));
        model.lossAndGradient(batch, 0, 0);
        return model.loss().toArray()[0];
    }

    @Test
    void shouldRejectWhatItCannotTranslate() {
        SequenceToSequenceSpec spec = new SequenceToSequenceSpec(3, 3, 4, 6, 1, false, 0);
        try (SequenceToSequence model = new SequenceToSequence(backend, spec, 3, 4, 2)) {
            model.initialize(7);
            assertMessage("source 0 is empty", () -> model.translate(List.of(new int[0]), 0, 3, 1));
            assertMessage("T = 4", () -> model.translate(List.of(new int[4]), 0, 3, 1));
            assertMessage("beamWidth is 3; 1 to maxB = 2", () -> model.translate(List.of(new int[1]), 0, 3, 3));
            assertEquals(0, model.translate(List.of(), 0, 3, 1).size());
        }
        assertMessage("hiddenSize is 5; an even number", () -> new SequenceToSequenceSpec(3, 3, 4, 5, 1, true, 0));
    }

    private static void assertMessage(String part, org.junit.jupiter.api.function.Executable call) {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
        assertTrue(message.contains(part), message + " does not say '" + part + "'");
    }
}
