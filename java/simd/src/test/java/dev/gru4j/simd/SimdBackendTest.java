package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class SimdBackendTest {
    @Test
    void isFoundByDispatchAndAvailable() {
        GruBackendProvider provider = Backends.named("simd");
        assertEquals(SimdBackendProvider.class, provider.getClass());
        assertTrue(provider.availability().isAvailable());
    }

    @Test
    void aPrecisionItLacksIsRefusedInOneSentence() {
        GruBackendProvider provider = Backends.named("simd");
        assertEquals(Set.of(ProductPrecision.FP32), provider.precisions());
        BackendOptions options = BackendOptions.DEFAULT.withPrecision(ProductPrecision.BF16);
        String reason =
                "its products are in fp32 only, not in bf16 (use the cuda backend on a GPU of compute capability"
                        + " 8.0 or newer, or the reference backend)";
        IllegalStateException asked = assertThrows(
                IllegalStateException.class, () -> Backends.open("simd", options).close());
        assertEquals("backend 'simd' was requested but is unavailable: " + reason, asked.getMessage());
        IllegalStateException direct = assertThrows(
                IllegalStateException.class, () -> provider.open(options).close());
        assertEquals("backend 'simd' is unavailable: " + reason, direct.getMessage());
    }

    /** simd comes first, but lacks the precision. */
    @Test
    void withoutANameAPrecisionIsOpenedOnABackendThatHasIt() {
        try (GruBackend backend = Backends.open(BackendOptions.DEFAULT.withPrecision(ProductPrecision.FP16));
                GruBackend single = Backends.open()) {
            assertEquals("reference", backend.name());
            assertEquals(ProductPrecision.FP16, backend.precision());
            assertEquals("simd", single.name());
        }
    }

    /** In a JVM of its own, started without the flag. */
    @Test
    void withoutTheIncubatorModuleSaysWhichFlagBringsIt() throws Exception {
        String classPath = String.join(
                File.pathSeparator, location(Backends.class), location(SimdBackendProvider.class),
                location(WithoutIncubator.class));
        Process java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", classPath, WithoutIncubator.class.getName())
                // The log says the same there.
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(java.waitFor(60, TimeUnit.SECONDS));
        Availability expected = Availability.unavailable(
                "module jdk.incubator.vector is not loaded", "start java with --add-modules jdk.incubator.vector");
        assertEquals(
                "simd " + expected + System.lineSeparator() + "opens reference" + System.lineSeparator(), output);
    }

    private static String location(Class<?> type) {
        String name = "/" + type.getName().replace('.', '/') + ".class";
        String url = String.valueOf(type.getResource(name));
        String root = url.substring(0, url.length() - name.length());
        return root.startsWith("jar:")
                ? Path.of(URI.create(root.substring("jar:".length(), root.indexOf('!')))).toString()
                : Path.of(URI.create(root)).toString();
    }

    @Test
    void refusesVectorsThatTheProcessorDoesNotHave() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> SimdKernels.of(512, 256, "amd64"));
        assertEquals(
                "vectorBits is 512; this processor and JVM run vectors of up to 256 bits", e.getMessage());
    }

    @Test
    void takesTheWidestVectorsAndTheTilesThatFitTheRegisters() {
        assertEquals(256, SimdKernels.of(0, 256, "amd64").bits);
        assertEquals(new SimdShape(1, 3, 3, 4), SimdKernels.of(0, 256, "amd64").shape);
        assertEquals(new SimdShape(2, 4, 2, 8), SimdKernels.of(0, 512, "amd64").shape);
        assertEquals(new SimdShape(2, 4, 2, 8), SimdKernels.of(0, 128, "aarch64").shape);
    }

    @Test
    void allWidthsWorkSideBySide() {
        Problem problem = new Problem(GruSpec.of(9, 30), new GruShape(3, 5, 9, 30), null, 61);
        for (int bits : Widths.available()) {
            try (GruBackend backend = SimdBackend.open(new BackendOptions(1, bits))) {
                assertEquals(
                        "simd: " + bits + "-bit vectors (" + bits / 32 + " floats), 1 thread", backend.description());
                problem.solve(backend);
            }
        }
    }

    /** As on a processor with 256 bits. */
    @Test
    void aPlanSaysWhyItRefusedTheOtherWidthsAndDivisions() {
        SimdKernels kernels = SimdKernels.of(128);
        SimdGeometry geometry = new SimdGeometry(10, kernels);
        GruSpec spec = GruSpec.of(3, 10);
        PlanReport few = SimdExplanation.of(kernels, geometry, 4, 4, 63, 256)
                .build(spec, 4, 63, GruPlan.Mode.INFERENCE, 0, 0);
        assertEquals(
                new PlanReport.Decision(
                        "kernels",
                        "128-bit vectors",
                        "asked for",
                        List.of(
                                new PlanReport.Refusal(
                                        "512-bit vectors", "this processor and JVM run vectors of up to 256 bits"),
                                new PlanReport.Refusal("256-bit vectors", "a narrower width was asked for"))),
                few.decisions().get(0));
        String found = "B = 63; from 64 on every thread has 16 rows or more of its own";
        assertEquals(
                new PlanReport.Decision(
                        "threads",
                        "4, split by hidden units",
                        found,
                        List.of(new PlanReport.Refusal("split by rows", found))),
                few.decisions().get(1));
        PlanReport many = SimdExplanation.of(kernels, geometry, 4, 4, 64, 128)
                .build(spec, 4, 64, GruPlan.Mode.INFERENCE, 0, 0);
        assertEquals("the widest this processor runs well", many.decisions().get(0).reason());
        assertEquals("4, split by rows", many.decisions().get(1).choice());
        PlanReport alone = SimdExplanation.of(kernels, geometry, 4, 1, 64, 128)
                .build(spec, 4, 64, GruPlan.Mode.INFERENCE, 0, 0);
        assertEquals("1", alone.decisions().get(1).choice());
        assertEquals("up to 4", alone.decisions().get(1).refused().getFirst().alternative());
    }

    @Test
    void aPlanSaysWhatItChose() {
        try (GruBackend backend = SimdBackend.open(new BackendOptions(2, 128));
                GruPlan plan = backend.plan(GruSpec.of(3, 10), 40, 64, GruPlan.Mode.INFERENCE)) {
            String line = plan.description();
            assertTrue(line.startsWith("simd: I3 H10 L1 FORWARD RESET_AFTER bias BOTH, kernels 128-bit vectors ("),
                    line);
            assertTrue(line.contains(", threads 2, split by rows (B = 64; from 32 on "), line);
            assertTrue(line.contains(", padding of H to 12, whole vectors of 4 lanes"), line);
            assertTrue(line.endsWith(" of reserve for T = 40 and B = 64"), line);
        }
    }

    @Test
    void anythingAfterClosingFails() {
        GruBackend backend = SimdBackend.open(new BackendOptions(2, 0));
        GruPlan plan = backend.plan(GruSpec.of(3, 4), 2, 2, GruPlan.Mode.INFERENCE);
        plan.loadParameters(Problem.filled(new float[(int) plan.parameters().length()]));
        FloatMemory x = Problem.filled(new float[2 * 2 * 3]);
        GruCall call = new GruCall().shape(2, 2).x(x).workspace(Problem.poisoned(plan.workspaceLength()));
        plan.forward(call);
        plan.close();
        assertThrows(IllegalStateException.class, () -> plan.forward(call));
        plan.close();
        backend.close();
        backend.close();
        assertThrows(IllegalStateException.class, () -> backend.allocate(1));
        assertThrows(
                IllegalStateException.class, () -> backend.plan(GruSpec.of(3, 4), 2, 2, GruPlan.Mode.INFERENCE));
    }

    @Test
    void memoryOfAnotherBackendIsNamed() {
        try (GruBackend backend = SimdBackend.open(new BackendOptions(1, 0));
                GruPlan plan = backend.plan(GruSpec.of(1, 1), 1, 1, GruPlan.Mode.INFERENCE)) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> plan.loadParameters(new ForeignMemory(12)));
            assertEquals(
                    "parameters lies in ForeignMemory; host memory of a CPU backend expected", e.getMessage());
        }
    }
}
