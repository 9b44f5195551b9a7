package dev.gru4j;

import static dev.gru4j.TestValues.assertSameBits;
import static dev.gru4j.TestValues.narrow;
import static dev.gru4j.TestValues.uniform;
import static dev.gru4j.TestValues.widen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GruTrainingTest {
    private static final int T = 5;
    private static final int B = 3;
    private static final GruSpec SPEC = GruSpec.of(2, 4).withLayers(2).withDropout(0.5f);
    private static final long SEED = 17;

    private static final float[] DY = uniform(3, T * B * SPEC.outputSize());
    private static final float[] DHT = uniform(4, SPEC.states() * B * SPEC.hiddenSize());

    private static Gru gru() {
        return Gru.builder(SPEC).seed(SEED).backend("reference").build();
    }

    private static GruInput input() {
        float[] h0 = uniform(2, SPEC.states() * B * SPEC.hiddenSize());
        return new GruInput(uniform(1, T * B * SPEC.inputSize()), T, B, h0, new int[] {5, 0, 2});
    }

    private static ReferenceNetwork.Gradients expected(
            GruWeights weights, long iteration, float @Nullable [] dy, float @Nullable [] dhT) {
        ReferenceNetwork network = new ReferenceNetwork(SPEC, Precision.FLOAT, widen(weights.values()));
        GruInput in = input();
        ReferenceNetwork.Forward forward = network.forward(
                T,
                B,
                widen(in.x()),
                widen(Objects.requireNonNull(in.h0())),
                in.lengths(),
                new ReferenceNetwork.Dropout(SEED, iteration));
        return network.backward(forward, dy == null ? null : widen(dy), dhT == null ? null : widen(dhT));
    }

    private static void assertExpected(ReferenceNetwork.Gradients expected, GruGradients found) {
        assertSameBits("dx", narrow(expected.dx()), found.dx());
        assertSameBits("dh0", narrow(expected.dh0()), found.dh0());
        assertSameBits("dParameters", narrow(expected.dParameters()), found.dParameters().values());
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "device"})
    void backwardGivesWhatTheReferenceGives(String kind) {
        try (GruBackend backend =
                kind.equals("host")
                        ? Backends.open("reference", BackendOptions.DEFAULT)
                        : new FakeDeviceBackend();
                Gru gru = Gru.builder(SPEC).seed(SEED).backend(backend).build();
                GruTraining training = gru.training()) {
            GruWeights weights = gru.weights();
            training.forward(input(), 8);
            assertExpected(expected(weights, 8, DY, DHT), training.backward(DY, DHT));
            training.forward(input(), 9);
            assertExpected(expected(weights, 9, DY, null), training.backward(DY, null));
            training.forward(input(), 9);
            assertExpected(expected(weights, 9, null, DHT), training.backward(null, DHT));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "device"})
    void theCallersArraysServeStepAfterStep(String kind) {
        try (GruBackend backend =
                kind.equals("host")
                        ? Backends.open("reference", BackendOptions.DEFAULT)
                        : new FakeDeviceBackend();
                Gru gru = Gru.builder(SPEC).seed(SEED).backend(backend).build();
                GruTraining training = gru.training()) {
            GruOutput out = GruOutput.of(SPEC, T, B);
            GruGradients gradients = GruGradients.of(SPEC, T, B);
            for (int step = 0; step < 3; step++) {
                Arrays.fill(out.y(), Float.NaN);
                Arrays.fill(gradients.dx(), Float.NaN);
                Arrays.fill(gradients.dh0(), Float.NaN);
                Arrays.fill(gradients.dParameters().values(), Float.NaN);
                training.forward(input(), step, out);
                assertSameBits("y", training.forward(input(), step).y(), out.y());
                training.backward(DY, step == 1 ? null : DHT, gradients);
                assertExpected(expected(gru.weights(), step, DY, step == 1 ? null : DHT), gradients);
            }
        }
    }

    @Test
    void arraysThatDoNotFitTheGradientsAreRefused() {
        try (Gru gru = gru();
                GruTraining training = gru.training()) {
            training.forward(input(), 4);
            GruGradients right = GruGradients.of(SPEC, T, B);
            assertRefused(
                    "dx has 29 floats; T·B·I = 30 floats expected", training,
                    new GruGradients(new float[29], right.dh0(), right.dParameters()));
            assertRefused(
                    "dh0 has 25 floats; L·D·B·H = 24 floats expected", training,
                    new GruGradients(right.dx(), new float[25], right.dParameters()));
            GruWeights narrow = new GruWeights(SPEC.withLayers(1));
            assertRefused(
                    "dParameters has " + narrow.values().length + " floats; all parameters = "
                            + right.dParameters().values().length + " floats expected",
                    training, new GruGradients(right.dx(), right.dh0(), narrow));
            training.backward(DY, DHT, right);
            assertExpected(expected(gru.weights(), 4, DY, DHT), right);
        }
    }

    private static void assertRefused(String message, GruTraining training, GruGradients gradients) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> training.backward(DY, DHT, gradients))
                        .getMessage());
    }

    @Test
    void theIterationDecidesTheDropoutMasks() {
        try (Gru gru = gru();
                GruTraining training = gru.training()) {
            float[] first = training.forward(input(), 1).y();
            assertSameBits("y", first, training.forward(input(), 1).y());
            assertFalse(Arrays.equals(first, training.forward(input(), 2).y()));
            assertFalse(Arrays.equals(first, gru.forward(input()).y()), "inference drops nothing");
        }
    }

    @Test
    void backwardUsesTheWeightsOfItsForward() {
        try (Gru gru = gru();
                GruTraining training = gru.training()) {
            GruWeights before = gru.weights();
            training.forward(input(), 3);
            gru.setWeights(new GruWeights(SPEC).initialize(5));
            assertExpected(expected(before, 3, DY, DHT), training.backward(DY, DHT));
            training.forward(input(), 3);
            assertExpected(expected(gru.weights(), 3, DY, DHT), training.backward(DY, DHT));
        }
    }

    @Test
    void gradientDescentLowersTheLoss() {
        GruSpec spec = GruSpec.of(2, 4);
        GruInput in = new GruInput(uniform(6, T * B * 2), T, B);
        float[] target = uniform(7, B * 4);
        try (Gru gru = Gru.builder(spec).backend("reference").build();
                GruTraining training = gru.training()) {
            GruWeights weights = gru.weights();
            double first = 0;
            double last = 0;
            for (int step = 0; step < 30; step++) {
                float[] hT = training.forward(in, step).hT();
                float[] dhT = new float[hT.length];
                last = 0;
                for (int k = 0; k < hT.length; k++) {
                    dhT[k] = hT[k] - target[k];
                    last += 0.5 * dhT[k] * dhT[k];
                }
                first = step == 0 ? last : first;
                float[] gradient = training.backward(null, dhT).dParameters().values();
                for (int k = 0; k < gradient.length; k++) {
                    weights.values()[k] -= 0.2f * gradient[k];
                }
                gru.setWeights(weights);
            }
            assertTrue(last < 0.5 * first, "loss " + first + " before, " + last + " after 30 steps");
        }
    }

    @Test
    void backwardNeedsAForwardOfItsOwn() {
        try (Gru gru = gru();
                GruTraining training = gru.training()) {
            assertBackwardRefused(training);
            training.forward(input(), 0);
            training.backward(DY, null);
            assertBackwardRefused(training);
        }
    }

    private static void assertBackwardRefused(GruTraining training) {
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> training.backward(DY, null));
        assertEquals("backward needs a forward before it; each forward has one backward", e.getMessage());
    }

    @Test
    void afterAWrongGradientTheRightOneIsTaken() {
        try (Gru gru = gru();
                GruTraining training = gru.training()) {
            training.forward(input(), 4);
            IllegalArgumentException dy =
                    assertThrows(IllegalArgumentException.class, () -> training.backward(new float[59], null));
            assertEquals("dy has 59 floats; T·B·D·H = 60 floats expected", dy.getMessage());
            IllegalArgumentException dhT =
                    assertThrows(IllegalArgumentException.class, () -> training.backward(null, new float[25]));
            assertEquals("dhT has 25 floats; L·D·B·H = 24 floats expected", dhT.getMessage());
            assertExpected(expected(gru.weights(), 4, DY, DHT), training.backward(DY, DHT));
        }
    }

    @Test
    void anotherThreadIsRefusedByName() throws Exception {
        try (Gru gru = gru();
                GruTraining training = gru.training();
                ExecutorService other = Executors.newSingleThreadExecutor(work -> new Thread(work, "other"))) {
            ExecutionException e = assertThrows(
                    ExecutionException.class, () -> other.submit(() -> training.forward(input(), 0)).get());
            assertEquals(
                    "this GruTraining belongs to thread '" + Thread.currentThread().getName()
                            + "' and was called from 'other'; each thread needs its own",
                    Objects.requireNonNull(e.getCause()).getMessage());
            assertEquals(IllegalStateException.class, e.getCause().getClass());
        }
    }

    @Test
    void aClosedLayerEndsItsTraining() {
        Gru gru = gru();
        GruTraining training = gru.training();
        training.forward(input(), 0);
        gru.close();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> training.backward(DY, null));
        assertEquals("Gru for " + SPEC + " was closed", e.getMessage());
        training.close();
    }

    @Test
    void aClosedTrainingSaysSoAndLeavesTheLayerOpen() {
        try (Gru gru = gru()) {
            GruTraining training = gru.training();
            training.close();
            training.close();
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> training.forward(input(), 0));
            assertEquals("this GruTraining was closed", e.getMessage());
            gru.forward(input());
        }
    }
}
