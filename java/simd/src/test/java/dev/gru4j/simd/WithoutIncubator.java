package dev.gru4j.simd;

import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;

/** What {@link SimdBackendTest} runs in a JVM that was started without the incubator module. */
final class WithoutIncubator {
    private WithoutIncubator() {}

    public static void main(String[] args) {
        System.out.println("simd " + Backends.named("simd").availability());
        try (GruBackend backend = Backends.open()) {
            System.out.println("opens " + backend.name());
        }
    }
}
