package dev.gru4j.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the two files of a run of {@code ci/gpu} out of what its programs printed: {@code results.json} with
 * everything, {@code README.md} with the tables. Runs after every part, so that a run that is cut short
 * leaves what it had.
 *
 * <p>{@code java … RunReport LOG OUT NAME=VALUE…}: LOG holds the lines of {@link Measures} among others, the
 * pairs head the report (commit, date, gpu).
 */
public final class RunReport {
    private static final String PREFIX = "measure\t";

    private final Map<String, String> head;
    private final List<Map<String, String>> measures;

    private RunReport(Map<String, String> head, List<Map<String, String>> measures) {
        this.head = head;
        this.measures = measures;
    }

    public static void main(String[] args) throws IOException {
        if (args.length < 2) {
            throw new IllegalArgumentException(args.length + " arguments; LOG OUT NAME=VALUE… expected");
        }
        List<Map<String, String>> measures = new ArrayList<>();
        // As bytes of one alphabet: what a tool prints need not be UTF-8.
        for (String line : Files.readString(Path.of(args[0]), StandardCharsets.ISO_8859_1)
                .split("\n", -1)) {
            if (line.startsWith(PREFIX)) {
                measures.add(pairs(new String(
                        line.substring(PREFIX.length()).getBytes(StandardCharsets.ISO_8859_1),
                        StandardCharsets.UTF_8).split("\t", -1)));
            }
        }
        String[] pairs = new String[args.length - 2];
        System.arraycopy(args, 2, pairs, 0, pairs.length);
        RunReport report = new RunReport(pairs(pairs), measures);
        Path out = Path.of(args[1]);
        Files.writeString(out.resolve("results.json"), report.json());
        Files.writeString(out.resolve("README.md"), report.tables());
    }

    private static Map<String, String> pairs(String... texts) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String text : texts) {
            int equals = text.indexOf('=');
            if (equals > 0) {
                map.put(text.substring(0, equals), text.substring(equals + 1));
            }
        }
        return map;
    }

    // ---- JSON --------------------------------------------------------------------------------------

    private String json() throws JsonProcessingException {
        Map<String, Object> tree = new LinkedHashMap<>(head);
        tree.put("measures", measures.stream().map(RunReport::typed).toList());
        return JsonMapper.builder()
                .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(tree);
    }

    /** Numbers as numbers, with the digits that they were printed with. */
    private static Map<String, Object> typed(Map<String, String> measure) {
        Map<String, Object> typed = new LinkedHashMap<>();
        measure.forEach((name, value) -> typed.put(name, isNumber(value) ? new BigDecimal(value) : value));
        return typed;
    }

    private static boolean isNumber(String value) {
        return value.matches("-?(0|[1-9]\\d*)(\\.\\d+)?");
    }

    // ---- tables ------------------------------------------------------------------------------------

    private String tables() {
        StringBuilder text = new StringBuilder("# " + head.getOrDefault("gpu", "unknown GPU") + "\n\n");
        head.forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
        text.append(
                "\n| part | result | seconds | passed | failed | skipped | note |\n|---|---|---|---|---|---|---|\n");
        of("part").forEach(p -> text.append("| ").append(String.join(
                " | ", get(p, "name"), get(p, "result"), get(p, "seconds"), get(p, "passed"), get(p, "failed"),
                get(p, "skipped"), get(p, "note"))).append(" |\n"));
        text.append("\n| fact | value | |\n|---|---|---|\n");
        of("fact").forEach(f -> text.append("| ").append(
                String.join(" | ", get(f, "name"), get(f, "value"), get(f, "unit"))).append(" |\n"));
        text.append(new SequenceTables(of("gru")).text());
        List<Map<String, String>> missing = new ArrayList<>(of("failed"));
        missing.addAll(of("left-out"));
        if (!missing.isEmpty()) {
            text.append("\nNot measured:\n\n");
            missing.forEach(m -> text.append("- ").append(
                    String.join(" ", get(m, "by"), get(m, "shape"), get(m, "mode"), get(m, "how"), get(m, "pass"))
                            .strip())
                    .append(": ").append(get(m, "why")).append('\n'));
        }
        return text.toString();
    }

    private List<Map<String, String>> of(String kind) {
        return measures.stream().filter(m -> get(m, "kind").equals(kind)).toList();
    }

    private static String get(Map<String, String> measure, String name) {
        return measure.getOrDefault(name, "");
    }
}
