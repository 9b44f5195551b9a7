package dev.gru4j.backend;

/** A provider on a machine that lacks a class it needs. Named only in a service file that a test writes. */
public final class UnlinkableProvider implements GruBackendProvider {
    public UnlinkableProvider() {
        throw new NoClassDefFoundError("vendor/driver/Api");
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public Availability availability(BackendOptions options) {
        return Availability.available();
    }

    @Override
    public GruBackend open(BackendOptions options) {
        throw new IllegalStateException("cannot be made");
    }
}
