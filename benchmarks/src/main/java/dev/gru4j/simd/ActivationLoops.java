package dev.gru4j.simd;

import jdk.incubator.vector.FloatVector;

/**
 * The simd backend's activations by themselves, for benchmarks. In its package, since they are nobody else's to call: it
 * is on the class path here, not the module path.
 */
public final class ActivationLoops {
    private static final int BITS = FloatVector.SPECIES_PREFERRED.vectorBitSize();

    private ActivationLoops() {}

    /** v ← σ(v) at the widest vectors; the length a multiple of 16. */
    public static void sigmoid(float[] v) {
        switch (BITS) {
            case 512 -> SimdActivations512.sigmoid(v, v.length);
            case 256 -> SimdActivations256.sigmoid(v, v.length);
            default -> SimdActivations128.sigmoid(v, v.length);
        }
    }

    /** v ← tanh(v) at the widest vectors; the length a multiple of 16. */
    public static void tanh(float[] v) {
        switch (BITS) {
            case 512 -> SimdActivations512.tanh(v, v.length);
            case 256 -> SimdActivations256.tanh(v, v.length);
            default -> SimdActivations128.tanh(v, v.length);
        }
    }
}
