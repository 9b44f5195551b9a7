package dev.gru4j.benchmarks.comparison;

import dev.gru4j.benchmarks.Machine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a run was made on, for its report. */
final class MachineFacts {
    private MachineFacts() {}

    /**
     * By name, in the order of the report.
     *
     * @param home folder of the project, whose commit it is
     * @param command what repeats the run
     */
    static Map<String, String> of(Path home, String command) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("date", LocalDate.now(ZoneOffset.UTC).toString());
        facts.put("processor", Machine.processor());
        facts.put("processors", String.valueOf(Runtime.getRuntime().availableProcessors()));
        facts.put("caches", caches(Path.of("/sys/devices/system/cpu/cpu0/cache")));
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch"));
        facts.put("JDK", System.getProperty("java.vendor") + " " + Runtime.version());
        facts.put("JVM options", ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-Dgru4j.home="))
                .collect(Collectors.joining(" ")));
        facts.put("commit", commit(home));
        facts.put("command", command);
        facts.replaceAll((name, value) -> value.isBlank() ? "unknown" : value.strip());
        return facts;
    }

    /** {@code L1 data 48K, L1 instruction 32K, L2 unified 1024K, L3 unified 32768K}. */
    private static String caches(Path folder) {
        List<String> caches = new ArrayList<>();
        try (Stream<Path> indices = Files.list(folder)) {
            for (Path index : indices.filter(p -> p.getFileName().toString().startsWith("index")).sorted().toList()) {
                caches.add("L" + Files.readString(index.resolve("level")).strip() + " "
                        + Files.readString(index.resolve("type")).strip().toLowerCase(Locale.ROOT) + " "
                        + Files.readString(index.resolve("size")).strip());
            }
        } catch (IOException e) {
            // Not Linux, or a container that hides it.
            return "";
        }
        return String.join(", ", caches);
    }

    /** The commit of the sources, and whether they differ from it; empty where there is no git. */
    private static String commit(Path home) {
        String commit = git(home, "rev-parse", "--short", "HEAD");
        return commit.isEmpty() || git(home, "status", "--porcelain", "--untracked-files=no").isEmpty()
                ? commit
                : commit + ", with changes";
    }

    private static String git(Path home, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git", "-C", home.toString()));
        command.addAll(List.of(arguments));
        try {
            Process git = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String out = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.waitFor(10, TimeUnit.SECONDS) && git.exitValue() == 0 ? out : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
