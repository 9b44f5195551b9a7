package dev.gru4j.reference;

import org.jspecify.annotations.Nullable;

/**
 * W·x + b for one row x, and its gradients. W is row-major (rows,K); every method works on the rows
 * {@code [from, to)} of W, so that a cell which needs one gate's block can ask for it.
 *
 * <p>Sums run over k = 0, 1, 2, … with the operands of every product ({@link Precision#product}), every product and
 * every partial sum rounded. Biases and their gradients are no products: their numbers are taken as they are.
 */
final class ReferenceProjection {
    private ReferenceProjection() {}

    /**
     * {@code out[i] = Σ_k w[i,k]·x[k] + bias[i]}.
     *
     * @param w (rows,K)
     * @param bias (rows), or absent
     * @param x (K)
     * @param out (rows), written at {@code [from, to)}
     */
    static void forward(
            Precision p, double[] w, double @Nullable [] bias, int from, int to, double[] x, double[] out) {
        int K = x.length;
        for (int i = from; i < to; i++) {
            double sum = 0;
            for (int k = 0; k < K; k++) {
                sum = p.round(sum + p.product(w[i * K + k], x[k]));
            }
            out[i] = bias == null ? sum : p.round(sum + bias[i]);
        }
    }

    /**
     * {@code dx[k] += Σ_i dOut[i]·w[i,k]}.
     *
     * @param dOut (rows)
     * @param dx (K), added to
     */
    static void backwardInput(Precision p, double[] w, int from, int to, double[] dOut, double[] dx) {
        int K = dx.length;
        for (int k = 0; k < K; k++) {
            double sum = 0;
            for (int i = from; i < to; i++) {
                sum = p.round(sum + p.product(dOut[i], w[i * K + k]));
            }
            dx[k] = p.round(dx[k] + sum);
        }
    }

    /**
     * {@code dW[i,k] += dOut[i]·x[k]}, {@code dBias[i] += dOut[i]}.
     *
     * @param dOut (rows)
     * @param x (K), the input of the forward
     * @param dW (rows,K), added to
     * @param dBias (rows), added to; absent where there is no bias
     */
    static void backwardParameters(
            Precision p, int from, int to, double[] dOut, double[] x, double[] dW, double @Nullable [] dBias) {
        int K = x.length;
        for (int i = from; i < to; i++) {
            for (int k = 0; k < K; k++) {
                dW[i * K + k] = p.round(dW[i * K + k] + p.product(dOut[i], x[k]));
            }
            if (dBias != null) {
                dBias[i] = p.round(dBias[i] + dOut[i]);
            }
        }
    }
}
