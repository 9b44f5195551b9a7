package dev.gru4j.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.io.SafetensorsWriter;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.TokenBatch;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointTest {
    private static final int STEPS = 4;

    @TempDir
    Path folder;

    private final BatchSource<TokenBatch> source = TestRuns.stream();
    private Path file = Path.of("");
    private Map<String, float[]> written = Map.of();

    @BeforeEach
    void writeCheckpoint() throws IOException {
        file = folder.resolve("run.safetensors");
        try (TestRuns.Run run = new TestRuns.Run(source, options())) {
            run.trainer.run(() -> false);
            written = run.everything();
        }
    }

    private TrainingOptions options() {
        return TrainingOptions.ofSteps(STEPS, TestRuns.SEED)
                .withCheckpoint(file, 0)
                .withNotes(Map.of("text", "Räuber, 盗贼", "empty", ""));
    }

    @Test
    void everythingComesBack() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(file);
        assertEquals(STEPS, checkpoint.step());
        assertEquals(STEPS, checkpoint.totalSteps());
        assertEquals(TestRuns.SEED, checkpoint.seed());
        assertEquals("language-model", checkpoint.model().get("model"));
        assertEquals(source.configuration(), checkpoint.data());
        assertEquals(options().notes(), checkpoint.notes());
        assertTrue(checkpoint.elapsed().toNanos() > 0);
        try (TestRuns.Run run = new TestRuns.Run(source, options())) {
            run.model.initialize(TestRuns.SEED + 1);
            run.trainer.restore(checkpoint);
            assertNull(TestRuns.difference(written, run.everything()));
        }
    }

    @Test
    void aFileCutAnywhereIsRefused() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int header = 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        TreeSet<Integer> lengths = new TreeSet<>(List.of(0, 1, 7, 8, 9, header - 1, header, header + 1));
        for (int length = 0; length < bytes.length; length += 97) {
            lengths.add(length);
        }
        lengths.add(bytes.length - 4);
        lengths.add(bytes.length - 1);
        for (int length : lengths) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertRefused("cut to " + length + " of " + bytes.length + " bytes");
        }
    }

    @Test
    void aByteThatChangedAnywhereIsNoticed() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        // Every byte of the header; a sample of the values, whose checksum knows no places.
        int header = 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        for (int at = 0; at < bytes.length; at += at < header ? 1 : 41) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= (byte) (1 << (at % 8));
            Files.write(file, damaged);
            assertRefused("bit " + at % 8 + " of byte " + at + " (header: " + header + " bytes)");
        }
    }

    @Test
    void bytesBehindTheEndAreNoticed() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length + 4));
        assertRefused("four bytes behind the end");
    }

    private void assertRefused(String damage) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> Checkpoint.read(file), damage);
        assertTrue(String.valueOf(e.getMessage()).contains(file.toString()), damage + ": " + e.getMessage());
    }

    @Test
    void aMissingFileIsNamed() {
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Checkpoint.read(folder.resolve("nowhere")));
        assertMessage(e, "nowhere does not exist");
    }

    @Test
    void aWeightFileIsNoCheckpoint() throws IOException {
        Path weights = folder.resolve("weights.safetensors");
        new SafetensorsWriter().floats("x", new long[] {1}, new float[1]).write(weights);
        assertMessage(assertThrows(CheckpointException.class, () -> Checkpoint.read(weights)), "checksum is absent");
        try (GruBackend backend = TestRuns.reference();
                LanguageModel model = TestRuns.model(backend, source)) {
            ParameterFiles.write(model.parameters(), Map.of(), weights);
        }
        assertMessage(
                assertThrows(CheckpointException.class, () -> Checkpoint.read(weights)),
                "is no checkpoint",
                "gru4j.format is absent");
    }

    @Test
    void shouldRefuseTheCheckpointOfAnotherRun() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(file);
        assertOther(checkpoint, TestRuns.sequences(), TestRuns.SEED, 1, "data.kind was stream, now sequences");
        assertOther(checkpoint, source, 7, 1, "run.seed was 99, now 7");
        assertOther(checkpoint, source, TestRuns.SEED, 2, "run.max_gradient_norm was 1.0, now 2.0");
        try (GruBackend backend = TestRuns.reference();
                LanguageModel model = new LanguageModel(
                        backend, LanguageModelSpec.of(6, 3, 5, 2, 0.3f), source.maxT(), source.maxB());
                Sgd sgd = new Sgd(backend, model.parameters(), 0.9f);
                Trainer<TokenBatch> trainer =
                        new Trainer<>(backend, model, source, sgd, Schedule.constant(1), options())) {
            assertMessage(
                    assertThrows(CheckpointException.class, () -> trainer.restore(checkpoint)),
                    "model.gru was I3 H4",
                    "now I3 H5",
                    "optimizer.kind was adam, now sgd",
                    "optimizer.momentum was absent, now 0.9",
                    "run.schedule was");
        }
    }

    private static void assertOther(
            Checkpoint checkpoint, BatchSource<TokenBatch> source, long seed, float norm, String message) {
        TrainingOptions options = TrainingOptions.ofSteps(STEPS, seed).withMaxGradientNorm(norm);
        try (TestRuns.Run run = new TestRuns.Run(source, options)) {
            Map<String, float[]> before = run.everything();
            assertMessage(assertThrows(CheckpointException.class, () -> run.trainer.restore(checkpoint)), message);
            assertNull(TestRuns.difference(before, run.everything()), "a refused checkpoint changed something");
        }
    }

    @Test
    void aCheckpointOfAnotherShapeChangesNothing() throws IOException {
        Checkpoint checkpoint = Checkpoint.read(file);
        try (GruBackend backend = TestRuns.reference();
                ParameterSet other = new ParameterSet(
                        backend,
                        new ParameterSet.Layout().weight("embedding.weight", 1, 6, 3).bias("head.bias", 1, 7))) {
            other.initialize(1);
            float[] before = other.values().toArray();
            assertMessage(
                    assertThrows(CheckpointException.class, () -> checkpoint.restoreParameters(other)),
                    "tensor 'head.bias' of shape [6]; [7] expected");
            assertArrayEquals(before, other.values().toArray());
        }
    }

    @Test
    void weightsAloneComeBack() throws IOException {
        Path weights = folder.resolve("weights.safetensors");
        try (GruBackend backend = TestRuns.reference();
                LanguageModel one = TestRuns.model(backend, source);
                LanguageModel two = TestRuns.model(backend, source)) {
            ParameterFiles.write(one.parameters(), Map.of("vocabulary", "abc"), weights);
            two.initialize(123);
            ParameterFiles.read(two.parameters(), weights);
            two.parametersChanged();
            assertArrayEquals(
                    one.parameters().values().toArray(), two.parameters().values().toArray());
            assertEquals(one.evaluate(source), two.evaluate(source));
            assertEquals("abc", ParameterFiles.metadata(weights).get("vocabulary"));
        }
    }

    @Test
    void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
        byte[] before = Files.readAllBytes(file);
        try (TestRuns.Run run = new TestRuns.Run(source, options())) {
            run.trainer.listener(step -> run.model.parameters().value("head.bias").fill(Float.NaN));
            assertThrows(TrainingException.class, () -> run.trainer.run(new OneStep()));
        }
        assertArrayEquals(before, Files.readAllBytes(file));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    /** Stops after one step. */
    private static final class OneStep implements BooleanSupplier {
        private boolean asked;

        @Override
        public boolean getAsBoolean() {
            boolean second = asked;
            asked = true;
            return second;
        }
    }

    private static void assertMessage(Exception e, String... parts) {
        assertNotNull(e.getMessage());
        for (String part : parts) {
            assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage() + " does not say '" + part + "'");
        }
    }
}
