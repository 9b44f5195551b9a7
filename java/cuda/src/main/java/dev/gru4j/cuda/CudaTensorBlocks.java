package dev.gru4j.cuda;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import java.util.ArrayList;
import java.util.List;

/**
 * Persistent kernels on tensor cores: the first chunks of W_hh of each warp in registers, the others in
 * shared memory, beside the sums of the warps.
 *
 * <p>In each step every block reads the state of all rows of its group, so the rows of a group are what a
 * step costs once they are more than fill a tile. Twice the units in a block make room for twice the
 * groups with half of the rows.
 */
final class CudaTensorBlocks implements CudaBlocks {
    /** k of a chunk. */
    private static final int CHUNK = 16;

    private static final int WARPS = 8;
    private static final int WARP_LANES = 32;

    /** Rows of a tile: those of one multiply-add, or of two, which share what they read of W_hh. */
    private static final int TILE_ROWS = 16;

    private final int multiprocessors;
    private final int mostSharedBytes;
    private final GruVariant variant;
    private final int H;
    private final boolean isTraining;
    private final ProductPrecision precision;

    CudaTensorBlocks(
            CudaDevice device, GruVariant variant, int H, boolean isTraining, ProductPrecision precision) {
        this.multiprocessors = device.multiprocessors();
        this.mostSharedBytes = device.mostSharedBytes();
        this.variant = variant;
        this.H = H;
        this.isTraining = isTraining;
        this.precision = precision;
    }

    /** The first of the wanted divisions that fits, or the last one. */
    @Override
    public Division divide(int B) {
        List<Division> wanted = wanted(B);
        return wanted.stream()
                .filter(division -> mostSharedBytes(division) <= mostSharedBytes)
                .findFirst()
                .orElse(wanted.getLast());
    }

    /** The best one first. */
    private List<Division> wanted(int B) {
        List<Division> wanted = new ArrayList<>();
        int least = LANES * Math.max(1, Math.ceilDiv(H, LANES * multiprocessors));
        boolean isManyRows = division(B, least, TILE_ROWS).rows() > TILE_ROWS;
        if (least < MOST_UNITS && isManyRows && groups(B, MOST_UNITS) > groups(B, least)) {
            addTiles(wanted, B, MOST_UNITS);
        }
        addTiles(wanted, B, least);
        return wanted;
    }

    private void addTiles(List<Division> wanted, int B, int units) {
        Division division = division(B, units, 2 * TILE_ROWS);
        // 3xtf32 has no tiles of 32 rows.
        if (division.rows() > TILE_ROWS && precision != ProductPrecision.TF32X3) {
            wanted.add(division);
        }
        wanted.add(division(B, units, TILE_ROWS));
    }

    private Division division(int B, int units, int tileRows) {
        int rows = Math.max(1, Math.ceilDiv(B, groups(B, units)));
        return new Division(
                units,
                Math.ceilDiv(H, units),
                Math.max(1, Math.ceilDiv(B, rows)),
                rows,
                units <= LANES ? LANES : MOST_UNITS,
                tileRows);
    }

    @Override
    public int mostGroups(int B) {
        return groups(B, MOST_UNITS);
    }

    private int groups(int B, int units) {
        int blocks = Math.ceilDiv(H, units);
        return Math.clamp(Math.ceilDiv(B, LANES), 1, Math.max(1, multiprocessors / blocks));
    }

    private long mostSharedBytes(Division division) {
        long forward = sharedBytes(false, division);
        return isTraining ? Math.max(forward, sharedBytes(true, division)) : forward;
    }

    /** gru_persistent_mma_shared_bytes of the header. */
    @Override
    public long sharedBytes(boolean isBackward, Division division) {
        int tileUnits = division.tileUnits();
        int kept = kept(tileUnits);
        boolean isResetAfter = variant == GruVariant.RESET_AFTER;
        long chunks;
        int gates = 1;
        if (!isBackward) {
            chunks = Gates.COUNT * restChunks(1, kept);
            gates = isResetAfter ? Gates.COUNT : Gates.CANDIDATE;
        } else if (isResetAfter) {
            chunks = restChunks(Gates.COUNT, kept);
        } else {
            chunks = restChunks(Gates.CANDIDATE, kept) + restChunks(1, kept);
        }
        long sums = (long) gates * WARPS * division.tileRows() * tileUnits;
        return Float.BYTES * (sums + chunks * (tileUnits / LANES) * WARP_LANES * words() + division.tiles());
    }

    /** Chunks of so many gates' k that lie in shared memory, where each warp keeps {@code kept} of each gate. */
    private long restChunks(int gates, int kept) {
        return Math.max(0, Math.ceilDiv((long) gates * H, CHUNK) - (long) gates * kept * WARPS);
    }

    /** Chunks of each warp and gate in registers: gru_persistent_kept of the header. */
    private int kept(int tileUnits) {
        return switch (precision) {
            case BF16, FP16 -> 8;
            case TF32 -> tileUnits == LANES ? 8 : 3;
            case TF32X3 -> tileUnits == LANES ? 6 : 2;
            case FP32 -> throw noTensorCores();
        };
    }

    private static IllegalStateException noTensorCores() {
        return new IllegalStateException("tensor cores multiply in reduced precisions; fp32 found");
    }

    /** Words that a lane keeps of a chunk and 8 columns. */
    private int words() {
        return switch (precision) {
            case BF16, FP16 -> 2;
            case TF32, TF32X3 -> 4;
            case FP32 -> throw noTensorCores();
        };
    }

    @Override
    public String place(Division division) {
        return "registers and shared memory";
    }
}
