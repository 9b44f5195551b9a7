package dev.gru4j.training;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.LanguageModelBatches;
import dev.gru4j.training.data.StreamBatches;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Small training runs of a language model for tests of the loop around it. */
final class TestRuns {
    static final long SEED = 99;

    private TestRuns() {}

    static GruBackend reference() {
        return Backends.named("reference").open(BackendOptions.DEFAULT);
    }

    /** Short sequences of a repeating alphabet. */
    static BatchSource<TokenBatch> sequences() {
        List<int[]> sequences = new ArrayList<>();
        Random random = new Random(5);
        for (int k = 0; k < 23; k++) {
            int[] sequence = new int[1 + random.nextInt(6)];
            int start = random.nextInt(5);
            for (int i = 0; i < sequence.length; i++) {
                sequence[i] = 1 + (start + i) % 5;
            }
            sequences.add(sequence);
        }
        return new LanguageModelBatches(sequences, 0, 4, SEED);
    }

    /** One text, so that the hidden state is carried. */
    static BatchSource<TokenBatch> stream() {
        return new StreamBatches(new Random(6).ints(61, 0, 6).toArray(), 3, 4);
    }

    /** Two layers with dropout: everything that could differ between two runs is in use. */
    static LanguageModel model(GruBackend backend, BatchSource<TokenBatch> source) {
        LanguageModel model =
                new LanguageModel(backend, LanguageModelSpec.of(6, 3, 4, 2, 0.3f), source.maxT(), source.maxB());
        model.initialize(SEED);
        return model;
    }

    static Schedule schedule() {
        return Schedule.trapezoid(0.02f, 3, 40);
    }

    /** One training run with all its parts, closed together. */
    static final class Run implements AutoCloseable {
        final GruBackend backend;
        final LanguageModel model;
        final Adam adam;
        final Trainer<TokenBatch> trainer;

        Run(BatchSource<TokenBatch> source, TrainingOptions options) {
            this(source, options, m -> m);
        }

        /** @param disturbed what the trainer is given instead of the model */
        Run(
                BatchSource<TokenBatch> source,
                TrainingOptions options,
                UnaryOperator<TrainableModel<TokenBatch>> disturbed) {
            this(reference(), source, options, disturbed);
        }

        /** On another backend, which is closed with the run. */
        Run(
                GruBackend backend,
                BatchSource<TokenBatch> source,
                TrainingOptions options,
                UnaryOperator<TrainableModel<TokenBatch>> disturbed) {
            this.backend = backend;
            this.model = model(backend, source);
            this.adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT.withWeightDecay(0.01f));
            this.trainer = new Trainer<>(backend, disturbed.apply(model), source, adam, schedule(), options);
        }

        /** Every float a run consists of, by name. */
        Map<String, float[]> everything() {
            Map<String, float[]> all = new TreeMap<>();
            all.put("parameters", model.parameters().values().toArray());
            adam.state().forEach((name, memory) -> all.put(name, memory.toArray()));
            model.carriedState().forEach((name, memory) -> all.put(name, memory.toArray()));
            return all;
        }

        @Override
        public void close() {
            trainer.close();
            adam.close();
            model.close();
            backend.close();
        }
    }

    /** The first difference between two runs, bit for bit, as a sentence; absent: there is none. */
    static @Nullable String difference(Map<String, float[]> one, Map<String, float[]> two) {
        if (!one.keySet().equals(two.keySet())) {
            return one.keySet() + " against " + two.keySet();
        }
        for (Map.Entry<String, float[]> e : one.entrySet()) {
            float[] other = two.getOrDefault(e.getKey(), new float[0]);
            for (int i = 0; i < Math.max(e.getValue().length, other.length); i++) {
                if (Float.floatToRawIntBits(e.getValue()[i]) != Float.floatToRawIntBits(other[i])) {
                    return e.getKey() + "[" + i + "] is " + e.getValue()[i] + " against " + other[i];
                }
            }
        }
        return null;
    }

    static float first(FloatMemory memory) {
        return memory.toArray()[0];
    }
}
