package dev.gru4j.simd;

/**
 * The sizes of the tiles, chosen by the number of vector registers. C2 hoists all loads of a loop body
 * to its top, so a tile of rows × vectors stays in registers while rows·vectors + rows + vectors does
 * not exceed their number by much.
 *
 * @param unitVectors hidden units of a gate panel, in vectors, 1 or 2: a panel is r|z|n of so many units
 * @param gateRows most rows of a tile over a gate panel, 1 … 4
 * @param generalVectors vectors of a general panel, 2 or 3; the last panel of a matrix may have fewer
 * @param generalRows most rows of a tile over 2 vectors or 1: 8 or 4
 */
record SimdShape(int unitVectors, int gateRows, int generalVectors, int generalRows) {
    /** Vectors of a panel of the weight gradients, whose tiles are {@link #generalRows} × 2. */
    static final int TRANSPOSED_VECTORS = 2;

    /** 4 × 6 and 8 × 2 vectors with 32 registers; 3 × 3 for both with 16, where 4 × 2 is left to weight gradients. */
    static SimdShape forRegisters(int registers) {
        return registers >= 32 ? new SimdShape(2, 4, 2, 8) : new SimdShape(1, 3, 3, 4);
    }

    /** Most rows of a tile over a panel of so many vectors. */
    int rowsOf(int vectors) {
        return vectors >= 3 ? gateRows : generalRows;
    }
}
