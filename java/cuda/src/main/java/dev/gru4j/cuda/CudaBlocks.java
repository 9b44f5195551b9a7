package dev.gru4j.cuda;

/**
 * How the blocks of one kind of persistent kernels share a layer and direction, and what a block needs on
 * the chip. Each block has a multiprocessor for itself; {@code cuda/gru_kernels.h} has the kernels.
 */
interface CudaBlocks {
    /** Multiples of it are the units that a tile has room for, and as many rows are worth a group of blocks. */
    int LANES = 8;

    /** The most units that a block may have. */
    int MOST_UNITS = 2 * LANES;

    /**
     * A division of B rows.
     *
     * @param units of a block
     * @param blocks of a group: together they hold W_hh
     * @param groups that each work on rows of their own
     * @param rows of a group
     * @param tileUnits of the kernel; at least the block's
     * @param tileRows of the kernel: so many rows of a group at a time
     */
    record Division(int units, int blocks, int groups, int rows, int tileUnits, int tileRows) {
        /** Tiles of the rows of a group. */
        int tiles() {
            return Math.ceilDiv(rows, tileRows);
        }
    }

    /** How B rows are divided; where they do not fit, what they would need. */
    Division divide(int B);

    /** Groups of a call with up to B rows: no fewer than {@link #divide} makes. */
    int mostGroups(int B);

    /** Shared memory of a block. */
    long sharedBytes(boolean isBackward, Division division);

    /** Where a block keeps W_hh. */
    String place();
}
