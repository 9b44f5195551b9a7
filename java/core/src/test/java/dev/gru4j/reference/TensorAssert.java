package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.Locale;

/** Comparisons of tensors whose failures name tensor, index, both values, the bound and how to repeat. */
final class TensorAssert {
    private final Class<?> test;

    /** @param test the class whose run repeats a failure */
    TensorAssert(Class<?> test) {
        this.test = test;
    }

    /** Every number has the same bits; all NaN are one. */
    void sameBits(String tensor, double[] expected, double[] found) {
        within(tensor, expected, found, 0);
        for (int k = 0; k < expected.length; k++) {
            if (Double.doubleToLongBits(expected[k]) != Double.doubleToLongBits(found[k])) {
                miss(tensor, k, expected[k], found[k], 0);
            }
        }
    }

    /** Every number is within {@code bound} of the expected one; NaN and infinities only match themselves. */
    void within(String tensor, double[] expected, double[] found, double bound) {
        if (expected.length != found.length) {
            fail(tensor + " has " + found.length + " numbers; " + expected.length + " expected" + repeat());
        }
        for (int k = 0; k < expected.length; k++) {
            within(tensor, k, expected[k], found[k], bound);
        }
    }

    /** One number is within {@code bound} of the expected one. */
    void within(String tensor, int index, double expected, double found, double bound) {
        boolean same = Double.compare(expected, found) == 0;
        if (!same && !(Math.abs(found - expected) <= bound)) {
            miss(tensor, index, expected, found, bound);
        }
    }

    /** Every number is finite. */
    void finite(String tensor, double[] found) {
        for (int k = 0; k < found.length; k++) {
            if (!Double.isFinite(found[k])) {
                fail(tensor + "[" + k + "] is " + found[k] + "; a finite number expected" + repeat());
            }
        }
    }

    private void miss(String tensor, int index, double expected, double found, double bound) {
        fail(String.format(
                Locale.ROOT,
                "%s[%d]: expected %s, found %s, difference %.3e, bound %.3e%s",
                tensor,
                index,
                expected,
                found,
                Math.abs(found - expected),
                bound,
                repeat()));
    }

    private String repeat() {
        return "; repeat with: mvn -pl java/core test -Dtest=" + test.getSimpleName();
    }
}
