package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The two nonlinear functions at the places where they go wrong. */
final class ReferenceActivationsTest {
    @ParameterizedTest
    @EnumSource
    void theLimitsOfSigmoidAndTanhAreExact(Precision p) {
        assertEquals(0.5, ReferenceActivations.sigmoid(p, 0));
        assertEquals(1, ReferenceActivations.sigmoid(p, 1000));
        assertEquals(0, ReferenceActivations.sigmoid(p, -1000));
        assertEquals(1, ReferenceActivations.sigmoid(p, Double.POSITIVE_INFINITY));
        assertEquals(0, ReferenceActivations.sigmoid(p, Double.NEGATIVE_INFINITY));
        assertEquals(Double.NaN, ReferenceActivations.sigmoid(p, Double.NaN));
        assertEquals(-0.0, ReferenceActivations.tanh(p, -0.0));
        assertEquals(1, ReferenceActivations.tanh(p, Double.POSITIVE_INFINITY));
        assertEquals(-1, ReferenceActivations.tanh(p, Double.NEGATIVE_INFINITY));
        assertEquals(Double.NaN, ReferenceActivations.tanh(p, Double.NaN));
    }

    /** Beyond −37 the 1 in 1 + e^a is below half an ULP, so σ(a) = e^a; 1/(1 + e^−a) overflows to 0 in float. */
    @ParameterizedTest
    @EnumSource
    void theLowerTailOfSigmoidIsTheExponentialItself(Precision p) {
        for (double a : new double[] {-40, -80, -88, -95, -103}) {
            double found = ReferenceActivations.sigmoid(p, a);
            assertEquals(p.round(StrictMath.exp(a)), found, "σ(" + a + ")");
            assertTrue(found > 0, "σ(" + a + ") is " + found);
        }
    }

    /** σ(−a) = 1 − σ(a): each side is off by at most 2 ULP of 1. */
    @ParameterizedTest
    @EnumSource
    void sigmoidIsSymmetricAboutOneHalf(Precision p) {
        double ulp = p == Precision.DOUBLE ? Math.ulp(1.0) : Math.ulp(1f);
        for (int k = -2000; k <= 2000; k++) {
            double a = p.round(k * 0.01);
            double sum = ReferenceActivations.sigmoid(p, a) + ReferenceActivations.sigmoid(p, -a);
            assertEquals(1, sum, 4 * ulp, "σ(a) + σ(−a) at a = " + a);
        }
    }
}
