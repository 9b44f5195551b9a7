package dev.gru4j.parity;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntPredicate;

/** Equality to the last bit, where the contract promises it. */
final class Bits {
    private Bits() {}

    /** Every tensor of {@code found} against the one of the same name in {@code expected}. */
    static void assertSame(String what, List<Tensor> tensors, Map<String, double[]> expected,
            Map<String, double[]> found) {
        for (Tensor tensor : tensors) {
            assertSame(what, tensor, expected, found, k -> true);
        }
    }

    /** Those elements of one tensor whose flat index is selected. */
    static void assertSame(
            String what,
            Tensor tensor,
            Map<String, double[]> expected,
            Map<String, double[]> found,
            IntPredicate selected) {
        double[] a = Objects.requireNonNull(expected.get(tensor.name()), tensor.name());
        double[] b = Objects.requireNonNull(found.get(tensor.name()), tensor.name());
        for (int k = 0; k < tensor.length(); k++) {
            if (selected.test(k) && Double.doubleToRawLongBits(a[k]) != Double.doubleToRawLongBits(b[k])) {
                throw new AssertionError(what + ": " + tensor.name() + " at " + tensor.index(k) + " is " + b[k]
                        + "; the very bits of " + a[k] + " expected");
            }
        }
    }
}
