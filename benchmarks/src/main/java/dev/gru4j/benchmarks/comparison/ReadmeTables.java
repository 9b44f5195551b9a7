package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes the tables of the README between their markers, {@code <!-- table FOLDER/results.json -->} and
 * {@code <!-- end of table -->}, from the results that the first one names: {@code ReadmeTables [--check] FILE.md}.
 */
public final class ReadmeTables {
    private static final Pattern TABLE =
            Pattern.compile("(<!-- table (\\S+) -->\\n).*?(<!-- end of table -->)", Pattern.DOTALL);

    private ReadmeTables() {}

    /** Exit status 1 if a table differs from its results and was only to be checked. */
    public static void main(String[] arguments) throws IOException {
        List<String> files = new ArrayList<>(List.of(arguments));
        boolean checks = files.remove("--check");
        if (files.size() != 1) {
            throw new IllegalArgumentException(files.size() + " files; [--check] FILE.md expected");
        }
        Path file = Path.of(files.getFirst());
        String text = Files.readString(file);
        if (!TABLE.matcher(text).find()) {
            System.out.println(file.getFileName() + " has no table: no line <!-- table FOLDER/results.json -->");
            System.out.println("0 passed, 0 failed, 1 skipped");
            return;
        }
        String wanted = filled(text, file);
        if (wanted.equals(text)) {
            System.out.println("1 passed, 0 failed, 0 skipped");
        } else if (checks) {
            System.out.println("the tables of " + file.getFileName() + " are not those of their results;"
                    + " ci/readme-tables writes them");
            System.out.println("0 passed, 1 failed, 0 skipped");
            System.exit(1);
        } else {
            Files.writeString(file, wanted);
            System.out.println("written  " + file);
        }
    }

    /** The text of that file with every table as its results have it; the rest stays. */
    static String filled(String text, Path file) throws IOException {
        Matcher matcher = TABLE.matcher(text);
        StringBuilder result = new StringBuilder();
        while (matcher.find()) {
            String table = table(ReportFiles.read(file.resolveSibling(matcher.group(2))));
            matcher.appendReplacement(
                    result, Matcher.quoteReplacement(matcher.group(1) + "\n" + table + "\n" + matcher.group(3)));
        }
        return matcher.appendTail(result).toString();
    }

    /** A shape a line, reset-after: one thread with its peer, then how all numbers of threads compare. */
    static String table(ComparisonReport report) {
        List<Integer> threads = report.cells().stream().map(c -> c.cell().threads()).distinct().sorted().toList();
        StringBuilder text = new StringBuilder("| T, B, I, H ");
        StringBuilder line = new StringBuilder("| --- ");
        for (int count : threads) {
            for (Mode mode : Mode.values()) {
                text.append("| ").append(mode).append(", ").append(count).append(count == 1 ? " thread " : " threads ");
                line.append("| --- ");
            }
        }
        text.append("|\n").append(line).append("|\n");
        for (GruShape shape : report.cells().stream().map(c -> c.cell().shape()).distinct().toList()) {
            text.append("| ").append(ReportTables.name(shape).replace(",", ", ")).append(' ');
            for (int count : threads) {
                for (Mode mode : Mode.values()) {
                    text.append("| ").append(entry(report, shape, mode, count)).append(' ');
                }
            }
            text.append("|\n");
        }
        text.append("| geometric mean, both variants ");
        for (int count : threads) {
            for (Mode mode : Mode.values()) {
                double mean = report.meanRatio(c -> c.mode() == mode && c.threads() == count);
                text.append("| ").append(Double.isNaN(mean) ? "–" : times(mean)).append(' ');
            }
        }
        return text.append("|\n").toString();
    }

    /** {@code 239, 88 %, 1.04 × onednn}: GFLOP/s, share of the peak, ratio to the best peer. */
    private static String entry(ComparisonReport report, GruShape shape, Mode mode, int threads) {
        Optional<CellReport> cell = report.cells().stream()
                .filter(c -> c.cell().shape().equals(shape) && c.cell().mode() == mode && c.cell().threads() == threads
                        && c.cell().variant() == GruVariant.RESET_AFTER)
                .findFirst();
        Optional<Measurement> own = cell.flatMap(c -> report.subject().flatMap(c::measured));
        if (cell.isEmpty() || own.isEmpty()) {
            return "–";
        }
        CellReport found = cell.get();
        String peer = found.bestPeer()
                .map(p -> ", **" + times(p.median() / own.get().median()) + "** " + p.contender())
                .orElse("");
        return String.format(
                Locale.ROOT, "%.0f, %.0f %%%s", found.rate(own.get()), 100 * found.ofPeak(own.get()), peer);
    }

    private static String times(double ratio) {
        return String.format(Locale.ROOT, "%.2f ×", ratio);
    }
}
