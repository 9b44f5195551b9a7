package dev.gru4j;

/**
 * What a backward returns, or fills: arrays that may be used for call after call of the same T and B.
 *
 * @param dx gradient of x (T,B,I), 0 in padding
 * @param dh0 gradient of h0 (L·D,B,H), direction fastest
 * @param dParameters gradients of all parameters, as one row ({@link GruWeights#values()}) or by name
 *     ({@link GruWeights#get(String)})
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, told apart by identity; nobody compares gradients.
public record GruGradients(float[] dx, float[] dh0, GruWeights dParameters) {
    /**
     * New arrays, all zero, for batches of exactly T steps and B rows.
     *
     * @throws IllegalArgumentException if T is negative, B is not positive or a tensor does not fit a {@code float[]}
     */
    public static GruGradients of(GruSpec spec, int T, int B) {
        GruShapes.checkBatch(T, B);
        return new GruGradients(
                GruShapes.array("dx", GruShapes.positions("dx", T, B, spec.inputSize())),
                GruShapes.array("dh0", GruShapes.states(spec, B)),
                new GruWeights(spec));
    }
}
