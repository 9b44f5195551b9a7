package dev.gru4j.backend;

import dev.gru4j.GruSpec;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The entry of a backend, found through {@link java.util.ServiceLoader}. Loading it and asking
 * {@link #availability()} must work on a machine that lacks everything the backend needs.
 */
public interface GruBackendProvider {
    /** {@code cuda}, {@code simd} or {@code reference}: what {@code -Dgru4j.backend} names. */
    String name();

    /**
     * Whether {@link #open} would succeed with these options; a precision may be missing where fp32 is there. Cheap,
     * never throws.
     */
    Availability availability(BackendOptions options);

    /** {@link #availability(BackendOptions)} with everything left to the backend. */
    default Availability availability() {
        return availability(BackendOptions.DEFAULT);
    }

    /** The precisions in which it can run here, in the order of {@link ProductPrecision}. */
    default Set<ProductPrecision> precisions() {
        Set<ProductPrecision> available = EnumSet.noneOf(ProductPrecision.class);
        for (ProductPrecision precision : ProductPrecision.values()) {
            if (availability(BackendOptions.DEFAULT.withPrecision(precision)).isAvailable()) {
                available.add(precision);
            }
        }
        return available;
    }

    /**
     * A new backend; the caller closes it.
     *
     * @throws IllegalStateException if unavailable with these options, with the reason and the remedy
     */
    GruBackend open(BackendOptions options);

    /** Names of devices that {@link #planFor} knows; empty where a backend plans for the machine it runs on, and no other. */
    default List<String> devices() {
        return List.of();
    }

    /**
     * What {@link GruBackend#plan} would decide on a device that need not be there: nothing is opened, allocated or run,
     * and the backend need not be available.
     *
     * @param device one of {@link #devices}
     * @throws IllegalArgumentException if it is unknown, or such a plan is impossible on it; with the reason
     */
    default PlanReport planFor(
            String device, BackendOptions options, GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        throw new IllegalArgumentException("device is '" + device + "'; backend '" + name()
                + "' plans for the machine it runs on, and no other");
    }
}
