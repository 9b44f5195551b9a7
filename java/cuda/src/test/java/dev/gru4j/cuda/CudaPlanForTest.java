package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.WeightStorage;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans for devices that are not there. */
class CudaPlanForTest {
    private static final CudaBackendProvider PROVIDER = new CudaBackendProvider();

    private static PlanReport plan(String device, int T, int B, int I, int H, GruPlan.Mode mode) {
        return PROVIDER.planFor(device, BackendOptions.DEFAULT, GruSpec.of(I, H), T, B, mode);
    }

    private static String fact(PlanReport report, String name) {
        return report.facts().stream()
                .filter(fact -> fact.name().equals(name))
                .map(PlanReport.Fact::value)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no fact '" + name + "' in " + report));
    }

    private static List<String> devices() {
        return PROVIDER.devices();
    }

    @ParameterizedTest
    @MethodSource("devices")
    void everyKnownDeviceIsPlannedForAndSaysThatItWasNotRun(String device) {
        PlanReport report = plan(device, 50, 32, 128, 256, GruPlan.Mode.TRAINING);
        assertTrue(fact(report, "device").startsWith(device + ", sm_"), report::toString);
        assertTrue(fact(report, "device").endsWith("; planned for, not run"), report::toString);
        assertEquals("persistent", report.decisions().getFirst().choice(), report::toString);
    }

    /** Case, blanks and hyphens are what people leave out. */
    @Test
    void aNameMayBeWrittenPlainly() {
        assertEquals(CudaDevices.named("RTX 3090"), CudaDevices.named("rtx-3090"));
        assertEquals(CudaDevices.named("H200"), CudaDevices.named("h200"));
    }

    @Test
    void anUnknownDeviceListsTheKnownOnes() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> plan("H2000", 1, 1, 1, 1, GruPlan.Mode.INFERENCE));
        assertEquals("unknown device 'H2000'; known: " + String.join(", ", devices()), e.getMessage());
    }

    /** The same problem, the same code, other attributes: the RTX 3090 has less than half the shared memory. */
    @Test
    void whatFitsOnOneDeviceIsRefusedOnAnotherWithTheBytes() {
        assertEquals(
                "persistent",
                plan("H200", 50, 32, 128, 1200, GruPlan.Mode.TRAINING).decisions().getFirst().choice());
        PlanReport.Decision kernels =
                plan("RTX 3090", 50, 32, 128, 1200, GruPlan.Mode.TRAINING).decisions().getFirst();
        assertEquals("stepwise", kernels.choice());
        assertTrue(kernels.refused().getFirst().reason().contains("shared memory in each block; at most 101376"),
                kernels::toString);
    }

    @Test
    void whatIsAskedForAndCannotBeIsAnError() {
        BackendOptions persistent = BackendOptions.DEFAULT.withKernels(KernelFamily.PERSISTENT);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> PROVIDER.planFor("H200", persistent, GruSpec.of(1, 4096), 5, 1, GruPlan.Mode.INFERENCE));
        assertEquals(
                "persistent kernels were asked for, but H = 4096 needs blocks of 32 units on 132 multiprocessors; "
                        + "at most 16 expected",
                e.getMessage());
    }

    @Test
    void aPlanNamesItsPrecisionAndADeviceThatLacksItIsRefused() {
        BackendOptions bf16 = BackendOptions.DEFAULT.withPrecision(ProductPrecision.BF16);
        GruSpec spec = GruSpec.of(3, 5);
        PlanReport report = PROVIDER.planFor("A100", bf16, spec, 5, 1, GruPlan.Mode.INFERENCE);
        assertEquals("bf16", fact(report, "precision"));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> PROVIDER.planFor("T4", bf16, spec, 5, 1, GruPlan.Mode.INFERENCE));
        assertEquals(
                "T4 has compute capability 7.5; 8.0 or newer expected for bf16 (use fp32, or a GPU of the Ampere"
                        + " generation (2020) or newer)",
                e.getMessage());
    }

    @Test
    void recurrentWeightsInBf16AreRefused() {
        BackendOptions rounded = BackendOptions.DEFAULT.withRecurrentWeights(WeightStorage.BF16);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> PROVIDER.planFor("H200", rounded, GruSpec.of(3, 5), 5, 1, GruPlan.Mode.INFERENCE));
        assertEquals(
                "it keeps recurrent weights in fp32 only, not in bf16 (use the simd or the reference backend, or"
                        + " precision bf16)",
                e.getMessage());
    }

    @Test
    void everyPrecisionIsPlannedForWhereTheDeviceHasIt() {
        for (ProductPrecision precision : ProductPrecision.values()) {
            BackendOptions options = BackendOptions.DEFAULT.withPrecision(precision);
            PlanReport report =
                    PROVIDER.planFor("A100", options, GruSpec.of(64, 128), 5, 4, GruPlan.Mode.TRAINING);
            assertEquals(precision.toString(), fact(report, "precision"));
            // cuBLAS has nothing like 3xtf32.
            boolean hasLibrary = precision != ProductPrecision.TF32X3;
            assertEquals(hasLibrary, fact(report, "input projection").startsWith("by the library"));
            assertEquals(hasLibrary, fact(report, "library").startsWith("large products by cuBLAS"));
        }
        BackendOptions bf16 = BackendOptions.DEFAULT.withPrecision(ProductPrecision.BF16);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> PROVIDER.planFor("T4", bf16, GruSpec.of(64, 128), 5, 4, GruPlan.Mode.TRAINING));
        assertTrue(
                String.valueOf(e.getMessage()).startsWith(
                        "T4 has compute capability 7.5; 8.0 or newer expected for bf16"),
                String.valueOf(e.getMessage()));
    }

    @Test
    void aPlanBeyondTheDevicesMemorySaysSo() {
        PlanReport report = plan("RTX 3090", 5000, 1000, 128, 512, GruPlan.Mode.TRAINING);
        assertTrue(fact(report, "device memory").endsWith(": too much"), report::toString);
    }

    /** A plan that is made says what the same plan says without a device, but for the device and its library. */
    @Test
    void aPlanOnTheEmulatorReportsTheBytesItAllocates() {
        Emulator.assumeBuilt();
        try (GruBackend backend = Emulator.backend();
                GruPlan plan = backend.plan(GruSpec.of(3, 5), 4, 2, GruPlan.Mode.TRAINING)) {
            PlanReport report = plan.report();
            assertEquals(4 * plan.workspaceLength(), report.workspaceBytes());
            assertEquals(4 * plan.reserveLength(), report.reserveBytes());
            assertEquals(4 * plan.parameters().length(), report.parameterBytes());
            PlanReport elsewhere = plan("H200", 4, 2, 3, 5, GruPlan.Mode.TRAINING);
            assertEquals(elsewhere.decisions(), report.decisions());
            assertEquals(elsewhere.workspaceBytes(), report.workspaceBytes());
            assertEquals(elsewhere.reserveBytes(), report.reserveBytes());
            assertEquals(report.line(), plan.description());
        }
    }
}
