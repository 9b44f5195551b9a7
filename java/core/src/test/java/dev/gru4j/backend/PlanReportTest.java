package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.GruSpec;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every backend's report has, whoever explains. */
class PlanReportTest {
    private static final GruSpec SPEC = GruSpec.of(2, 3);

    private static PlanReport.Builder builder() {
        return new PlanReport.Builder("cuda")
                .decision("kernels", "persistent", "they fit", List.of(new PlanReport.Refusal("stepwise", "slower")))
                .fact("tiles", "8x32");
    }

    @Test
    void theLineTellsTheChoiceTheFactsAndTheBytesButNothingRefused() {
        assertEquals(
                "cuda: I2 H3 L1 FORWARD RESET_AFTER bias BOTH, kernels persistent (they fit), tiles 8x32, "
                        + "28 bytes of workspace and 4294967296 of reserve for T = 5 and B = 4",
                builder().build(SPEC, 5, 4, GruPlan.Mode.TRAINING, 7, 1L << 30).line());
    }

    @Test
    void bytesAreThoseOfFloats() {
        PlanReport report = builder().build(SPEC, 5, 4, GruPlan.Mode.TRAINING, 7, 11);
        assertEquals(4 * (3 * 3 * (2 + 3) + 6 * 3), report.parameterBytes());
        assertEquals(28, report.workspaceBytes());
        assertEquals(44, report.reserveBytes());
    }

    @Test
    void sizesThatNoPlanCanHaveAreRefused() {
        assertEquals(
                "maxT is -1; 0 or more expected",
                assertThrows(
                        IllegalArgumentException.class,
                        () -> builder().build(SPEC, -1, 4, GruPlan.Mode.INFERENCE, 0, 0)).getMessage());
        assertEquals(
                "maxB is 0; at least 1 expected",
                assertThrows(
                        IllegalArgumentException.class,
                        () -> builder().build(SPEC, 5, 0, GruPlan.Mode.INFERENCE, 0, 0)).getMessage());
        assertEquals(
                "workspace of 4611686018427387904 floats; its bytes overflow 64 bits",
                assertThrows(
                        IllegalArgumentException.class,
                        () -> builder().build(SPEC, 5, 4, GruPlan.Mode.INFERENCE, 1L << 62, 0)).getMessage());
    }

    @Test
    void aBackendWithoutDevicesToNamePlansForItsOwnMachineOnly() {
        GruBackendProvider reference = Backends.named("reference");
        assertEquals(List.of(), reference.devices());
        assertEquals(
                "device is 'H200'; backend 'reference' plans for the machine it runs on, and no other",
                assertThrows(
                        IllegalArgumentException.class,
                        () -> reference.planFor(
                                "H200", BackendOptions.DEFAULT, SPEC, 5, 4, GruPlan.Mode.TRAINING))
                        .getMessage());
    }
}
