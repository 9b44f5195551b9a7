package dev.gru4j.cuda;

import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruSpec;

/**
 * One layer in one direction: where its parameters lie, as offsets in floats from the start of a flat row.
 * {@link GruParameters} is the layout of parameters and gradients alike.
 *
 * @param layer 0 … L−1
 * @param direction 0 … D−1
 * @param isReverse whether it reads the sequence from its end
 * @param inputs I of this layer
 * @param weightIh (3H,I)
 * @param weightHh (3H,H)
 * @param biasIh (3H), or −1 if absent
 * @param biasHh (3H), or −1 if absent
 */
record CudaLayer(
        int layer, int direction, boolean isReverse, int inputs, long weightIh, long weightHh, long biasIh,
        long biasHh) {
    static CudaLayer of(GruParameters parameters, int layer, int direction) {
        GruSpec spec = parameters.spec();
        return new CudaLayer(
                layer,
                direction,
                spec.directions().isReverse(direction),
                spec.layerInputSize(layer),
                parameters.get(layer, direction, Kind.WEIGHT_IH).offset(),
                parameters.get(layer, direction, Kind.WEIGHT_HH).offset(),
                bias(parameters, layer, direction, Kind.BIAS_IH),
                bias(parameters, layer, direction, Kind.BIAS_HH));
    }

    private static long bias(GruParameters parameters, int layer, int direction, Kind kind) {
        return parameters.exists(kind) ? parameters.get(layer, direction, kind).offset() : -1;
    }

    /** The address of float {@code offset} behind {@code base}; 0 where the parameter is absent. */
    static long at(long base, long offset) {
        return offset < 0 ? 0 : base + offset * Float.BYTES;
    }
}
