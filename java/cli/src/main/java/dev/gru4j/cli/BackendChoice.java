package dev.gru4j.cli;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.ProductPrecision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that choose where the arithmetic is done. No result depends on {@code --threads}. */
final class BackendChoice {
    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "cuda, simd or reference; without it the first of these that can run.")
    private @Nullable String name;

    @Option(names = "--threads", paramLabel = "N", description = "CPU threads; without it one per processor.")
    private int threads;

    /** Opens it in a precision and says which it is. */
    GruBackend open(Terminal terminal, ProductPrecision precision) {
        return open(terminal, options().withPrecision(precision));
    }

    /** The same with these options. */
    GruBackend open(Terminal terminal, BackendOptions options) {
        ProductPrecision precision = options.precision();
        GruBackend backend = open(options);
        if (backend.precision() != precision) {
            String found = "backend '" + backend.name() + "' computes in " + backend.precision() + ", as a property of"
                    + " its own says; this command in " + precision + " (say --precision " + backend.precision()
                    + " or leave the property out)";
            backend.close();
            throw new UsageException(found);
        }
        terminal.print("backend  %s", backend.description());
        if (name == null && backend.name().equals("reference")) {
            Availability simd = Backends.named("simd").availability(options);
            if (!simd.isAvailable()) {
                terminal.remark("simd, many times as fast, is not used: %s", simd);
            }
        }
        return backend;
    }

    /** What the options ask for; the rest is left to the backend. */
    BackendOptions options() {
        if (threads < 0) {
            throw new UsageException("--threads is " + threads + "; 1 or more expected");
        }
        return BackendOptions.DEFAULT.withThreads(threads);
    }

    /** The backend that is named, or the best that can run. */
    GruBackend open(BackendOptions options) {
        String chosen = name;
        return chosen == null ? Backends.open(options) : Backends.open(provider(chosen).name(), options);
    }

    /** The entry of the backend that is named, or of {@code fallback}; it need not be able to run. */
    GruBackendProvider provider(String fallback) {
        try {
            return Backends.named(name == null ? fallback : name);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
