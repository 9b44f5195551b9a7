package dev.gru4j.benchmarks.comparison;

import org.jspecify.annotations.Nullable;

/**
 * What one call computed, in gru4j's layouts, gates in the order reset, update, candidate. A tensor that a contender
 * cannot give is absent and named in the report; inference gives y and hT.
 *
 * @param y states (T,B,H)
 * @param hT last state (B,H)
 * @param dx gradient of x (T,B,I)
 * @param dh0 gradient of the initial state (B,H)
 * @param dWeightIh gradient of the input weights (3H,I)
 * @param dWeightHh gradient of the recurrent weights (3H,H)
 * @param dBiasIh gradient of the input bias (3H)
 * @param dBiasHh gradient of the recurrent bias (3H)
 */
@SuppressWarnings("ArrayRecordComponent") // Tensors, never compared or hashed.
public record Results(
        float @Nullable [] y,
        float @Nullable [] hT,
        float @Nullable [] dx,
        float @Nullable [] dh0,
        float @Nullable [] dWeightIh,
        float @Nullable [] dWeightHh,
        float @Nullable [] dBiasIh,
        float @Nullable [] dBiasHh) {
    /** Of an inference. */
    public static Results ofInference(float @Nullable [] y, float @Nullable [] hT) {
        return new Results(y, hT, null, null, null, null, null, null);
    }
}
