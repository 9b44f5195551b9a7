package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The activations against {@link Math} in double: over a dense grid of bit patterns that meets every
 * exponent and both signs, subnormal numbers included, and at the special values.
 */
final class SimdActivationsTest {
    /** The bound that the activations state. */
    private static final double MAX_ULPS = 3;

    /** A prime near 2^10: every 1021st float, 4.2 million of them, with all low bits in turn. */
    private static final int STRIDE = 1021;

    private static final int CHUNK = 1 << 16;

    private interface Kernel {
        void run(SimdKernels kernels, float[] v, int n);
    }

    static IntStream widths() {
        return IntStream.of(Widths.available());
    }

    @ParameterizedTest
    @MethodSource("widths")
    void sigmoidIsWithinThreeUlpOverAllFloats(int bits) {
        checkGrid("sigmoid", bits, SimdKernels::sigmoid, SimdActivationsTest::sigmoid, Integer.MIN_VALUE);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void tanhIsWithinThreeUlpOverAllFloats(int bits) {
        checkGrid("tanh", bits, SimdKernels::tanh, Math::tanh, Integer.MIN_VALUE);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void expNegatedIsWithinThreeUlpOverAllFloatsThatAreNotNegative(int bits) {
        checkGrid("expNegated", bits, SimdKernels::expNegated, x -> Math.exp(-x), 0);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void sigmoidKeepsItsLimits(int bits) {
        float[] v = {
            0f, -0f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1000f, -1000f, Float.NaN, -Float.MIN_VALUE,
            Float.MAX_VALUE, -Float.MAX_VALUE, -104f, -87.4f, 17.5f, -100f, 1e-30f, -1e-30f
        };
        SimdKernels.of(bits).sigmoid(v, v.length);
        float[] expected = {
            0.5f, 0.5f, 1f, 0f, 1f, 0f, Float.NaN, 0.5f, 1f, 0f, 0f, v[11], 1f, v[13], 0.5f, 0.5f
        };
        for (int i = 0; i < v.length; i++) {
            assertEquals(expected[i], v[i], "simd/" + bits + " sigmoid, special value " + i);
        }
        assertTrue(v[11] > 0 && v[13] > 0, "subnormal results of simd/" + bits + " are not flushed to 0");
    }

    @ParameterizedTest
    @MethodSource("widths")
    void tanhKeepsItsLimitsAndTheSignOfZero(int bits) {
        float[] v = {
            0f, -0f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1000f, -1000f, Float.NaN, Float.MIN_VALUE,
            -Float.MIN_VALUE, Float.MIN_NORMAL, 10f, -10f, 1e-20f, -1e-20f, Float.MAX_VALUE, -Float.MAX_VALUE
        };
        SimdKernels.of(bits).tanh(v, v.length);
        float[] expected = {
            0f, -0f, 1f, -1f, 1f, -1f, Float.NaN, Float.MIN_VALUE,
            -Float.MIN_VALUE, Float.MIN_NORMAL, 1f, -1f, 1e-20f, -1e-20f, 1f, -1f
        };
        for (int i = 0; i < v.length; i++) {
            // assertEquals tells 0 from -0.
            assertEquals(expected[i], v[i], "simd/" + bits + " tanh, special value " + i);
        }
    }

    private static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
    }

    private static void checkGrid(String name, int bits, Kernel kernel, DoubleUnaryOperator exact, int firstPattern) {
        SimdKernels kernels = SimdKernels.of(bits);
        float[] x = new float[CHUNK];
        float[] found = new float[CHUNK];
        double worst = 0;
        float worstAt = 0;
        long pattern = firstPattern;
        while (pattern <= Integer.MAX_VALUE) {
            for (int i = 0; i < CHUNK; i++) {
                x[i] = pattern <= Integer.MAX_VALUE ? Float.intBitsToFloat((int) pattern) : 0f;
                found[i] = x[i];
                pattern += STRIDE;
            }
            kernel.run(kernels, found, CHUNK);
            for (int i = 0; i < CHUNK; i++) {
                if (Float.isNaN(x[i])) {
                    assertTrue(Float.isNaN(found[i]), name + "(NaN) is " + found[i]);
                    continue;
                }
                double expected = exact.applyAsDouble(x[i]);
                double ulps = Math.abs(found[i] - expected) / Math.ulp((float) expected);
                if (!(ulps <= worst)) {
                    worst = ulps;
                    worstAt = x[i];
                }
            }
        }
        assertTrue(
                worst <= MAX_ULPS,
                "simd/" + bits + " " + name + "(" + worstAt + ") is " + worst + " ulp off; bound " + MAX_ULPS
                        + "; repeat with mvn -pl java/simd -am test -Dtest=SimdActivationsTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false");
        System.getLogger("dev.gru4j")
                .log(System.Logger.Level.DEBUG, "simd/{0} {1}: worst {2} ulp at {3}", bits, name, worst, worstAt);
    }
}
