package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;

/**
 * Persistent kernels in fp32: W_hh in shared memory, or, where that is too small, the first k in registers and
 * the others in shared memory. Tiles of 16 rows are those of the kernels with registers; {@code
 * cuda/gru_persistent_registers.cuh} has them. Both give the same bits.
 */
final class CudaFloatBlocks implements CudaBlocks {
    private static final int MOST_TILE_ROWS = 4 * LANES;

    private static final int REGISTER_TILE_ROWS = 2 * LANES;

    /** k of each gate that lie in registers. */
    private static final int PANEL = 640;

    /** Floats of both stages, without the skew of their rows. */
    private static final int STAGES = 2 * 4 * 4 * 256;

    private static final int SKEW = 4;

    private final int multiprocessors;
    private final int mostSharedBytes;
    private final boolean isTraining;
    private final GruVariant variant;
    private final int H;

    CudaFloatBlocks(CudaDevice device, GruVariant variant, int H, boolean isTraining) {
        this.mostSharedBytes = device.mostSharedBytes();
        this.isTraining = isTraining;
        this.multiprocessors = device.multiprocessors();
        this.variant = variant;
        this.H = H;
    }

    /** Few units a block, so that many multiprocessors take part; as many groups as then find room. */
    @Override
    public Division divide(int B) {
        int rows = Math.max(1, Math.ceilDiv(B, mostGroups(B)));
        Division shared = division(B, rows, rows <= LANES ? LANES : MOST_TILE_ROWS);
        boolean fits = sharedBytes(false, shared) <= mostSharedBytes
                && (!isTraining || sharedBytes(true, shared) <= mostSharedBytes);
        return fits ? shared : division(B, rows, REGISTER_TILE_ROWS);
    }

    private Division division(int B, int rows, int tileRows) {
        return new Division(
                units(),
                blocks(),
                Math.max(1, Math.ceilDiv(B, rows)),
                rows,
                units() <= LANES && tileRows != REGISTER_TILE_ROWS ? LANES : MOST_UNITS,
                tileRows);
    }

    @Override
    public int mostGroups(int B) {
        return Math.clamp(Math.ceilDiv(B, LANES), 1, Math.max(1, multiprocessors / blocks()));
    }

    private int units() {
        return Math.max(LANES, Math.ceilDiv(H, multiprocessors));
    }

    private int blocks() {
        return Math.ceilDiv(H, units());
    }

    /** gru_persistent_shared_bytes of the header. */
    @Override
    public long sharedBytes(boolean isBackward, Division division) {
        int k = division.tileRows() == REGISTER_TILE_ROWS ? Math.max(0, H - PANEL) : H;
        long weights;
        if (!isBackward) {
            weights = Gates.COUNT * weightsRow(k);
        } else if (variant == GruVariant.RESET_AFTER) {
            weights = weightsRow((long) Gates.COUNT * k);
        } else {
            weights = weightsRow((long) Gates.CANDIDATE * k) + weightsRow(k);
        }
        long stages = STAGES + 2L * SKEW * division.tileRows();
        return Float.BYTES * (division.units() * weights + stages + division.tiles());
    }

    private static long weightsRow(long k) {
        return Math.ceilDiv(k, 32L) * 32 + SKEW;
    }

    @Override
    public String place(Division division) {
        if (division.tileRows() != REGISTER_TILE_ROWS) {
            return "shared memory";
        }
        return H <= PANEL ? "registers" : "registers (" + PANEL + " of " + H + " k) and shared memory";
    }
}
