package dev.gru4j.backend;

/**
 * The entry of a backend, found through {@link java.util.ServiceLoader}. Loading it and asking
 * {@link #availability()} must work on a machine that lacks everything the backend needs.
 */
public interface GruBackendProvider {
    /** {@code cuda}, {@code simd} or {@code reference}: what {@code -Dgru4j.backend} names. */
    String name();

    /** Whether {@link #open} would succeed. Cheap, never throws. */
    Availability availability();

    /**
     * A new backend; the caller closes it.
     *
     * @throws IllegalStateException if unavailable, with the reason and the remedy
     */
    GruBackend open(BackendOptions options);
}
