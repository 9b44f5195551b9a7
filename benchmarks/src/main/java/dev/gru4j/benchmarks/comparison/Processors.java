package dev.gru4j.benchmarks.comparison;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which processors workers run on. */
final class Processors {
    private Processors() {}

    /**
     * Where workers of so many threads are pinned: to the last processors that this process may use, as taskset takes
     * them; empty, which is anywhere, without taskset or where all are needed anyway.
     */
    static String coresFor(int threads) throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!hasTaskset() || !Files.isReadable(status)) {
            return "";
        }
        String allowed;
        try (Stream<String> lines = Files.lines(status)) {
            allowed = lines.filter(l -> l.startsWith("Cpus_allowed_list:")).findFirst().orElse("");
        }
        return last(threads, parse(allowed.substring(allowed.indexOf(':') + 1).strip()));
    }

    private static boolean hasTaskset() {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            if (Files.isExecutable(Path.of(folder, "taskset"))) {
                return true;
            }
        }
        return false;
    }

    static String last(int threads, List<Integer> allowed) {
        return threads >= allowed.size()
                ? ""
                : allowed.subList(allowed.size() - threads, allowed.size()).stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(","));
    }

    /** {@code 0-2,5} is 0, 1, 2, 5. */
    static List<Integer> parse(String list) {
        List<Integer> result = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            if (!part.isEmpty()) {
                String[] ends = part.split("-", 2);
                for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                    result.add(i);
                }
            }
        }
        return result;
    }
}
