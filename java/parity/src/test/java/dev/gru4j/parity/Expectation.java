package dev.gru4j.parity;

import dev.gru4j.reference.Precision;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What a case should give: every tensor in double, and the error of the reference's twin of a backend beside it. */
final class Expectation {
    /** Something the reference can compute in any precision, on the data of any draw. */
    @FunctionalInterface
    interface Problem {
        /**
         * Every tensor by name.
         *
         * @param draw which data, see {@link GruInputs#redraw}
         * @param change between two draws
         */
        Map<String, double[]> run(Precision precision, int draw, double change);
    }

    private final List<Tensor> tensors;
    private final Precision twin;
    private final Problem problem;
    private final Map<String, double[]> exact;
    private final Map<String, Double> referenceErrors = new HashMap<>();
    private int draws;

    private Expectation(List<Tensor> tensors, Precision twin, Problem problem, int draws) {
        this.tensors = tensors;
        this.twin = twin;
        this.problem = problem;
        this.exact = drawUpTo(draws);
    }

    /** Runs a problem in double and as the twin does, as often as {@link Tolerance#draws} of its smallest tensor says. */
    static Expectation of(List<Tensor> tensors, Precision twin, Problem problem) {
        int draws = tensors.stream().mapToInt(t -> Tolerance.draws(t.length())).max().orElse(1);
        return new Expectation(tensors, twin, problem, draws);
    }

    /**
     * Measures the twin's error on {@link Tolerance#DRAWS_OF_A_MISS} draws.
     *
     * @return whether it was not known that well before
     */
    synchronized boolean refine() {
        if (draws >= Tolerance.DRAWS_OF_A_MISS) {
            return false;
        }
        drawUpTo(Tolerance.DRAWS_OF_A_MISS);
        return true;
    }

    /** Adds the errors of the draws that are missing to {@code count}; the exact tensors of the first one added. */
    private Map<String, double[]> drawUpTo(int count) {
        double change = Tolerance.change(twin);
        // The runs are independent, and by far the slowest part of the suite.
        List<Map<String, double[]>> runs = IntStream.range(2 * draws, 2 * count)
                .parallel()
                .mapToObj(run -> problem.run(run % 2 == 0 ? Precision.DOUBLE : twin, run / 2, change))
                .toList();
        for (Tensor tensor : tensors) {
            for (int k = 0; k < runs.size(); k += 2) {
                double[] inDouble = get(runs.get(k), tensor.name());
                checkExact(tensor, inDouble);
                double error = Tolerance.error(inDouble, get(runs.get(k + 1), tensor.name()));
                referenceErrors.merge(tensor.name(), error, Math::max);
            }
        }
        draws = count;
        return runs.getFirst();
    }

    /** Refuses to measure a backend against a double run that is no number or of another shape. */
    private static void checkExact(Tensor tensor, double[] inDouble) {
        if (inDouble.length != tensor.length()) {
            throw new AssertionError("the double reference's " + tensor.name() + " has " + inDouble.length
                    + " numbers; " + tensor.length() + " expected");
        }
        for (int k = 0; k < inDouble.length; k++) {
            if (!Double.isFinite(inDouble[k])) {
                throw new AssertionError(
                        "the double reference's " + tensor.name() + " is " + inDouble[k] + " at " + tensor.index(k));
            }
        }
    }

    private static double[] get(Map<String, double[]> tensors, String name) {
        double[] tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no tensor " + name + " among " + tensors.keySet());
        }
        return tensor;
    }

    double[] exact(String name) {
        return get(exact, name);
    }

    /** The arithmetic of the reference whose error makes the bound. */
    Precision twin() {
        return twin;
    }

    /** Largest error of the twin over all draws. */
    synchronized double referenceError(String name) {
        Double error = referenceErrors.get(name);
        if (error == null) {
            throw new IllegalArgumentException("no tensor " + name + " among " + referenceErrors.keySet());
        }
        return error;
    }

    double bound(String name) {
        return Tolerance.bound(exact(name), referenceError(name));
    }

    synchronized int draws() {
        return draws;
    }
}
