package dev.gru4j.cli;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.ProductPrecision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/** Lists every backend: what it runs on here, or why it cannot and what would change that. */
@Command(name = "backends", description = "Show each backend, available or why not, and this machine.")
final class BackendsCommand implements Callable<Integer> {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private final Terminal terminal;

    BackendsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        String forced = System.getProperty(Backends.PROPERTY, "");
        boolean chosen = false;
        for (GruBackendProvider provider : Backends.all()) {
            Availability availability = provider.availability();
            if (!availability.isAvailable()) {
                terminal.print("%-10s not available: %s", provider.name(), availability.reason());
                terminal.print("%-10s remedy: %s", "", availability.remedy());
                continue;
            }
            boolean used = forced.isEmpty() ? !chosen : forced.equals(provider.name());
            chosen |= used;
            try (GruBackend backend = provider.open(BackendOptions.DEFAULT)) {
                terminal.print(
                        "%-10s available: %s%s", provider.name(), backend.description(), used ? "  <- used" : "");
            }
            terminal.print(
                    "%-10s precisions: %s",
                    "",
                    provider.precisions().stream().map(ProductPrecision::toString).collect(Collectors.joining(", ")));
        }
        terminal.print("");
        if (!forced.isEmpty()) {
            terminal.print("%-10s -D%s=%s", "forced", Backends.PROPERTY, forced);
        }
        terminal.print(
                "%-10s %s (%s)", "JDK", Runtime.version(), System.getProperty("java.vm.name"));
        terminal.print(
                "%-10s %s, %d processors",
                "CPU", cpu(), Runtime.getRuntime().availableProcessors());
        return 0;
    }

    /** The processor's name where the system tells it, else its architecture. */
    private static String cpu() {
        String architecture = System.getProperty("os.arch", "unknown");
        if (!Files.isReadable(CPU_INFO)) {
            return Objects.requireNonNullElse(System.getenv("PROCESSOR_IDENTIFIER"), architecture);
        }
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(architecture);
        } catch (IOException e) {
            return architecture;
        }
    }
}
