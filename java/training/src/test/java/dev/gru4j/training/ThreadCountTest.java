package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertNull;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.data.StreamBatches;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ThreadCountTest {
    /** Sizes beside the lanes and tiles, and large enough that the work is really split. */
    private static final LanguageModelSpec SPEC = LanguageModelSpec.of(37, 19, 67, 2, 0.2f);

    @Test
    void trainingGivesTheSameBitsForAnyNumberOfThreads() throws IOException {
        Random random = new Random(2);
        List<int[]> sequences = Stream.generate(
                () -> random.ints(random.nextInt(20), 1, 37).toArray())
                .limit(120)
                .toList();
        BatchSource<TokenBatch> names = new LanguageModelBatches(sequences, 0, 33, 1);
        BatchSource<TokenBatch> stream = new StreamBatches(random.ints(1200, 0, 37).toArray(), 33, 12);
        for (BatchSource<TokenBatch> source : List.of(names, stream)) {
            Map<String, float[]> expected = trained(source, 1);
            for (int threads : new int[] {2, 3}) {
                String difference = TestRuns.difference(expected, trained(source, threads));
                assertNull(difference, threads + " threads on " + source.configuration());
            }
        }
    }

    private static Map<String, float[]> trained(BatchSource<TokenBatch> source, int threads) throws IOException {
        BackendOptions options = BackendOptions.DEFAULT.withThreads(threads);
        try (GruBackend backend = Backends.named("simd").open(options);
                LanguageModel model = new LanguageModel(backend, SPEC, source.maxT(), source.maxB());
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                Trainer<TokenBatch> trainer = new Trainer<>(
                        backend,
                        model,
                        source,
                        adam,
                        Schedule.constant(0.01f),
                        TrainingOptions.ofSteps(3, TestRuns.SEED))) {
            model.initialize(1);
            trainer.run();
            Map<String, float[]> result = new TreeMap<>();
            result.put("parameters", model.parameters().values().toArray());
            result.put("nats", new float[] {(float) model.evaluate(source).nats()});
            adam.state().forEach((name, memory) -> result.put(name, memory.toArray()));
            return result;
        }
    }
}
