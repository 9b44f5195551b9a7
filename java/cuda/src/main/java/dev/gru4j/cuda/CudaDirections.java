package dev.gru4j.cuda;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the directions of a layer share the device. One has it alone. Two run side by side, each in a
 * stream and in regions of the workspace of its own ({@link CudaLayout}), and meet before the next layer.
 *
 * <p>Stepwise kernels wait for nobody, so any number of them may run at once. The blocks of a persistent
 * kernel wait for one another, and a block that never gets a multiprocessor while others wait for it
 * would be a deadlock. So each direction is divided among half of the multiprocessors, one block each.
 * Blocks of both together are then no more than there are multiprocessors; whichever of them the device
 * starts first, in whatever order and wherever, the others leave at least one multiprocessor to the next,
 * as soon as kernels that wait for nobody have ended there. That a cooperative launch promises as much
 * for one kernel alone is not needed for it.
 *
 * <p>Where W_hh does not fit on half of the device but does on all of it, the directions run one after
 * the other, in one stream.
 */
final class CudaDirections {
    private static final String SIDE_BY_SIDE = "side by side";
    private static final String IN_TURN = "one after the other";

    private final CudaPersistent persistent;
    private final boolean areTwo;

    /** Why persistent kernels cannot run side by side; null if they can. */
    private final @Nullable String obstacle;

    /** As {@link CudaPersistent#CudaPersistent}. */
    CudaDirections(
            CudaDevice device, GruSpec spec, int maxB, boolean isTraining, KernelFamily family,
            ProductPrecision precision) {
        areTwo = spec.directions().count() == 2;
        CudaPersistent onHalf = areTwo
                ? new CudaPersistent(device.half(), spec, maxB, isTraining, KernelFamily.AUTO, precision)
                : null;
        obstacle = onHalf == null ? null : onHalf.obstacle();
        boolean isHalved = areTwo && obstacle == null;
        persistent = new CudaPersistent(isHalved ? device.half() : device, spec, maxB, isTraining, family, precision);
    }

    /** The kernels of one direction, and their division among the multiprocessors that it may use. */
    CudaPersistent persistent() {
        return persistent;
    }

    /** Whether the directions of a call of B rows run side by side. */
    boolean areSideBySide(int B) {
        return areTwo && (obstacle == null || !persistent.isUsed(B));
    }

    /** How two directions of B rows run, and why; nothing to say of one. */
    void explain(PlanReport.Builder report, int B) {
        if (!areTwo) {
            return;
        }
        if (!areSideBySide(B)) {
            report.decision(
                    "directions",
                    IN_TURN,
                    "each needs the whole device",
                    List.of(new PlanReport.Refusal(SIDE_BY_SIDE, String.valueOf(obstacle))));
        } else {
            report.decision(
                    "directions",
                    SIDE_BY_SIDE,
                    persistent.isUsed(B)
                            ? "each on half of the multiprocessors, so that the blocks of both run at once"
                            : "in two streams; kernels of one step wait for nobody",
                    List.of(new PlanReport.Refusal(IN_TURN, "twice the waiting from step to step, for the same bits")));
        }
    }
}
