package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.WeightStorage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

final class SimdWarmupTest {
    private static final WeightStorage FP32 = WeightStorage.FP32;
    private static final GruSpec LARGE = GruSpec.of(512, 512);

    @Test
    void everyWidthVariantAndModeRunsItsTinyCalls() {
        for (SimdKernels kernels : Widths.kernels()) {
            for (GruVariant variant : GruVariant.values()) {
                for (GruPlan.Mode mode : GruPlan.Mode.values()) {
                    String what = Widths.name(kernels) + " " + variant + " " + mode;
                    assertTrue(SimdWarmup.repeat(kernels, 8, FP32, variant, mode, 1_000_000) >= 1, what);
                    assertTrue(SimdWarmup.repeat(kernels, 1, FP32, variant, mode, 1_000_000) >= 1, what + ", one row");
                    assertTrue(
                            SimdWarmup.repeat(kernels, 1, WeightStorage.BF16, variant, mode, 1_000_000) >= 1,
                            what + ", one row, bf16");
                    assertEquals(0, SimdWarmup.repeat(kernels, 8, FP32, variant, mode, -1),
                            what + ", the deadline is over");
                }
            }
        }
    }

    @Test
    void onlyAPlanWhoseFirstCallWouldTakeLongerIsWarmed() {
        SimdKernels kernels = SimdKernels.of(128);
        assertTrue(SimdWarmup.pays(kernels, LARGE, 64, 64));
        assertTrue(SimdWarmup.pays(kernels, LARGE, 1, 64));
        assertFalse(SimdWarmup.pays(kernels, LARGE, 1, 1));
        assertFalse(SimdWarmup.pays(kernels, GruSpec.of(8, 16), 64, 16));
        // Its product does not fit 63 bits.
        assertTrue(SimdWarmup.pays(kernels, LARGE, Integer.MAX_VALUE, Integer.MAX_VALUE));
        assertFalse(SimdWarmup.run(kernels, GruSpec.of(8, 16), 64, 16, GruPlan.Mode.INFERENCE, FP32));
    }

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void itRunsOnceAndNeverWhereItIsSwitchedOff() {
        // Kernels for 16 registers, which no backend on this machine opens unless it has 16.
        SimdKernels kernels = SimdKernels.of(128, 128, "amd64");
        GruSpec spec = LARGE.withVariant(GruVariant.RESET_BEFORE);
        System.setProperty(SimdWarmup.PROPERTY, "false");
        try {
            assertFalse(SimdWarmup.run(kernels, spec, 64, 64, GruPlan.Mode.TRAINING, FP32));
        } finally {
            System.clearProperty(SimdWarmup.PROPERTY);
        }
        assertTrue(SimdWarmup.run(kernels, spec, 64, 64, GruPlan.Mode.TRAINING, FP32));
        assertFalse(SimdWarmup.run(kernels, spec, 64, 64, GruPlan.Mode.TRAINING, FP32));
    }
}
