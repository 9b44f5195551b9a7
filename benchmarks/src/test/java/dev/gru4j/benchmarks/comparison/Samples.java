package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Measurement.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Cells and reports for tests. */
final class Samples {
    /** Seconds of tests are for starting processes, not for timing. */
    static final Pace PACE = new Pace(3, 1, 0.002, 0.01, 0.002, 60, 4);

    private Samples() {}

    static Cell cell(Mode mode) {
        return cell(new GruShape(5, 4, 3, 7), mode, 1);
    }

    static Cell cell(GruShape shape, Mode mode, int threads) {
        return new Cell(shape, GruVariant.RESET_AFTER, mode, threads, ProductPrecision.FP32);
    }

    static Measurement measured(String contender, Double... micros) {
        return new Measurement(
                contender, Outcome.MEASURED, "default", "off by at most 1e-07 (y)", Arrays.asList(micros), 10,
                Map.of());
    }

    /** A machine of 100 GFLOP/s, 4 and 2 activations/ns, 50 GB/s. */
    static Conditions conditions(boolean disturbed) {
        return new Conditions(100, 4, 2, 50, 3, 0, disturbed ? 0.5 : 0, disturbed, null);
    }

    static CellReport report(Cell cell, Measurement... measurements) {
        return new CellReport(cell, List.of(measurements), conditions(false));
    }

    static ComparisonReport run(CellReport... cells) {
        return new ComparisonReport(
                Map.of("processor", "Some Processor"), Map.of("gru4j-simd", "simd: 512-bit vectors"), Map.of(), 1.5,
                List.of(cells), List.of());
    }
}
