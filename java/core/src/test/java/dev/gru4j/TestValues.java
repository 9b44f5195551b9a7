package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.Random;

/** Seeded numbers, and comparisons whose failures name tensor, index and both values. */
final class TestValues {
    private TestValues() {}

    static float[] uniform(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = 2 * random.nextFloat() - 1;
        }
        return values;
    }

    static double[] widen(float[] values) {
        double[] wide = new double[values.length];
        Arrays.setAll(wide, k -> values[k]);
        return wide;
    }

    static float[] narrow(double[] values) {
        float[] narrow = new float[values.length];
        for (int k = 0; k < narrow.length; k++) {
            narrow[k] = (float) values[k];
        }
        return narrow;
    }

    static void assertSameBits(String tensor, float[] expected, float[] found) {
        assertEquals(expected.length, found.length, tensor + " length");
        for (int k = 0; k < expected.length; k++) {
            if (Float.floatToRawIntBits(expected[k]) != Float.floatToRawIntBits(found[k])) {
                fail(tensor + "[" + k + "]: expected " + expected[k] + ", found " + found[k]
                        + ", the same bits wanted");
            }
        }
    }

    static void assertWithin(String tensor, double[] expected, double[] found, double bound) {
        assertEquals(expected.length, found.length, tensor + " length");
        for (int k = 0; k < expected.length; k++) {
            if (!(Math.abs(expected[k] - found[k]) <= bound)) {
                fail(tensor + "[" + k + "]: expected " + expected[k] + ", found " + found[k] + ", bound " + bound);
            }
        }
    }
}
