package dev.gru4j;

import static dev.gru4j.TestValues.assertSameBits;
import static dev.gru4j.TestValues.narrow;
import static dev.gru4j.TestValues.uniform;
import static dev.gru4j.TestValues.widen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GruTest {
    private static final int T = 7;
    private static final int B = 3;
    private static final GruSpec SPEC = GruSpec.of(4, 5).withLayers(2).withDirections(Directions.BIDIRECTIONAL);

    private static Gru gru(GruSpec spec) {
        return Gru.builder(spec).backend("reference").seed(1).build();
    }

    private static GruInput input() {
        return new GruInput(
                uniform(1, T * B * SPEC.inputSize()),
                T,
                B,
                uniform(2, SPEC.states() * B * SPEC.hiddenSize()),
                new int[] {7, 0, 4});
    }

    private static ReferenceNetwork.Forward expected(Gru gru, GruInput in) {
        float[] h0 = in.h0();
        return new ReferenceNetwork(gru.spec(), Precision.FLOAT, widen(gru.weights().values()))
                .forward(in.T(), in.B(), widen(in.x()), h0 == null ? null : widen(h0), in.lengths(), null);
    }

    private static void assertExpected(Gru gru, GruInput in, GruOutput out) {
        assertSameBits("y", narrow(expected(gru, in).y()), out.y());
        assertSameBits("hT", narrow(expected(gru, in).hT()), out.hT());
    }

    /** {@code host} works on the caller's arrays, {@code device} on memory of its own. */
    private static GruBackend backend(String kind) {
        return kind.equals("host") ? Backends.open("reference", BackendOptions.DEFAULT) : new FakeDeviceBackend();
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "device"})
    void forwardGivesWhatTheReferenceGives(String kind) {
        try (GruBackend backend = backend(kind);
                Gru gru = Gru.builder(SPEC).backend(backend).build()) {
            GruInput in = input();
            assertExpected(gru, in, gru.forward(in));
            GruInput shorter = new GruInput(uniform(3, 2 * 2 * 4), 2, 2);
            assertExpected(gru, shorter, gru.forward(shorter));
            assertExpected(gru, shorter, gru.forward(shorter.x(), 2, 2));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "device"})
    void theCallersArraysServeCallAfterCall(String kind) {
        try (GruBackend backend = backend(kind);
                Gru gru = Gru.builder(SPEC).backend(backend).build()) {
            GruOutput out = GruOutput.of(SPEC, T, B);
            GruInput other = new GruInput(uniform(8, T * B * SPEC.inputSize()), T, B);
            for (GruInput in : List.of(input(), other, input())) {
                Arrays.fill(out.y(), Float.NaN);
                Arrays.fill(out.hT(), Float.NaN);
                gru.forward(in, out);
                assertExpected(gru, in, out);
            }
        }
    }

    @Test
    void aCallThatIsOverKeepsNothingOfTheCallers() throws Exception {
        try (Gru gru = gru(SPEC)) {
            GruInput in = input();
            GruOutput out = GruOutput.of(SPEC, T, B);
            gru.forward(in, out);
            List<WeakReference<Object>> arrays = new ArrayList<>();
            for (Object array : new Object[] {in.x(), in.h0(), in.lengths(), out.y(), out.hT()}) {
                arrays.add(new WeakReference<>(array));
            }
            in = new GruInput(new float[0], 0, 1);
            out = GruOutput.of(SPEC, 0, 1);
            // The collector may take a while to notice, never for ever.
            for (WeakReference<Object> array : arrays) {
                for (int k = 0; k < 100 && array.get() != null; k++) {
                    System.gc();
                    Thread.sleep(10);
                }
                assertNull(array.get(), "array " + arrays.indexOf(array) + " is still held");
            }
            gru.forward(in, out);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "device"})
    void everyKindOfSegmentAndBufferGivesTheSameBits(String kind) {
        try (GruBackend backend = backend(kind);
                Gru gru = Gru.builder(SPEC).backend(backend).build();
                Arena arena = Arena.ofConfined()) {
            GruInput in = input();
            float[] h0 = in.h0();
            GruOutput expected = gru.forward(in);
            int yLength = expected.y().length;
            int hLength = expected.hT().length;

            MemorySegment y = arena.allocate(ValueLayout.JAVA_FLOAT, yLength);
            MemorySegment hT = arena.allocate(ValueLayout.JAVA_FLOAT, hLength);
            MemorySegment nativeX = arena.allocateFrom(ValueLayout.JAVA_FLOAT, in.x());
            MemorySegment readOnlyH0 = h0 == null ? null : MemorySegment.ofArray(h0).asReadOnly();
            gru.forward(nativeX, T, B, readOnlyH0, in.lengths(), y, hT);
            assertSameBits("y, native", expected.y(), y.toArray(ValueLayout.JAVA_FLOAT));
            assertSameBits("hT, native", expected.hT(), hT.toArray(ValueLayout.JAVA_FLOAT));

            // Slices of arrays, one at a float and one between two floats.
            float[] wide = new float[in.x().length + 2];
            System.arraycopy(in.x(), 0, wide, 2, in.x().length);
            byte[] odd = new byte[yLength * Float.BYTES + 1];
            MemorySegment oddY = MemorySegment.ofArray(odd).asSlice(1);
            MemorySegment slicedX = MemorySegment.ofArray(wide).asSlice(2 * Float.BYTES);
            gru.forward(slicedX, T, B, readOnlyH0, in.lengths(), oddY, null);
            assertSameBits("y, slice", expected.y(), oddY.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));

            GruOutput fromZero = gru.forward(in.x(), T, B);
            FloatBuffer directX = ByteBuffer.allocateDirect(in.x().length * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(in.x())
                    .flip();
            float[] yArray = new float[yLength + 3];
            FloatBuffer heapY = FloatBuffer.wrap(yArray, 3, yLength);
            gru.forward(directX, T, B, heapY);
            assertEquals(0, directX.position());
            assertEquals(3, heapY.position());
            assertSameBits("y, buffers", fromZero.y(), Arrays.copyOfRange(yArray, 3, yArray.length));
        }
    }

    @Test
    void withoutStepsTheStateStays() {
        try (Gru gru = gru(SPEC)) {
            float[] h0 = uniform(4, SPEC.states() * 2 * 5);
            GruOutput out = gru.forward(new GruInput(new float[0], 0, 2).withH0(h0));
            assertSameBits("hT", h0, out.hT());
            assertEquals(0, out.y().length);
        }
    }

    @Test
    void manyThreadsGetTheBitsThatOneGets() throws Exception {
        try (Gru gru = gru(SPEC);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<GruInput> inputs = new ArrayList<>();
            List<GruOutput> alone = new ArrayList<>();
            for (int k = 0; k < 24; k++) {
                int steps = 1 + k % 9; // several plans, some of them dropped and made again
                inputs.add(new GruInput(uniform(k, steps * B * 4), steps, B));
                alone.add(gru.forward(inputs.get(k)));
            }
            List<Future<GruOutput>> together = new ArrayList<>();
            for (int k = 0; k < 96; k++) {
                GruInput in = inputs.get(k % 24);
                together.add(threads.submit(() -> gru.forward(in)));
            }
            for (int k = 0; k < 96; k++) {
                assertSameBits("y of call " + k, alone.get(k % 24).y(), together.get(k).get().y());
                assertSameBits("hT of call " + k, alone.get(k % 24).hT(), together.get(k).get().hT());
            }
        }
    }

    @Test
    void aForwardBesideAChangeOfWeightsUsesTheOldOnesOrTheNew() throws Exception {
        GruWeights[] weights = {new GruWeights(SPEC).initialize(1), new GruWeights(SPEC).initialize(2)};
        try (Gru gru = Gru.builder(weights[1]).backend("reference").build();
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            float[] second = gru.forward(input()).y();
            gru.setWeights(weights[0]);
            float[] first = gru.forward(input()).y();
            List<Future<GruOutput>> calls = new ArrayList<>();
            for (int k = 0; k < 60; k++) {
                calls.add(threads.submit(() -> gru.forward(input())));
                gru.setWeights(weights[k % 2]);
            }
            for (Future<GruOutput> call : calls) {
                float[] y = call.get().y();
                assertTrue(Arrays.equals(first, y) || Arrays.equals(second, y),
                        "y of either weights, not of a mixture");
            }
        }
    }

    @Test
    void onlyTheLastPlansAreKept() {
        try (Gru gru = gru(GruSpec.of(1, 1))) {
            for (int steps = 1; steps <= 8; steps++) {
                gru.forward(new float[steps], steps, 1);
            }
            assertEquals(PlanCache.KEPT, gru.plans().size());
            assertTrue(gru.plans().getLast().startsWith("T <= 8, B <= 1: reference"), gru.plans()::toString);
        }
    }

    @Test
    void newWeightsAreUsedByTheNextForward() {
        try (Gru gru = gru(SPEC)) {
            GruInput in = input();
            GruOutput before = gru.forward(in);
            GruWeights weights = new GruWeights(SPEC).initialize(99);
            gru.setWeights(weights);
            assertSameBits("weights", weights.values(), gru.weights().values());
            GruOutput after = gru.forward(in);
            assertExpected(gru, in, after);
            assertFalse(Arrays.equals(before.y(), after.y()));
        }
    }

    @Test
    void weightsOfAnotherSpecificationAreRefused() {
        try (Gru gru = gru(SPEC)) {
            GruSpec other = SPEC.withVariant(GruVariant.RESET_BEFORE);
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> gru.setWeights(new GruWeights(other)));
            assertEquals("weights are of " + other + "; " + SPEC + " expected", e.getMessage());
            gru.setWeights(new GruWeights(SPEC.withDropout(0.5f))); // no matter of weights
        }
    }

    @Test
    @ResourceLock(value = Resources.SYSTEM_PROPERTIES, mode = ResourceAccessMode.READ) // gru4j.backend
    void aSavedLayerLoadsWithTheSameBits(@TempDir Path folder) throws IOException {
        GruInput in = input();
        Path file = folder.resolve("gru.safetensors");
        try (Gru gru = gru(SPEC)) {
            gru.weights().save(file);
            try (Gru loaded = Gru.builder(GruWeights.load(file)).backend("reference").build()) {
                assertEquals(SPEC, loaded.spec());
                assertSameBits("y", gru.forward(in).y(), loaded.forward(in).y());
            }
        }
        try (Gru loaded = Gru.load(file)) {
            assertEquals(SPEC, loaded.spec());
        }
    }

    @Test
    void theBuilderOpensABackendOfThePrecisionAsked() {
        try (Gru gru = Gru.builder(2, 3).backend("reference").precision(ProductPrecision.BF16).build()) {
            assertEquals("reference: scalar loops in float, products in bf16, one thread", gru.description());
        }
    }

    @Test
    void aBackendOfAnotherPrecisionThanAskedIsRefused() {
        try (GruBackend backend = Backends.open("reference", BackendOptions.DEFAULT)) {
            GruBuilder builder = Gru.builder(2, 3).backend(backend).precision(ProductPrecision.TF32X3);
            assertEquals(
                    "precision 3xtf32 was asked for, but backend 'reference' was opened in fp32"
                            + " (open it with BackendOptions.withPrecision)",
                    assertThrows(IllegalStateException.class, builder::build).getMessage());
        }
    }

    @Test
    void theBuilderSetsEveryPartOfTheSpecification() {
        try (Gru gru = Gru.builder(2, 3)
                .layers(4)
                .directions(Directions.REVERSE)
                .variant(GruVariant.RESET_BEFORE)
                .bias(BiasMode.INPUT)
                .dropout(0.5f)
                .seed(6)
                .options(new BackendOptions(1, 0))
                .backend("reference")
                .build()) {
            GruSpec spec =
                    new GruSpec(2, 3, 4, Directions.REVERSE, GruVariant.RESET_BEFORE, BiasMode.INPUT, 0.5f);
            assertEquals(spec, gru.spec());
            assertSameBits(
                    "weights", new GruWeights(spec).initialize(6).values(), gru.weights().values());
            assertEquals("Gru " + spec + " on reference", gru.toString());
        }
    }

    @Test
    void givenWeightsCannotBecomeAnotherSpecification() {
        GruBuilder builder = Gru.builder(new GruWeights(SPEC));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> builder.layers(1));
        assertEquals(
                "the given weights are of " + SPEC + "; they cannot become " + SPEC.withLayers(1), e.getMessage());
    }

    @Test
    void wrongSizesNameTheTensorAndBothNumbers() {
        try (Gru gru = gru(SPEC)) {
            assertRefused("x has 83 floats; T·B·I = 84 floats expected", () -> gru.forward(new float[83], T, B));
            assertRefused(
                    "h0 has 59 floats; L·D·B·H = 60 floats expected",
                    () -> gru.forward(new GruInput(new float[84], T, B).withH0(new float[59])));
            GruInput in = new GruInput(new float[84], T, B);
            assertRefused(
                    "y has 209 floats; T·B·D·H = 210 floats expected",
                    () -> gru.forward(in, new GruOutput(new float[209], new float[60])));
            assertRefused(
                    "hT has 0 floats; L·D·B·H = 60 floats expected",
                    () -> gru.forward(in, new GruOutput(new float[210], new float[0])));
            MemorySegment x = MemorySegment.ofArray(new float[84]);
            assertRefused("y has 7 bytes; T·B·D·H = 210 floats expected", () -> gru.forward(
                    x, T, B, null, null, MemorySegment.ofArray(new byte[7]), null));
            assertRefused("hT has 61 floats; L·D·B·H = 60 floats expected", () -> gru.forward(
                    x, T, B, null, null, null, MemorySegment.ofArray(new float[61])));
            FloatBuffer foreign = ByteBuffer.allocate(84 * Float.BYTES)
                    .order(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                            ? ByteOrder.BIG_ENDIAN
                            : ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer();
            assertRefused(
                    "x has byte order " + foreign.order() + "; the machine's, " + ByteOrder.nativeOrder()
                            + ", expected",
                    () -> gru.forward(foreign, T, B, FloatBuffer.allocate(210)));
            assertRefused("T is -1; 0 or more expected", () -> gru.forward(x, -1, B, null, null, null, null));
            assertRefused("B is 0; at least 1 expected", () -> gru.forward(x, T, 0, null, null, null, null));
            assertRefused(
                    "lengths[1] is 8; 0 to T = 7 expected",
                    () -> gru.forward(new GruInput(new float[84], T, B).withLengths(new int[] {7, 8, 0})));
        }
    }

    @Test
    void anImpossibleLengthIsAnErrorAndNotALackOfMemory() {
        try (Gru gru = gru(SPEC)) {
            assertRefused(
                    "x has 84 floats; T·B·I = 2147483648 floats expected",
                    () -> gru.forward(new float[84], 1 << 29, 1));
            int max = Integer.MAX_VALUE;
            assertRefused(
                    "x of T = 2147483647, B = 2147483647 and width 4 has more than 2^63 - 1 floats",
                    () -> gru.forward(new float[84], max, max));
        }
    }

    @Test
    void aResultBeyondAnArrayIsAnError() {
        long floats = GruShapes.positions("y", 1 << 15, 1, 1 << 16);
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> GruShapes.array("y", floats));
        assertEquals(
                "y needs 2147483648 floats; a float[] holds at most 2147483639: use smaller batches or MemorySegments",
                e.getMessage());
    }

    @Test
    void aClosedLayerSaysSo() {
        Gru gru = gru(SPEC);
        gru.close();
        gru.close();
        for (Runnable use : List.<Runnable>of(
                () -> gru.forward(input()), gru::weights, gru::training, gru::plans,
                () -> gru.setWeights(new GruWeights(SPEC)))) {
            IllegalStateException e = assertThrows(IllegalStateException.class, use::run);
            assertEquals("Gru for " + SPEC + " was closed", e.getMessage());
        }
    }

    @Test
    void closingFreesAllMemoryAndLeavesTheCallersBackendOpen() {
        FakeDeviceBackend backend = new FakeDeviceBackend();
        Gru gru = Gru.builder(SPEC).backend(backend).build();
        for (int steps = 1; steps <= 8; steps++) {
            gru.forward(new float[steps * 4], steps, 1);
        }
        GruTraining training = gru.training();
        training.forward(input(), 0); // its reserve is in use when the layer closes
        try (GruTraining second = gru.training()) {
            second.forward(input(), 0);
            second.backward(null, null);
        }
        assertEquals(PlanCache.KEPT + 1, backend.openPlans.get());
        gru.close();
        assertEquals(0, backend.openPlans.get());
        assertEquals(0, backend.openMemories.get());
        assertFalse(backend.closed);
        backend.close();
    }

    @Test
    void aFailedCallLeavesTheLayerUsable() {
        FakeDeviceBackend backend = new FakeDeviceBackend();
        try (Gru gru = Gru.builder(SPEC).backend(backend).build()) {
            GruInput wrong = input().withLengths(new int[] {1});
            for (int k = 0; k < 3; k++) {
                assertThrows(IllegalArgumentException.class, () -> gru.forward(wrong));
            }
            assertExpected(gru, input(), gru.forward(input()));
            assertEquals(1, backend.plansMade.get());
        }
        assertEquals(0, backend.openMemories.get());
        backend.close();
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
