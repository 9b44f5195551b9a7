package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.backend.ProductPrecision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A run as text: short on a terminal, whole in table.md. */
final class ReportTables {
    private final ComparisonReport report;

    ReportTables(ComparisonReport report) {
        this.report = report;
    }

    /** Cells by mode, number of threads and precision. */
    private Map<String, List<CellReport>> groups() {
        return report.cells().stream().collect(
                Collectors.groupingBy(cell -> title(cell.cell()), LinkedHashMap::new, Collectors.toList()));
    }

    private static String title(Cell cell) {
        return cell.mode() + ", " + (cell.threads() == 1 ? "one thread" : cell.threads() + " threads")
                + (cell.precision() == ProductPrecision.FP32 ? "" : ", " + cell.precision());
    }

    static String name(GruShape shape) {
        return shape.T() + "," + shape.B() + "," + shape.I() + "," + shape.H();
    }

    /** For a terminal. */
    String text() {
        StringBuilder text = new StringBuilder();
        String subject = report.subject().orElse("");
        boolean peers = report.cells().stream().anyMatch(cell -> cell.bestPeer().isPresent());
        groups().forEach((title, cells) -> {
            text.append(String.format(
                    Locale.ROOT, "%n%-20s %-12s %12s %9s %8s %9s%s%n", title, "", "us/call", "GFLOP/s", "of peak",
                    "of floor", peers ? "  best peer            times" : ""));
            for (CellReport cell : cells) {
                cell.measured(subject).ifPresent(own -> text.append(String.format(
                        Locale.ROOT, "%-20s %-12s %12.1f %9.1f %7.1f%% %8.1f%%%s%s%n", name(cell.cell().shape()),
                        Cell.nameOf(cell.cell().variant()), own.median(), cell.rate(own), 100 * cell.ofPeak(own),
                        100 * cell.ofFloor(own), peers ? peer(cell, subject) : "",
                        cell.conditions().disturbed() ? "  disturbed" : "")));
            }
        });
        means().forEach((what, mean) -> text.append(String.format(
                Locale.ROOT, "%n%s as fast as the best peer, geometric mean, %s", times(mean), what)));
        text.append(text.isEmpty() ? "" : System.lineSeparator());
        failures().forEach(line -> text.append(line).append(System.lineSeparator()));
        return text.toString();
    }

    private static String peer(CellReport cell, String subject) {
        Optional<Measurement> best = cell.bestPeer();
        return best.isEmpty()
                ? "  none"
                : String.format(
                        Locale.ROOT, "  %-20s %5.2f", best.get().contender(), cell.ratio(subject).orElse(Double.NaN));
    }

    private static String times(double ratio) {
        return String.format(Locale.ROOT, "%.2f times", ratio);
    }

    /** Geometric means that exist: by mode and threads, by mode, and over all. */
    Map<String, Double> means() {
        Map<String, Double> means = new LinkedHashMap<>();
        Set<String> titles = new LinkedHashSet<>();
        report.cells().forEach(cell -> titles.add(title(cell.cell())));
        titles.forEach(title -> mean(means, title, cell -> title(cell).equals(title)));
        for (Mode mode : Mode.values()) {
            mean(means, "all " + mode, cell -> cell.mode() == mode);
        }
        mean(means, "over all", cell -> true);
        return means;
    }

    private void mean(Map<String, Double> means, String what, Predicate<Cell> which) {
        double mean = report.meanRatio(which);
        if (!Double.isNaN(mean)) {
            means.put(what, mean);
        }
    }

    /** Who could not run, who failed where, and what was not measured: each reason once. */
    private List<String> failures() {
        Map<String, List<String>> cells = new LinkedHashMap<>();
        for (CellReport cell : report.cells()) {
            for (Measurement m : cell.measurements()) {
                if (!m.isMeasured() && !report.unavailable().containsKey(m.contender())) {
                    cells.computeIfAbsent(m.contender() + ": " + m.note().replaceAll("\\s+", " "), _ -> new ArrayList<>())
                            .add(cell.cell().toString());
                }
            }
        }
        List<String> lines = new ArrayList<>();
        report.unavailable().forEach((name, why) -> lines.add(name + " cannot run here: " + why));
        cells.forEach((what, where) -> lines.add(
                what + " (" + where.getFirst() + (where.size() > 1 ? " and " + (where.size() - 1) + " more" : "")
                        + ")"));
        report.leftOut().forEach(line -> lines.add("not measured: " + line));
        return lines;
    }

