package dev.gru4j.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What libraries have to be told about the processor that they do not find out themselves. */
public final class Processor {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private Processor() {}

    /** True for a Zen 4 or newer, as Linux describes it; false where that cannot be read. */
    public static boolean isAmdWithAvx512() {
        try {
            return isAmdWithAvx512(Files.readAllLines(CPU_INFO));
        } catch (IOException e) {
            return false;
        }
    }

    static boolean isAmdWithAvx512(List<String> lines) {
        return lines.stream().anyMatch(l -> l.startsWith("vendor_id") && l.endsWith("AuthenticAMD"))
                && lines.stream().anyMatch(l -> l.startsWith("flags") && (l + " ").contains(" avx512vl "));
    }
}
