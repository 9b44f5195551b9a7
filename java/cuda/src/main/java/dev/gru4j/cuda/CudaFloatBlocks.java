package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;

/** Persistent kernels in fp32: W_hh in shared memory. */
final class CudaFloatBlocks implements CudaBlocks {
    private static final int MOST_TILE_ROWS = 4 * LANES;

    /** Floats of both stages, without the skew of their rows. */
    private static final int STAGES = 2 * 4 * 4 * 256;

    private static final int SKEW = 4;

    private final int multiprocessors;
    private final GruVariant variant;
    private final int H;

    CudaFloatBlocks(CudaDevice device, GruVariant variant, int H) {
        this.multiprocessors = device.multiprocessors();
        this.variant = variant;
        this.H = H;
    }

    /** Few units a block, so that many multiprocessors take part; as many groups as then find room. */
    @Override
    public Division divide(int B) {
        int rows = Math.max(1, Math.ceilDiv(B, mostGroups(B)));
        return new Division(
                units(),
                blocks(),
                Math.max(1, Math.ceilDiv(B, rows)),
                rows,
                units() <= LANES ? LANES : MOST_UNITS,
                rows <= LANES ? LANES : MOST_TILE_ROWS);
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
        long weights;
        if (!isBackward) {
            weights = Gates.COUNT * weightsRow(H);
        } else if (variant == GruVariant.RESET_AFTER) {
            weights = weightsRow((long) Gates.COUNT * H);
        } else {
            weights = weightsRow((long) Gates.CANDIDATE * H) + weightsRow(H);
        }
        long stages = STAGES + 2L * SKEW * division.tileRows();
        return Float.BYTES * (division.units() * weights + stages + division.tiles());
    }

    private static long weightsRow(long k) {
        return Math.ceilDiv(k, 32L) * 32 + SKEW;
    }

    @Override
    public String place() {
        return "shared memory";
    }
}
