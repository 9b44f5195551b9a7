package dev.gru4j.reference;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;

/** Entry of the reference backend: available everywhere, in every precision. */
public final class ReferenceBackendProvider implements GruBackendProvider {
    /** For {@link java.util.ServiceLoader}. */
    public ReferenceBackendProvider() {}

    @Override
    public String name() {
        return ReferenceBackend.NAME;
    }

    @Override
    public Availability availability(BackendOptions options) {
        return Availability.available();
    }

    @Override
    public GruBackend open(BackendOptions options) {
        return new ReferenceBackend(options.precision(), options.recurrentWeights());
    }
}
