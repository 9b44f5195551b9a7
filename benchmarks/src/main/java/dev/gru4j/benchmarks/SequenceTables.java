package dev.gru4j.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** The tables of times that {@link RunReport} writes, of what {@link SequenceTimes} and torch_gru.py have printed. */
final class SequenceTables {
    private static final List<String> MODES = List.of("fp32", "tf32", "3xtf32", "bf16", "fp16");
    private static final List<String> PASSES = List.of("inference", "forward", "training");

    private final List<Map<String, String>> times;
    private final List<String> shapes;

    /** @param times the measures of kind {@code gru} */
    SequenceTables(List<Map<String, String>> times) {
        this.times = times;
        this.shapes = times.stream().map(time -> time.getOrDefault("shape", "")).distinct().toList();
    }

    /**
     * What one column holds.
     *
     * @param value that {@code field} of a measure has to have; empty: any
     */
    private record Column(String title, String by, String backend, String mode, String field, String value) {
        boolean holds(Map<String, String> time) {
            return time.getOrDefault("by", "").equals(by)
                    && time.getOrDefault("backend", "").equals(backend)
                    && time.getOrDefault("mode", "").equals(mode)
                    && (value.isEmpty() || time.getOrDefault(field, "").equals(value));
        }
    }

    /** The peer has no split products: ours in 3xtf32, nearly fp32, stand beside its fp32. */
    private static String peerMode(String mode) {
        return mode.equals("3xtf32") ? "fp32" : mode;
    }

    private static Column ours(String mode) {
        return new Column("gru4j " + mode, "gru4j", "cuda", mode, "chosen", "true");
    }

    private static Column peer(String mode) {
        return new Column("torch " + peerMode(mode), "torch", "cuda", peerMode(mode), "how", "");
    }

    /** All tables: a mode each with the times, and as the last one the ratios. */
    String text() {
        StringBuilder text = new StringBuilder();
        for (String mode : MODES) {
            times(text, mode);
        }
        ratios(text);
        return text.toString();
    }

    private void times(StringBuilder text, String mode) {
        List<Column> columns = new ArrayList<>();
        for (String backend : List.of("cuda", "emulator")) {
            for (String kernels : List.of("stepwise", "persistent")) {
                String title = backend.equals("cuda") ? "gru4j " + kernels : backend + " " + kernels;
                columns.add(new Column(title, "gru4j", backend, mode, "kernels", kernels));
            }
        }
        for (String how : List.of("eager", "graph")) {
            columns.add(new Column("torch " + how, "torch", "cuda", mode, "how", how));
        }
        columns.add(new Column("simd", "gru4j", "simd", mode, "", ""));
        columns.removeIf(column -> times.stream().noneMatch(column::holds));
        if (columns.isEmpty()) {
            return;
        }
        text.append("\nMicroseconds a step in ").append(mode)
                .append(": the whole call over T steps, the input's product ")
                .append("and, in training, forward and backward with all gradients included.\n\n");
        head(text, columns.stream().map(Column::title).toList());
        for (String shape : shapes) {
            for (String pass : PASSES) {
                List<String> cells = columns.stream().map(column -> perStep(column, shape, pass)).toList();
                row(text, shape, pass, cells);
            }
        }
    }

    private String perStep(Column column, String shape, String pass) {
        OptionalDouble time = best(column, shape, pass);
        return time.isEmpty()
                ? ""
                : String.format(Locale.ROOT, "%.2f", time.getAsDouble() / Math.max(1, Shape.parse(shape).T()));
    }

    private void ratios(StringBuilder text) {
        List<String> modes = MODES.stream()
                .filter(mode -> times.stream().anyMatch(ours(mode)::holds)
                        && times.stream().anyMatch(peer(mode)::holds))
                .toList();
        if (modes.isEmpty()) {
            return;
        }
        text.append(
                "\nTimes as fast as torch: torch's nn.GRU, the better of eager and captured in a graph, divided by ")
                .append("gru4j with the kernels that it chooses by itself, in the same precision; in 3xtf32 torch's fp32.")
                .append("\n\n");
        head(text, modes);
        for (String shape : shapes) {
            for (String pass : PASSES) {
                row(text, shape, pass, modes.stream().map(mode -> ratio(mode, shape, pass)).toList());
            }
        }
    }

    private String ratio(String mode, String shape, String pass) {
        OptionalDouble ours = best(ours(mode), shape, pass);
        OptionalDouble peer = best(peer(mode), shape, pass);
        return ours.isEmpty() || peer.isEmpty()
                ? ""
                : String.format(Locale.ROOT, "%.2f", peer.getAsDouble() / ours.getAsDouble());
    }

    private static void head(StringBuilder text, List<String> titles) {
        text.append("| T,B,I,H | pass | ").append(String.join(" | ", titles)).append(" |\n|---|---")
                .append("|---".repeat(titles.size())).append("|\n");
    }

    /** A line, unless nothing of it was measured. */
    private static void row(StringBuilder text, String shape, String pass, List<String> cells) {
        if (cells.stream().anyMatch(cell -> !cell.isEmpty())) {
            text.append("| ").append(shape).append(" | ").append(pass).append(" | ");
            text.append(String.join(" | ", cells.stream().map(cell -> cell.isEmpty() ? "–" : cell).toList()));
            text.append(" |\n");
        }
    }

    /** The smallest median. */
    private OptionalDouble best(Column column, String shape, String pass) {
        return times.stream()
                .filter(column::holds)
                .filter(time -> time.getOrDefault("shape", "").equals(shape)
                        && time.getOrDefault("pass", "").equals(pass))
                .mapToDouble(time -> Double.parseDouble(time.getOrDefault("us", "Infinity")))
                .min();
    }
}
