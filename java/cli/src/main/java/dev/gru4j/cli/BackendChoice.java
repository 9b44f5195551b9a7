package dev.gru4j.cli;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
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

    /** Opens it and says which it is. */
    GruBackend open(Terminal terminal) {
        if (threads < 0) {
            throw new UsageException("--threads is " + threads + "; 1 or more expected");
        }
        BackendOptions options = BackendOptions.DEFAULT.withThreads(threads);
        GruBackend backend = name == null ? Backends.open(options) : open(name, options);
        terminal.print("backend  %s", backend.description());
        if (name == null && backend.name().equals("reference")) {
            Availability simd = Backends.named("simd").availability();
            if (!simd.isAvailable()) {
                terminal.remark("simd, many times as fast, is not used: %s", simd);
            }
        }
        return backend;
    }

    private static GruBackend open(String name, BackendOptions options) {
        try {
            Backends.named(name);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
        return Backends.open(name, options);
    }
}
