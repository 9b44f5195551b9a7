package dev.gru4j.training.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.training.Adam;
import dev.gru4j.training.ParameterSet;
import dev.gru4j.training.data.LanguageModelBatches;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is made on a backend is closed again, also when the backend runs out of memory on the way. */
final class MemoryReleaseTest {
    /** The reference, counting what it gave away and refusing one request. */
    private static final class CountingBackend implements GruBackend {
        private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);
        private final List<IntSupplier> open = new ArrayList<>();
        private int requests;
        private int refused = Integer.MAX_VALUE;

        private void request() {
            if (requests++ == refused) {
                throw new IllegalStateException("out of memory");
            }
        }

        /** Memories and plans given away that still work. */
        int openCount() {
            return open.stream().mapToInt(IntSupplier::getAsInt).sum();
        }

        private static int works(Runnable use) {
            try {
                use.run();
                return 1;
            } catch (IllegalStateException e) {
                return 0; // closed
            }
        }

        @Override
        public ProductPrecision precision() {
            return backend.precision();
        }

        @Override
        public FloatMemory allocate(long floats) {
            request();
            FloatMemory memory = backend.allocate(floats);
            open.add(() -> works(() -> memory.fill(0)));
            return memory;
        }

        @Override
        public IntMemory allocateInts(long integers) {
            request();
            IntMemory memory = backend.allocateInts(integers);
            open.add(() -> works(() -> memory.upload(0, new int[0], 0, 0)));
            return memory;
        }

        @Override
        public GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
            request();
            GruPlan plan = backend.plan(spec, maxT, maxB, mode);
            FloatMemory zeros = backend.allocate(plan.parameters().length());
            open.add(() -> works(() -> plan.loadParameters(zeros)));
            return plan;
        }

        @Override
        public String name() {
            return backend.name();
        }

        @Override
        public String description() {
            return backend.description();
        }

        @Override
        public TrainingKernels trainingKernels() {
            return backend.trainingKernels();
        }

        @Override
        public void synchronize() {
            backend.synchronize();
        }

        @Override
        public void close() {
            backend.close();
        }
    }

    static Stream<Named<Function<GruBackend, AutoCloseable>>> makers() {
        return Stream.of(
                Named.of("language model", b -> new LanguageModel(b, LanguageModelSpec.of(4, 2, 3, 1, 0), 3, 2)),
                Named.of(
                        "sequence to sequence",
                        b -> new SequenceToSequence(b, new SequenceToSequenceSpec(4, 5, 2, 4, 1, true, 0), 3, 3, 2)),
                Named.of("forecaster", b -> new Forecaster(b, new ForecasterSpec(GruSpec.of(2, 3), 2), 3, 2)),
                Named.of("parameters", b -> new ParameterSet(b, new ParameterSet.Layout().bias("x", 0, 3))));
    }

    @ParameterizedTest
    @MethodSource("makers")
    void everythingIsClosedWhereverMemoryRunsOut(Function<GruBackend, AutoCloseable> maker) throws Exception {
        int requests;
        try (CountingBackend backend = new CountingBackend()) {
            maker.apply(backend).close();
            requests = backend.requests;
            assertTrue(requests > 0);
            assertEquals(0, backend.openCount(), "open after closing");
        }
        for (int refused = 0; refused < requests; refused++) {
            try (CountingBackend backend = new CountingBackend()) {
                backend.refused = refused;
                assertThrows(IllegalStateException.class, () -> maker.apply(backend));
                assertEquals(0, backend.openCount(), "open after request " + refused + " was refused");
            }
        }
    }

    @Test
    void whatAModelMakesLaterIsClosed() {
        try (CountingBackend backend = new CountingBackend()) {
            LanguageModelBatches source = new LanguageModelBatches(List.of(new int[] {1, 2}), 0, 2, 1);
            try (LanguageModel model =
                    new LanguageModel(backend, LanguageModelSpec.of(4, 2, 3, 1, 0), 3, 2);
                    Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT)) {
                model.evaluate(source);
                int before = backend.openCount();
                try (TextSampler sampler = model.sampler()) {
                    assertEquals(3, sampler.sample(new int[] {0}, TrainingKernels.NONE, 3, 1, 1).length);
                }
                assertEquals(before, backend.openCount(), "the sampler left something open");
                int requests = backend.requests;
                model.evaluate(source);
                model.lossAndGradient(source.batch(0), 0, 0);
                assertEquals(requests, backend.requests, "a step asks for memory");
                backend.refused = backend.requests + 4;
                assertThrows(IllegalStateException.class, model::sampler);
                assertEquals(before, backend.openCount(), "the sampler that failed left something open");
                assertEquals(2, adam.state().size());
            }
            assertEquals(0, backend.openCount());
        }
    }
}
