package dev.gru4j.simd;

/**
 * The sizes of the tiles, chosen by the number of vector registers. C2 hoists all loads of a loop body
 * to its top, so a tile of rows × vectors stays in registers while rows·vectors + rows + vectors does
 * not exceed their number by much.
 *
 * @param unitVectors hidden units of a gate panel, in vectors, 1 or 2: a panel is r|z|n of so many units
 * @param gateRows most rows of a tile over a gate panel, 1 … 4
 * @param generalRows most rows of a tile over a general panel, which is 2 vectors wide: 8 or 4
 */
record SimdShape(int unitVectors, int gateRows, int generalRows) {
    /** Vectors of a general panel; the last panel of a matrix may have one only. */
    static final int GENERAL_VECTORS = 2;

    /** 4 × 6 and 8 × 2 vectors with 32 registers; 3 × 3 and 4 × 2 with 16. */
    static SimdShape forRegisters(int registers) {
        return registers >= 32 ? new SimdShape(2, 4, 8) : new SimdShape(1, 3, 4);
    }
}
