package dev.gru4j.simd;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.ProductPrecision;

/**
 * The entry of the simd backend. Names no class of the incubator module, so that it loads without it;
 * {@link SimdBackend} is linked only after the check.
 */
public final class SimdBackendProvider implements GruBackendProvider {
    /** The module that java starts without unless it is told otherwise. */
    private static final String MODULE = "jdk.incubator.vector";

    @Override
    public String name() {
        return "simd";
    }

    @Override
    public Availability availability(BackendOptions options) {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return Availability.unavailable(
                    "module " + MODULE + " is not loaded", "start java with --add-modules " + MODULE);
        }
        if (options.precision() != ProductPrecision.FP32) {
            return Availability.unavailable(
                    "its products are in fp32 only, not in " + options.precision(),
                    "use the cuda backend on a GPU of compute capability 8.0 or newer, or the reference backend");
        }
        return Availability.available();
    }

    @Override
    public GruBackend open(BackendOptions options) {
        Availability availability = availability(options);
        if (!availability.isAvailable()) {
            throw new IllegalStateException("backend 'simd' is unavailable: " + availability);
        }
        return SimdBackend.open(options);
    }
}
