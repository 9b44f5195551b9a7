package dev.gru4j.reference;

/**
 * The two nonlinear functions of the GRU. {@link StrictMath} gives the same bits on every machine; its
 * results are within 1 ULP (exp) and 2.5 ULP (tanh) of a double, far below what a float can show.
 */
final class ReferenceActivations {
    private ReferenceActivations() {}

    /**
     * σ(a) = 1 / (1 + e^−a). The exponential only ever sees a negative argument, so it cannot overflow,
     * and for large negative a the result is e^a itself, not the 0 that 1/(1 + ∞) would give.
     */
    static double sigmoid(Precision p, double a) {
        if (a >= 0) {
            double e = p.round(StrictMath.exp(-a));
            return p.round(1 / p.round(1 + e));
        }
        double e = p.round(StrictMath.exp(a));
        return p.round(e / p.round(1 + e));
    }

    /** tanh(a). */
    static double tanh(Precision p, double a) {
        return p.round(StrictMath.tanh(a));
    }
}
