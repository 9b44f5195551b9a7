/**
 * The GRU backend on the Vector API. Its {@code requires} is not static: on the module path the
 * incubator module is then resolved without any flag.
 */
module dev.gru4j.simd {
    requires dev.gru4j;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    provides dev.gru4j.backend.GruBackendProvider with
            dev.gru4j.simd.SimdBackendProvider;
}
