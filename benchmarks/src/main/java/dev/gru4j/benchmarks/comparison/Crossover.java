package dev.gru4j.benchmarks.comparison;

import dev.gru4j.benchmarks.comparison.ReportPlots.Letter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where the GPU starts to pay: along each letter, the value from which on it is at least as fast as the CPU; with tensors
 * on the host, copies over the bus counted, and with tensors that stay on the device.
 */
final class Crossover {
    static final String CPU = "gru4j-simd";
    static final String GPU = "gru4j-cuda";
    static final String RESIDENT = "gru4j-cuda-resident";

    private static final int LEAST_POINTS = 2;

    private final ComparisonReport report;

    Crossover(ComparisonReport report) {
        this.report = report;
    }

    /** Whether the GPU is the emulator: its times say nothing about a GPU and must not be taken for one. */
    boolean isEmulated() {
        return report.contenders().getOrDefault(GPU, "").contains("emulated");
    }

    /** What every picture and table says, or empty. */
    String note() {
        return isEmulated() ? "EMULATOR, not a GPU" : "";
    }

    /** A table in Markdown, readable on a terminal too. */
    String table() {
        List<List<String>> rows = new ArrayList<>();
        for (Letter letter : Letter.values()) {
            Map<String, List<CellReport>> curves = report.cells().stream().collect(
                    Collectors.groupingBy(
                            c -> letter.others(c.cell().shape()) + "|" + c.cell().mode() + " "
                                    + Cell.nameOf(c.cell().variant()),
                            LinkedHashMap::new, Collectors.toList()));
            curves.forEach((name, curve) -> {
                if (curve.stream().map(c -> letter.of(c.cell().shape())).distinct().count() >= LEAST_POINTS) {
                    int bar = name.indexOf('|');
                    rows.add(List.of(
                            letter.name(), name.substring(0, bar), name.substring(bar + 1), from(letter, curve, GPU),
                            from(letter, curve, RESIDENT)));
                }
            });
        }
        StringBuilder text = new StringBuilder();
        if (isEmulated()) {
            text.append(note()).append(": these times say nothing about a GPU.\n\n");
        }
        text.append("| along | the others | call | copies counted | without copies |\n")
                .append("| --- | --- | --- | --- | --- |\n");
        rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
        return text.toString();
    }

    /** {@code from H = 183}, between measured values by interpolation of logarithms; or that there is no such value. */
    static String from(Letter letter, List<CellReport> curve, String gpu) {
        TreeMap<Integer, Double> speedUps = new TreeMap<>();
        for (CellReport cell : curve) {
            cell.measured(CPU).ifPresent(cpu -> cell.measured(gpu)
                    .ifPresent(m -> speedUps.put(letter.of(cell.cell().shape()), cpu.median() / m.median())));
        }
        if (speedUps.isEmpty()) {
            return "not measured";
        }
        // From the right: a single point below where the GPU is ahead says nothing yet.
        Map.Entry<Integer, Double> last = speedUps.lastEntry();
        if (last.getValue() < 1) {
            return String.format(
                    Locale.ROOT, "not up to %s = %d (%.2f times)", letter, last.getKey(), last.getValue());
        }
        Map.Entry<Integer, Double> ahead = last;
        for (Map.Entry<Integer, Double> point : speedUps.descendingMap().entrySet()) {
            if (point.getValue() < 1) {
                double share = Math.log(1 / point.getValue()) / Math.log(ahead.getValue() / point.getValue());
                double at = point.getKey() * Math.pow((double) ahead.getKey() / point.getKey(), share);
                return String.format(
                        Locale.ROOT, "from %s = %.0f (%.1f times at %d)", letter, at, last.getValue(), last.getKey());
            }
            ahead = point;
        }
        return String.format(
                Locale.ROOT, "everywhere, %s = %d to %d (%.1f times at %d)", letter, speedUps.firstKey(), last.getKey(),
                last.getValue(), last.getKey());
    }
}
