package dev.gru4j.simd;

import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.PlanReport.Refusal;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/** What a plan on the simd backend has to say of itself: width of the vectors, tiles, division among threads. */
final class SimdExplanation {
    private static final int[] WIDTHS = {512, 256, 128};

    private SimdExplanation() {}

    static PlanReport.Builder of(SimdKernels kernels, SimdGeometry geometry, int most, int threads, int maxB) {
        return of(kernels, geometry, most, threads, maxB, FloatVector.SPECIES_PREFERRED.vectorBitSize());
    }

    /** {@link #of(SimdKernels, SimdGeometry, int, int, int)} on a processor whose vectors have up to {@code widest} bits. */
    static PlanReport.Builder of(SimdKernels kernels, SimdGeometry geometry, int most, int threads, int maxB,
            int widest) {
        SimdShape shape = kernels.shape;
        PlanReport.Builder report = new PlanReport.Builder("simd");
        vectors(report, kernels.bits, widest);
        division(report, most, threads, maxB);
        return report.fact("precision", "fp32")
                .fact("padding", "of H to " + geometry.padded + ", whole vectors of " + kernels.lanes + " lanes")
                .fact(
                        "tiles",
                        shape.gateRows() + " rows x r|z|n of " + geometry.unit + " units and "
                                + (shape.generalVectors() == 3 ? shape.gateRows() : shape.generalRows()) + " rows x "
                                + geometry.general + " columns");
    }

    private static void vectors(PlanReport.Builder report, int bits, int widest) {
        List<Refusal> refused = new ArrayList<>();
        for (int width : WIDTHS) {
            if (width > widest) {
                refused.add(new Refusal(
                        width + "-bit vectors", "this processor and JVM run vectors of up to " + widest + " bits"));
            } else if (width != bits) {
                refused.add(new Refusal(
                        width + "-bit vectors",
                        width < bits
                                ? "narrower than what this processor runs well"
                                : "a narrower width was asked for"));
            }
        }
        boolean isWidest = bits == Math.min(widest, WIDTHS[0]);
        report.decision(
                "kernels", bits + "-bit vectors", isWidest ? "the widest this processor runs well" : "asked for",
                refused);
    }

    private static void division(PlanReport.Builder report, int most, int threads, int maxB) {
        if (most == 1) {
            report.decision("threads", "1", "asked for, or the only processor", List.of());
            return;
        }
        if (threads == 1) {
            String small =
                    "sharing the work of so small a call, and waiting for one another, takes longer than doing it";
            report.decision("threads", "1", small, List.of(new Refusal("up to " + most, small)));
            return;
        }
        String rows = "split by rows";
        String units = "split by hidden units";
        int needed = SimdDivision.ROWS_PER_WORKER * threads;
        String found = "B = " + maxB + "; from " + needed + " on every thread has "
                + SimdDivision.ROWS_PER_WORKER + " rows or more of its own";
        boolean byRows = SimdDivision.isByRows(maxB, threads);
        report.decision(
                "threads", threads + ", " + (byRows ? rows : units), found,
                List.of(new Refusal(byRows ? units : rows, byRows ? "threads would meet in every step" : found)));
    }
}