    /** For a file: the same tables, then one with every contender, then machine, versions and reasons. */
    String markdown() {
        StringBuilder text = new StringBuilder("# Comparison on ")
                .append(report.machine().getOrDefault("processor", "this machine")).append("\n\n");
        text.append(
                "One row is a layer of T steps, B rows, I inputs and H units, in fp32 unless the title says otherwise;"
                        + " times are medians over slices of calls, the contenders taking turns. What the columns mean, and how"
                        + " it is measured: `benchmarks/README.md`.\n");
        String subject = report.subject().orElse("");
        groups().forEach((title, cells) -> text.append(ownTable(title, cells, subject)));
        Map<String, Double> means = means();
        if (!means.isEmpty()) {
            text.append("\n| geometric mean of the ratios | |\n| --- | --- |\n");
            means.forEach((what, mean) -> text.append("| ").append(what).append(" | ")
                    .append(String.format(Locale.ROOT, "%.2f", mean)).append(" |\n"));
        }
        groups().forEach((title, cells) -> text.append(allTable(title, cells)));
        text.append("\n## Machine\n\n| | |\n| --- | --- |\n");
        report.machine().forEach((what, value) -> row(text, what, value));
        text.append(String.format(Locale.ROOT, "| took | %.1f minutes |%n", report.minutes()));
        text.append("\n## Contenders\n\n| | |\n| --- | --- |\n");
        report.contenders().forEach((who, what) -> row(text, who, what));
        List<String> failures = failures();
        if (!failures.isEmpty()) {
            text.append("\n## Not measured\n\n");
            failures.forEach(line -> text.append("- ").append(escaped(line)).append('\n'));
        }
        return text.toString();
    }

    private static void row(StringBuilder text, String... cells) {
        text.append("| ").append(String.join(" | ", List.of(cells).stream().map(ReportTables::escaped).toList()))
                .append(" |\n");
    }

    private static String escaped(String text) {
        return text.replace("|", "\\|").replaceAll("\\s+", " ");
    }

    private static String ownTable(String title, List<CellReport> cells, String subject) {
        StringBuilder text = new StringBuilder("\n## ").append(title.substring(0, 1).toUpperCase(Locale.ROOT))
                .append(title.substring(1)).append("\n\n");
        row(
                text, "T, B, I, H", "variant", subject + ", µs", "min – max", "GFLOP/s", "of peak", "of floor",
                "best peer", "its GFLOP/s", "ratio");
        text.append("| --- ".repeat(10)).append("|\n");
        for (CellReport cell : cells) {
            cell.measured(subject).ifPresent(own -> row(
                    text, name(cell.cell().shape()).replace(",", ", "), Cell.nameOf(cell.cell().variant()),
                    micros(own.median()), micros(Statistics.min(own.slices())) + " – "
                            + micros(Statistics.max(own.slices())),
                    String.format(Locale.ROOT, "%.1f", cell.rate(own)), percent(cell.ofPeak(own)),
                    percent(cell.ofFloor(own)), cell.bestPeer().map(Measurement::contender).orElse("–"),
                    cell.bestPeer().map(p -> String.format(Locale.ROOT, "%.1f", cell.rate(p))).orElse("–"),
                    cell.ratio(subject).map(r -> String.format(Locale.ROOT, "%.2f", r)).orElse("–")
                            + (cell.conditions().disturbed() ? " (disturbed)" : "")));
        }
        return text.toString();
    }

    private String allTable(String title, List<CellReport> cells) {
        List<String> names = report.measured();
        StringBuilder text = new StringBuilder("\n## All, ").append(title).append("\n\nGFLOP/s.\n\n");
        List<String> head = new ArrayList<>(List.of("T, B, I, H", "variant", "peak"));
        head.addAll(names);
        row(text, head.toArray(String[]::new));
        text.append("| --- ".repeat(head.size())).append("|\n");
        for (CellReport cell : cells) {
            List<String> line = new ArrayList<>(
                    List.of(
                            name(cell.cell().shape()).replace(",", ", "), Cell.nameOf(cell.cell().variant()),
                            String.format(Locale.ROOT, "%.0f", cell.conditions().peak())));
            for (String name : names) {
                line.add(cell.measured(name)
                        .map(m -> String.format(Locale.ROOT, "%.1f", cell.rate(m)) + suffix(m))
                        .orElse("–"));
            }
            row(text, line.toArray(String[]::new));
        }
        return text.toString();
    }

    private static String suffix(Measurement m) {
        return m.tried().isEmpty() ? "" : " (" + m.configuration() + ")";
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String micros(double value) {
        return String.format(Locale.ROOT, value < 1000 ? "%.1f" : "%,.0f", value);
    }
}
