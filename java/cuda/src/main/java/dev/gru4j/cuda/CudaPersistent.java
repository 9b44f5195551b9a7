package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaBlocks.Division;
import dev.gru4j.cuda.CudaKernels.Kernel;
import org.jspecify.annotations.Nullable;

/**
 * Whether a plan uses the persistent kernels; {@link CudaBlocks} divides its layers among the device's
 * multiprocessors. {@code cuda/gru_kernels.h} has the kernels.
 *
 * <p>They are chosen where they fit, W_hh of one layer and direction on the chip, with one block on each
 * multiprocessor, and where the stepwise products would use the small tile. There both families
 * give the same bits, so results do not depend on the device; beyond, large tiles of the whole batch
 * are the better use of it.
 */
final class CudaPersistent {
    /** 4-byte words from the flag of one group of blocks to the next. */
    static final int FLAG_STRIDE = 32;

    private final CudaDevice device;
    private final GruVariant variant;
    private final int H;
    private final boolean isTraining;
    private final KernelFamily family;
    private final ProductPrecision precision;
    private final CudaBlocks blocks;

    /** Why the persistent kernels cannot run; null if they can. */
    private final @Nullable String obstacle;

    /** A division and the rows that it is of. */
    private record Divided(int B, Division division) {}

    /**
     * The latest one: calls mostly have as many rows as the one before. One object, so that a report, which is made by a
     * thread that has not entered the session, never mixes two.
     */
    private volatile Divided latest;

    /**
     * @throws IllegalArgumentException if {@code family} asks for what cannot be
     */
    CudaPersistent(
            CudaDevice device, GruSpec spec, int maxB, boolean isTraining, KernelFamily family,
            ProductPrecision precision) {
        this(device, spec.variant(), spec.hiddenSize(), maxB, isTraining, family, precision);
    }

    private CudaPersistent(
            CudaDevice device, GruVariant variant, int H, int maxB, boolean isTraining, KernelFamily family,
            ProductPrecision precision) {
        this.device = device;
        this.variant = variant;
        this.H = H;
        this.isTraining = isTraining;
        this.family = family;
        this.precision = precision;
        this.blocks = precision == ProductPrecision.FP32
                ? new CudaFloatBlocks(device, variant, H, isTraining)
                : new CudaTensorBlocks(device, variant, H, isTraining, precision);
        this.latest = new Divided(maxB, blocks.divide(maxB));
        this.obstacle = findObstacle();
        if (family == KernelFamily.PERSISTENT && obstacle != null) {
            throw new IllegalArgumentException("persistent kernels were asked for, but " + obstacle);
        }
    }

    /** Why they cannot run; null if they can. */
    @Nullable
    String obstacle() {
        return obstacle;
    }

    /** Whether a call with B rows runs on them. */
    boolean isUsed(int B) {
        return obstacle == null
                && switch (family) {
                    case AUTO -> !usesLargeTiles(B);
                    case STEPWISE -> false;
                    case PERSISTENT -> true;
                };
    }

    /** Which family a call of B rows runs on, and why not the other. */
    void explain(PlanReport.Builder report, int B) {
        boolean isUsed = isUsed(B);
        String taken;
        String refused;
        if (family != KernelFamily.AUTO) {
            taken = "asked for";
            refused = family + " kernels were asked for" + (obstacle == null ? "" : "; besides, " + obstacle);
        } else if (isUsed) {
            taken = "W_hh of a layer fits in " + blocks.place(divide(B)) + ", and B = " + B
                    + " rows do not fill a GPU with large tiles";
            refused = "a launch for every stage of a step, for the same bits";
        } else if (obstacle != null) {
            taken = "persistent kernels do not fit";
            refused = obstacle;
        } else {
            taken = "each step of B = " + B + " rows fills a GPU with large tiles";
            refused = "they fit, but their tiles are small, and their bits not those of large tiles";
        }
        CudaExplanation.families(report, isUsed, taken, refused);
    }

    /** How a call of B rows is divided, what it needs on the chip, and which size would be too large. */
    void explainDivision(PlanReport.Builder report, int B) {
        Division division = divide(B);
        report.fact(
                "division",
                division.blocks() + " blocks of " + division.units() + " units, " + division.groups()
                        + (division.groups() == 1 ? " group of " : " groups of ") + division.rows() + " rows, tiles of "
                        + division.tileUnits() + " units x " + division.tileRows() + " rows");
        report.fact(
                "shared memory", mostSharedBytes(division) + " of " + device.mostSharedBytes() + " bytes a block");
        int larger = H;
        String limit = null;
        while (limit == null) {
            larger++;
            limit = new CudaPersistent(device, variant, larger, B, isTraining, KernelFamily.AUTO, precision).obstacle;
        }
        report.fact("limit", "H = " + (larger - 1) + " for B = " + B + ": " + limit);
    }

    /** Words of the flags of a call with up to B rows. */
    long flagWords(int B) {
        return obstacle == null ? (long) FLAG_STRIDE * blocks.mostGroups(B) : 0;
    }

    /** How B rows are divided. */
    Division divide(int B) {
        Divided divided = latest;
        if (divided.B() != B) {
            divided = new Divided(B, blocks.divide(B));
            latest = divided;
        }
        return divided.division();
    }

    Kernel kernel(boolean isBackward, Division division) {
        return Kernel.persistent(
                precision, isBackward, variant == GruVariant.RESET_BEFORE, division.tileUnits(), division.tileRows());
    }

    /** Shared memory of a block. */
    long sharedBytes(boolean isBackward, Division division) {
        return blocks.sharedBytes(isBackward, division);
    }

    /** Whether a step's products would use the large tile. */
    private boolean usesLargeTiles(int B) {
        int gates = variant == GruVariant.RESET_AFTER ? Gates.COUNT : Gates.CANDIDATE;
        return CudaProduct.isLarge(B, gates * H, 1);
    }

    private @Nullable String findObstacle() {
        if (!device.isCooperative()) {
            return device.name() + " cannot run all blocks of a launch at once";
        }
        Division division = latest.division();
        if (division.units() > CudaBlocks.MOST_UNITS) {
            return "H = " + H + " needs blocks of " + division.units() + " units on " + device.multiprocessors()
                    + " multiprocessors; at most " + CudaBlocks.MOST_UNITS + " expected";
        }
        long bytes = mostSharedBytes(division);
        if (bytes > device.mostSharedBytes()) {
            return "H = " + H + " needs " + bytes + " bytes of shared memory in each block; at most "
                    + device.mostSharedBytes() + " expected";
        }
        return null;
    }

    private long mostSharedBytes(Division division) {
        long forward = sharedBytes(false, division);
        return isTraining ? Math.max(forward, sharedBytes(true, division)) : forward;
    }
}
