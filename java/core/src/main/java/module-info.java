/**
 * GRU (gated recurrent unit) layers for the JVM: the public API, the backend interface with its
 * dispatch, the scalar reference backend and weight files.
 */
module dev.gru4j {
    requires static org.jspecify;

    exports dev.gru4j;
    exports dev.gru4j.backend;
    exports dev.gru4j.io;
    exports dev.gru4j.reference;

    uses dev.gru4j.backend.GruBackendProvider;

    provides dev.gru4j.backend.GruBackendProvider with
            dev.gru4j.reference.ReferenceBackendProvider;
}
