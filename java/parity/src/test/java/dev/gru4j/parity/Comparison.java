package dev.gru4j.parity;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Holds the tensors that a backend computed against what was expected of them. */
final class Comparison {
    /**
     * A tensor beyond its bound, at its worst element.
     *
     * @param index flat index of that element
     * @param elements how many elements of the tensor are beyond the bound
     */
    record Miss(Tensor tensor, int index, double expected, double found, Expectation expectation, int elements) {
        @Override
        public String toString() {
            String name = tensor.name();
            double difference = Tolerance.difference(expected, found);
            double bound = expectation.bound(name);
            return "  " + name + " at " + tensor.index(index) + ": expected " + expected + ", found " + found
                    + "\n    difference " + difference + ", bound " + bound + " = 2 · "
                    + expectation.referenceError(name)
                    + " (reference in " + expectation.twin() + ", " + expectation.draws() + " draws) + "
                    + Tolerance.floor(expectation.exact(name))
                    + " (4 ULP of the largest)"
                    + "\n    " + elements + " of " + tensor.length() + " elements beyond the bound";
        }
    }

    private Comparison() {}

    /** Tensors beyond their bound, in the order given; where there are any, beyond a bound from more draws. */
    static List<Miss> misses(List<Tensor> tensors, Expectation expectation, Map<String, double[]> found) {
        List<Miss> misses = beyond(tensors, expectation, found);
        return misses.isEmpty() || !expectation.refine() ? misses : beyond(tensors, expectation, found);
    }

    private static List<Miss> beyond(List<Tensor> tensors, Expectation expectation, Map<String, double[]> found) {
        List<Miss> misses = new ArrayList<>();
        for (Tensor tensor : tensors) {
            double[] exact = expectation.exact(tensor.name());
            double[] values = found(found, tensor);
            double bound = expectation.bound(tensor.name());
            int worst = 0;
            int beyond = 0;
            double worstDifference = -1;
            for (int k = 0; k < exact.length; k++) {
                double difference = Tolerance.difference(exact[k], values[k]);
                beyond += difference > bound ? 1 : 0;
                if (difference > worstDifference) {
                    worstDifference = difference;
                    worst = k;
                }
            }
            if (beyond > 0) {
                misses.add(new Miss(tensor, worst, exact[worst], values[worst], expectation, beyond));
            }
        }
        return misses;
    }

    /** Positions of padding that are not exactly zero, the first of each tensor. */
    static List<String> dirtyPadding(List<Tensor> tensors, Map<String, double[]> found, int[] lengths) {
        List<String> dirty = new ArrayList<>();
        for (Tensor tensor : tensors) {
            double[] values = found(found, tensor);
            for (int k = 0; k < values.length; k++) {
                if (values[k] != 0 && tensor.isPadding(k, lengths)) {
                    dirty.add("  " + tensor.name() + " at " + tensor.index(k) + " is padding: expected 0, found "
                            + values[k]);
                    break;
                }
            }
        }
        return dirty;
    }

    /** Notes the share of the bound that each tensor used. */
    static void recordShares(
            Subject subject, String where, List<Tensor> tensors, Expectation expectation, Map<String, double[]> found) {
        for (Tensor tensor : tensors) {
            double[] exact = expectation.exact(tensor.name());
            double share = Tolerance.error(exact, found(found, tensor)) / expectation.bound(tensor.name());
            ClosingTable.share(subject, share, tensor.name() + "   " + where);
        }
    }

    /**
     * Fails with everything a reader needs, if anything is wrong.
     *
     * @param id subject, phase and case
     * @param repeat the command that runs this one case again
     */
    static void failIfAny(List<?> defects, String id, long seed, String repeat) {
        if (!defects.isEmpty()) {
            throw new AssertionError(defects.stream()
                    .map(Object::toString)
                    .collect(Collectors.joining("\n", id + "\n", "\n  seed " + seed + "\n  repeat: " + repeat)));
        }
    }

    private static double[] found(Map<String, double[]> found, Tensor tensor) {
        double[] values = found.get(tensor.name());
        if (values == null || values.length != tensor.length()) {
            throw new AssertionError(
                    tensor.name() + (values == null ? " is missing" : " has " + values.length + " numbers")
                            + "; " + tensor.length() + " expected");
        }
        return values;
    }
}
