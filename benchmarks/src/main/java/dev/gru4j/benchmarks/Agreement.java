package dev.gru4j.benchmarks;

import dev.gru4j.backend.ProductPrecision;

/** Whether results are those of the reference, as far as a benchmark has to know; the parity suite has the real bounds. */
public final class Agreement {
    private Agreement() {}

    /**
     * How far a tensor may be off as a share of its largest value: in fp32 10⁻⁴, else some of the roundings of an
     * operand. Enough to see that kernels and precision are the ones meant.
     */
    public static double tolerance(ProductPrecision precision) {
        return Math.max(1e-4, 16 * Math.scalb(1.0, -precision.significantBits()));
    }

    /** The given rows of the first steps of a tensor (·,all,width), in double: (steps,rows,width). */
    public static double[] rows(float[] values, int steps, int all, int[] rows, int width) {
        double[] result = new double[steps * rows.length * width];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[at(i, all, rows, width)];
        }
        return result;
    }

    /** Where in a tensor (·,all,width) element i of the given rows (·,rows,width) is. */
    private static int at(int i, int all, int[] rows, int width) {
        int step = i / (rows.length * width);
        int row = rows[i / width % rows.length];
        return (step * all + row) * width + i % width;
    }

    /**
     * Compares the given rows of a tensor.
     *
     * @param share how far an element may be off, as a share of the largest expected value
     * @param expected (steps,rows,width)
     * @param found (at least steps,all,width)
     * @return the largest error as a share of the largest expected value
     * @throws IllegalStateException naming tensor and element, if one is off by more or is not a number
     */
    public static double worst(
            String name, double share, double[] expected, float[] found, int all, int[] rows, int width) {
        double largest = 0;
        for (double value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            int at = at(i, all, rows, width);
            double error = Math.abs(found[at] - expected[i]);
            // So written, a NaN is an error.
            if (!(error <= share * largest)) {
                throw new IllegalStateException(
                        name + "[" + at + "] is " + found[at] + ", off by " + error + " from " + expected[i]
                                + "; at most " + share + " of the largest value, " + largest + ", expected");
            }
            worst = Math.max(worst, error);
        }
        return largest == 0 ? 0 : worst / largest;
    }
}
