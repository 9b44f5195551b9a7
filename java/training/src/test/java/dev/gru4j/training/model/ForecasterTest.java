package dev.gru4j.training.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.data.SeriesBatch;
import dev.gru4j.training.data.SeriesBatches;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ForecasterTest {
    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    @Test
    void aWaveIsContinued() throws IOException {
        float[] wave = new float[150];
        for (int t = 0; t < wave.length; t++) {
            wave[t] = (float) Math.sin(t * 2 * Math.PI / 12);
        }
        SeriesBatches source = new SeriesBatches(Arrays.copyOf(wave, 120), 1, 0, 3, 4, 14, 8, 3);
        ForecasterSpec spec = new ForecasterSpec(GruSpec.of(1, 8), 3);
        try (Forecaster model = new Forecaster(backend, spec, 20, source.maxB());
                Adam adam = new Adam(backend, model.parameters(), Adam.Options.DEFAULT);
                Trainer<SeriesBatch> trainer = new Trainer<>(
                        backend,
                        model,
                        source,
                        adam,
                        Schedule.trapezoid(0.02f, 5, 50),
                        TrainingOptions.ofSteps(250, 1))) {
            model.initialize(1);
            trainer.run();
            // Beyond what was seen, from windows of several lengths.
            List<float[]> windows =
                    List.of(Arrays.copyOfRange(wave, 121, 130), Arrays.copyOfRange(wave, 125, 145));
            float[] found = model.predict(SeriesBatch.of(windows, 1, 3));
            int[] ends = {130, 145};
            for (int k = 0; k < 2; k++) {
                for (int ahead = 0; ahead < 3; ahead++) {
                    assertEquals(
                            wave[ends[k] + ahead], found[k * 3 + ahead], 0.2, "window " + k + ", " + ahead + " ahead");
                }
            }
        }
    }

    @Test
    void aPredictionDependsOnItsOwnRowOnly() {
        ForecasterSpec spec = new ForecasterSpec(GruSpec.of(2, 5).withLayers(2), 2);
        float[] row = {0.1f, -0.4f, 0.8f, 0.3f, -0.2f, 0.5f};
        float[] longer = {1, 2, 3, 4, 5, 6, 7, 8};
        float[] broken = {Float.NaN, 1, 1, Float.POSITIVE_INFINITY};
        try (Forecaster model = new Forecaster(backend, spec, 4, 3)) {
            model.initialize(1);
            float[] alone = model.predict(SeriesBatch.of(List.of(row), 2, 2));
            float[] among = model.predict(SeriesBatch.of(List.of(longer, broken, row), 2, 2));
            assertEquals(alone[0], among[4]);
            assertEquals(alone[1], among[5]);
            assertTrue(Float.isNaN(among[2]), "a row of NaN predicts " + among[2]);
            assertTrue(Float.isFinite(among[0]));
        }
    }

    @Test
    void flopsLeaveOutTheGradientOfTheInput() {
        ForecasterSpec spec = new ForecasterSpec(GruSpec.of(2, 5), 2);
        try (Forecaster model = new Forecaster(backend, spec, 4, 3)) {
            SeriesBatch batch = SeriesBatch.of(List.of(new float[6], new float[2]), 2, 2);
            // W_ih twice, W_hh three times in 3 + 1 valid steps; the head three times at 2 positions.
            assertEquals(4 * 2 * (2 * 15 * 2 + 3 * 15 * 5) + 2 * 3 * 2 * 5 * 2, model.flops(batch));
        }
    }

    @Test
    void shouldRejectBatchesOfAnotherModel() {
        ForecasterSpec spec = new ForecasterSpec(GruSpec.of(2, 5), 2);
        try (Forecaster model = new Forecaster(backend, spec, 4, 3)) {
            model.initialize(1);
            assertMessage("I = 1", () -> model.predict(SeriesBatch.of(List.of(new float[2]), 1, 2)));
            assertMessage("3 outputs", () -> model.predict(SeriesBatch.of(List.of(new float[2]), 2, 3)));
            assertMessage(
                    "0 target values; 2 expected",
                    () -> model.lossAndGradient(SeriesBatch.of(List.of(new float[2]), 2, 2), 0, 0));
            assertMessage("series 1 has no step", () -> SeriesBatch.of(List.of(new float[2], new float[0]), 2, 2));
        }
    }

    private static void assertMessage(String part, org.junit.jupiter.api.function.Executable call) {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class, call).getMessage());
        assertTrue(message.contains(part), message + " does not say '" + part + "'");
    }
}
