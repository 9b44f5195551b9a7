package dev.gru4j;

/**
 * What a forward returns, or fills: arrays that may be used for call after call of the same T and B.
 *
 * @param y states of the last layer (T,B,D·H), 0 in padding
 * @param hT state after each row's last valid step (L·D,B,H), direction fastest; h0 where the length is 0
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, told apart by identity; nobody compares outputs.
public record GruOutput(float[] y, float[] hT) {
    /**
     * New arrays, all zero, for batches of exactly T steps and B rows.
     *
     * @throws IllegalArgumentException if T is negative, B is not positive or a tensor does not fit a {@code float[]}
     */
    public static GruOutput of(GruSpec spec, int T, int B) {
        GruShapes.checkBatch(T, B);
        return new GruOutput(
                GruShapes.array("y", GruShapes.positions("y", T, B, spec.outputSize())),
                GruShapes.array("hT", GruShapes.states(spec, B)));
    }
}
