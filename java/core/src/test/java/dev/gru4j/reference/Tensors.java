package dev.gru4j.reference;

import java.util.Arrays;

/** Pieces of row-major tensors (T,B,width). */
final class Tensors {
    private Tensors() {}

    /** The steps {@code [from, to)}. */
    static double[] steps(double[] tensor, int from, int to, int B, int width) {
        return Arrays.copyOfRange(tensor, from * B * width, to * B * width);
    }

    /** Row b of every step (…,width). */
    static double[] row(double[] tensor, int b, int B, int width) {
        int count = tensor.length / (B * width);
        double[] row = new double[count * width];
        for (int t = 0; t < count; t++) {
            System.arraycopy(tensor, (t * B + b) * width, row, t * width, width);
        }
        return row;
    }

    /** The steps in the opposite order. */
    static double[] reversed(double[] tensor, int B, int width) {
        int count = tensor.length / (B * width);
        double[] result = new double[tensor.length];
        for (int t = 0; t < count; t++) {
            System.arraycopy(tensor, t * B * width, result, (count - 1 - t) * B * width, B * width);
        }
        return result;
    }

    /** Zeros behind, up to {@code length} numbers. */
    static double[] padded(double[] tensor, int length) {
        return Arrays.copyOf(tensor, length);
    }

    static double[] concatenated(double[] first, double[] second) {
        double[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    static double[] sum(double[] first, double[] second) {
        double[] sum = first.clone();
        for (int k = 0; k < sum.length; k++) {
            sum[k] += second[k];
        }
        return sum;
    }

    /** √Σ v², with the largest number taken out first: the squares of 1e−200 would be 0. */
    static double norm(double[] tensor) {
        double largest = Arrays.stream(tensor).map(Math::abs).max().orElse(0);
        double squares = Arrays.stream(tensor).map(v -> v / largest * (v / largest)).sum();
        return largest == 0 ? 0 : largest * Math.sqrt(squares);
    }

    static void replaceNan(double[] tensor, double value) {
        for (int k = 0; k < tensor.length; k++) {
            tensor[k] = Double.isNaN(tensor[k]) ? value : tensor[k];
        }
    }
}
