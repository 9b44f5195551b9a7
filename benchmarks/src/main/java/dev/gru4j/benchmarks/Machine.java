package dev.gru4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What a number was measured on. */
public final class Machine {
    private Machine() {}

    /** {@code AMD EPYC 9654, 2 processors, JDK 25.0.3+9, Linux}. */
    public static String description() {
        return processor() + ", " + Runtime.getRuntime().availableProcessors() + " processors, JDK "
                + Runtime.version() + ", " + System.getProperty("os.name");
    }

    /** {@code AMD EPYC 9654}; the architecture where the processor has no name. */
    public static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(l -> l.startsWith("model name"))
                    .findFirst()
                    .map(l -> l.substring(l.indexOf(':') + 1).strip())
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            // Not Linux: the architecture has to do.
            return System.getProperty("os.arch");
        }
    }
}
