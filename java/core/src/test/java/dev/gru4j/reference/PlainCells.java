package dev.gru4j.reference;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruVariant;
import java.util.Arrays;
import java.util.Objects;

/** Two recurrent cells of comparison, written without the reference's code; one forward layer with both biases. */
final class PlainCells {
    private final Problem problem;
    private final ReferenceWeights w;
    private final double[] biasIh;
    private final double[] biasHh;
    private final int inputSize;
    private final int hiddenSize;

    PlainCells(Problem problem) {
        this.problem = problem;
        this.w = ReferenceWeights.from(
                GruParameters.of(problem.spec()), problem.tensors().parameters, 0, 0);
        this.biasIh = Objects.requireNonNull(w.biasIh);
        this.biasHh = Objects.requireNonNull(w.biasHh);
        this.inputSize = problem.spec().inputSize();
        this.hiddenSize = problem.spec().hiddenSize();
    }

    /** One step: the state after it from x (I) and the state before it (H). */
    private interface Step {
        double[] next(double[] x, double[] h);
    }

    /** All states (T,B,H) of h' = tanh(W_in·x + b_in + W_hn·h + b_hn). */
    double[] tanhRnn() {
        return run((x, h) -> {
            double[] next = input(Gates.CANDIDATE, x);
            double[] recurrent = recurrent(Gates.CANDIDATE, h);
            for (int j = 0; j < hiddenSize; j++) {
                next[j] = Math.tanh(next[j] + recurrent[j]);
            }
            return next;
        });
    }

    /** All states (T,B,H) of a GRU with h' = (1 − u) ⊙ h + u ⊙ n, as textbooks write it. */
    double[] textbookGru() {
        return run((x, h) -> {
            double[] r = logistic(Gates.RESET, x, h);
            double[] u = logistic(Gates.UPDATE, x, h);
            double[] n = candidate(x, h, r);
            double[] next = new double[hiddenSize];
            for (int j = 0; j < hiddenSize; j++) {
                next[j] = (1 - u[j]) * h[j] + u[j] * n[j];
            }
            return next;
        });
    }

    private double[] run(Step step) {
        int B = problem.B();
        double[] y = new double[problem.T() * B * hiddenSize];
        for (int b = 0; b < B; b++) {
            double[] h = Arrays.copyOfRange(problem.tensors().h0, b * hiddenSize, (b + 1) * hiddenSize);
            for (int t = 0; t < problem.T(); t++) {
                int at = t * B + b;
                h = step.next(Arrays.copyOfRange(problem.tensors().x, at * inputSize, (at + 1) * inputSize), h);
                System.arraycopy(h, 0, y, at * hiddenSize, hiddenSize);
            }
        }
        return y;
    }

    private double[] candidate(double[] x, double[] h, double[] r) {
        boolean before = problem.spec().variant() == GruVariant.RESET_BEFORE;
        double[] n = input(Gates.CANDIDATE, x);
        double[] recurrent = recurrent(Gates.CANDIDATE, before ? product(r, h) : h);
        double[] gated = before ? recurrent : product(r, recurrent);
        for (int j = 0; j < hiddenSize; j++) {
            n[j] = Math.tanh(n[j] + gated[j]);
        }
        return n;
    }

    private double[] logistic(int gate, double[] x, double[] h) {
        double[] result = input(gate, x);
        double[] recurrent = recurrent(gate, h);
        for (int j = 0; j < hiddenSize; j++) {
            result[j] = 1 / (1 + Math.exp(-(result[j] + recurrent[j])));
        }
        return result;
    }

    private double[] input(int gate, double[] x) {
        return affine(w.weightIh, biasIh, gate, x);
    }

    private double[] recurrent(int gate, double[] h) {
        return affine(w.weightHh, biasHh, gate, h);
    }

    /** Bias first, unlike the reference: nothing here shall agree by sharing its order. */
    private double[] affine(double[] weight, double[] bias, int gate, double[] v) {
        double[] result = Arrays.copyOfRange(bias, gate * hiddenSize, (gate + 1) * hiddenSize);
        for (int j = 0; j < hiddenSize; j++) {
            for (int k = 0; k < v.length; k++) {
                result[j] += weight[(gate * hiddenSize + j) * v.length + k] * v[k];
            }
        }
        return result;
    }

    private static double[] product(double[] a, double[] b) {
        double[] result = new double[a.length];
        for (int j = 0; j < a.length; j++) {
            result[j] = a[j] * b[j];
        }
        return result;
    }
}
