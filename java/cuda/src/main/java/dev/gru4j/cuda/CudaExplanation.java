package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.util.List;

/**
 * What a plan on the cuda backend has to say of itself. A function of the problem and of the device's attributes, so
 * that it serves for devices that are not there as well.
 */
final class CudaExplanation {
    static final String PERSISTENT = "persistent";
    static final String STEPWISE = "stepwise";

    private final CudaDevice device;
    private final GruSpec spec;
    private final int maxT;
    private final int maxB;
    private final ProductPrecision precision;
    private final CudaDirections directions;
    private final CudaLayout layout;
    private final boolean isWithGraphs;

    CudaExplanation(
            CudaDevice device, GruSpec spec, int maxT, int maxB, ProductPrecision precision,
            CudaDirections directions, CudaLayout layout, boolean isWithGraphs) {
        this.device = device;
        this.spec = spec;
        this.maxT = maxT;
        this.maxB = maxB;
        this.precision = precision;
        this.directions = directions;
        this.layout = layout;
        this.isWithGraphs = isWithGraphs;
    }

    /**
     * Adds everything to a report.
     *
     * @param products who computes the large ones, and why
     * @param hasLibrary whether that is a library
     */
    PlanReport.Builder addTo(PlanReport.Builder report, String products, boolean hasLibrary) {
        CudaPersistent persistent = directions.persistent();
        persistent.explain(report, maxB);
        directions.explain(report, maxB);
        report.fact("precision", precision.toString());
        if (persistent.isUsed(maxB)) {
            persistent.explainDivision(report, maxB);
        } else {
            int gates = spec.variant() == GruVariant.RESET_AFTER ? Gates.COUNT : Gates.CANDIDATE;
            report.fact("recurrent projection", CudaProduct.tiles(maxB, gates * spec.hiddenSize()) + " a step");
            report.fact("limit", "no size but the device's memory");
            report.fact(
                    "launches",
                    isWithGraphs
                            ? "a CUDA graph for each pass, from the second call with the same shape and memory on"
                            : "one by one (" + CudaGraphs.PROPERTY + "=false)");
        }
        String tiles = CudaProduct.tiles(maxT * maxB, Gates.COUNT * spec.hiddenSize());
        report.fact("input projection", hasLibrary ? "by the library; with padding in " + tiles : "in " + tiles);
        report.fact("library", products);
        return report.fact("device memory", memory());
    }

    /** Of parameters, workspace and reserve; x, y and what belongs to training around the GRU come on top. */
    private String memory() {
        long bytes = Float.BYTES
                * (GruParameters.of(spec).length() + layout.workspaceLength() + layout.reserveLength());
        return bytes + " of " + device.totalBytes() + " bytes for parameters, workspace and reserve"
                + (bytes > device.totalBytes() ? ": too much" : "");
    }

    /** The decision between the families. */
    static void families(PlanReport.Builder report, boolean isPersistent, String taken, String refused) {
        report.decision(
                "kernels",
                isPersistent ? PERSISTENT : STEPWISE,
                taken,
                List.of(new PlanReport.Refusal(isPersistent ? STEPWISE : PERSISTENT, refused)));
    }
}
