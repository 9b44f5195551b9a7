package dev.gru4j.benchmarks.comparison;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A whole run.
 *
 * @param machine what it was measured on, by name
 * @param contenders what each of them says of itself, by name
 * @param unavailable contenders that cannot run on that machine, and why
 * @param minutes that it took
 * @param cells in the order of measuring
 * @param leftOut cells that were not measured, and why
 */
public record ComparisonReport(
        Map<String, String> machine,
        Map<String, String> contenders,
        Map<String, String> unavailable,
        double minutes,
        List<CellReport> cells,
        List<String> leftOut) {
    /** Names of the contenders that were measured at least once, gru4j's first. */
    public List<String> measured() {
        List<String> names = new ArrayList<>(cells.stream()
                .flatMap(cell -> cell.measurements().stream())
                .filter(Measurement::isMeasured)
                .map(Measurement::contender)
                .distinct()
                .toList());
        names.sort((a, b) -> Boolean.compare(!a.startsWith(CellReport.OWN), !b.startsWith(CellReport.OWN)));
        return names;
    }

    /** The contender whose rows the tables are about: gru4j's first one. */
    public Optional<String> subject() {
        return measured().stream().findFirst();
    }

    /** Geometric mean of the subject's ratios to the best peer, over the cells that have both; NaN if none has. */
    public double meanRatio(Predicate<Cell> which) {
        return Statistics.geometricMean(cells.stream()
                .filter(cell -> which.test(cell.cell()))
                .flatMap(cell -> subject().flatMap(cell::ratio).stream())
                .toList());
    }
}
