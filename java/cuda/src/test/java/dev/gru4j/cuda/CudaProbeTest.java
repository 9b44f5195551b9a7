package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.driver.JCudaLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Everything that can be missing is one line with its remedy. */
class CudaProbeTest {
    private static final String SIMD = "or use the simd backend, which needs no GPU";

    @BeforeEach
    void needsTheEmulator() {
        Emulator.assumeBuilt();
    }

    @AfterEach
    void restore() {
        Emulator.reset();
    }

    @Test
    void withoutADriverSaysWhichLibraryIsMissing() {
        assertEquals(
                Availability.unavailable(
                        "libcuda-of-nobody.so.1 was not found: no NVIDIA driver on this machine",
                        "install the NVIDIA driver, 525 or newer, " + SIMD),
                CudaProbe.platform("libcuda-of-nobody.so.1"));
    }

    @Test
    void anOldDriverIsRefusedWithBothVersions() {
        Emulator.set("driver_version", 11080);
        assertEquals(
                Availability.unavailable(
                        "the NVIDIA driver supports CUDA 11.8; 12.0 or newer expected",
                        "install NVIDIA driver 525 or newer, " + SIMD),
                probe());
    }

    @Test
    void withoutADeviceSaysWhereToLook() {
        Emulator.set("devices", 0);
        assertEquals(
                Availability.unavailable(
                        "the NVIDIA driver finds no GPU", "check nvidia-smi and CUDA_VISIBLE_DEVICES, " + SIMD),
                probe());
    }

    @Test
    void anOldDeviceIsRefusedWithItsComputeCapability() {
        Emulator.set("compute_major", 7);
        Emulator.set("compute_minor", 0);
        Availability found = probe();
        assertTrue(
                String.valueOf(found.reason()).endsWith(" has compute capability 7.0; 7.5 or newer expected"),
                found::toString);
        assertEquals("use a GPU of the Turing generation (2018) or newer, " + SIMD, found.remedy());
    }

    @Test
    void aBrokenDriverIsNamedByItsOwnError() {
        Emulator.fail("cuInit", 1, 803);
        assertEquals(
                Availability.unavailable(
                        "the NVIDIA driver answers CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
                        "check that nvidia-smi works, " + SIMD),
                probe());
    }

    @Test
    void aDeviceThatCannotBeAskedIsNamedByTheError() {
        Emulator.fail("cuDeviceGetAttribute", 1, 999);
        Availability found = probe();
        assertTrue(String.valueOf(found.reason()).contains("CUDA_ERROR_UNKNOWN"), found::toString);
    }

    /** Turing has tensor cores, but none for tf32 and bf16. */
    @ParameterizedTest
    @EnumSource(ProductPrecision.class)
    void aReducedPrecisionNeedsAnAmpere(ProductPrecision precision) {
        assertEquals(Availability.available(), CudaBackendProvider.precisionOn(device(80), precision));
        Availability expected = precision == ProductPrecision.FP32
                ? Availability.available()
                : Availability.unavailable(
                        "GPU has compute capability 7.5; 8.0 or newer expected for " + precision,
                        "use fp32, or a GPU of the Ampere generation (2020) or newer");
        assertEquals(expected, CudaBackendProvider.precisionOn(device(75), precision));
    }

    /** The property stands for what the options leave open; a name that is none makes the backend unavailable. */
    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void thePrecisionIsThatOfTheOptionsOrElseOfTheProperty() {
        CudaBackendProvider provider = new CudaBackendProvider();
        System.setProperty(CudaBackendProvider.PRECISION_PROPERTY, "bf61");
        try {
            String reason = "gru4j.cuda.precision: precision is 'bf61'; fp32, tf32, 3xtf32, bf16 or fp16 expected";
            assertEquals(
                    Availability.unavailable(reason, "correct the property or leave it out"), provider.availability());
            assertEquals(
                    reason,
                    assertThrows(IllegalArgumentException.class, () -> provider.open(BackendOptions.DEFAULT).close())
                            .getMessage());
            BackendOptions tf32 = BackendOptions.DEFAULT.withPrecision(ProductPrecision.TF32);
            assertEquals(Availability.available(), provider.availability(tf32));
        } finally {
            System.clearProperty(CudaBackendProvider.PRECISION_PROPERTY);
        }
    }

    @ParameterizedTest
    @EnumSource(ProductPrecision.class)
    void aBackendSaysItsPrecision(ProductPrecision precision) {
        try (GruBackend backend =
                new CudaBackendProvider().open(BackendOptions.DEFAULT.withPrecision(precision))) {
            assertEquals(precision, backend.precision());
            assertTrue(backend.description().contains(": products in " + precision + " on "), backend.description());
        }
    }

    @Test
    void withoutKernelsSaysWhyTheBuildHasNone() {
        Availability found = CudaProbe.packed(device(90), null, false).availability();
        assertEquals("there are no kernels for GPU in this build (" + CudaImage.reason() + ")", found.reason());
        assertEquals(
                "build again where nvcc is installed (CUDA toolkit 12.8 or newer), " + SIMD, found.remedy());
    }

    @Test
    void ofJCudasStackTracesOnlyTheCauseIsTold() {
        LinkageError e = new UnsatisfiedLinkError("""
                Error while loading native library "JCudaDriver-12.6.0-linux-x86_64"
                ---(start of nested stack traces)---
                Stack trace from the attempt to load the library as a file:
                java.lang.UnsatisfiedLinkError: /tmp/x/libJCudaDriver.so: failed to map segment
                \tat java.base/java.lang.ClassLoader.load(ClassLoader.java)
                """);
        assertEquals("/tmp/x/libJCudaDriver.so: failed to map segment", CudaProbe.cause(e));
        assertEquals("no class", CudaProbe.cause(new NoClassDefFoundError("no class")));
    }

    @Test
    void theEmulatorIsNeverTakenForAGpu() {
        try (var backend = Emulator.backend()) {
            assertEquals("cuda", backend.name());
            assertTrue(backend.description().startsWith("cuda (emulated, no GPU): "), backend.description());
        }
    }

    private static CudaDevice device(int capability) {
        return new CudaDevice(
                "GPU", capability, 13000, 1 << 30, 132, 1024, 49152, 232448, true, Integer.MAX_VALUE);
    }

    private static Availability probe() {
        return CudaProbe.probe(JCudaLoader::load, true).availability();
    }
}
