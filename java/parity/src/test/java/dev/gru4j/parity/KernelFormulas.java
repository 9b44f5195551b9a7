package dev.gru4j.parity;

import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.reference.Precision;
import java.util.Map;

/**
 * The training kernels, written from their formulas; one text in every precision, as in {@link dev.gru4j.reference}.
 * Arguments are those of {@link TrainingKernels}; results go back by name. The kernels of the reference backend cannot
 * serve as the float twin: they keep their sums in double, which is more than a backend has to do.
 */
final class KernelFormulas {
    private KernelFormulas() {}

    /** {@code out[k,:] = table[ids[k],:]}. */
    static Map<String, double[]> embeddingForward(int[] ids, double[] table, int width) {
        double[] out = new double[ids.length * width];
        for (int k = 0; k < ids.length; k++) {
            for (int j = 0; j < width && ids[k] != TrainingKernels.NONE; j++) {
                out[k * width + j] = table[ids[k] * width + j];
            }
        }
        return Map.of("out", out);
    }

    /** {@code dTable[ids[k],:] += dOut[k,:]}; {@code base} is what is added to. */
    static Map<String, double[]> embeddingBackward(Precision p, int[] ids, double[] dOut, double[] base, int width) {
        double[] dTable = base.clone();
        for (int k = 0; k < ids.length; k++) {
            for (int j = 0; j < width && ids[k] != TrainingKernels.NONE; j++) {
                int at = ids[k] * width + j;
                dTable[at] = p.round(dTable[at] + dOut[k * width + j]);
            }
        }
        return Map.of("dTable", dTable);
    }

    /** {@code y = x·weightᵀ + bias}. */
    static Map<String, double[]> denseForward(
            Precision p, double[] x, double[] weight, double[] bias, int n, int in, int out) {
        double[] y = new double[n * out];
        for (int k = 0; k < n; k++) {
            for (int o = 0; o < out; o++) {
                double sum = bias[o];
                for (int i = 0; i < in; i++) {
                    sum = p.round(sum + p.product(x[k * in + i], weight[o * in + i]));
                }
                y[k * out + o] = sum;
            }
        }
        return Map.of("y", y);
    }

    /** {@code dx = dy·weight, dWeight += dyᵀ·x, dBias += Σ dy}. */
    static Map<String, double[]> denseBackward(
            Precision p,
            double[] x,
            double[] weight,
            double[] dy,
            double[] baseWeight,
            double[] baseBias,
            int n,
            int in,
            int out) {
        double[] dx = new double[n * in];
        double[] dWeight = baseWeight.clone();
        double[] dBias = baseBias.clone();
        for (int k = 0; k < n; k++) {
            for (int o = 0; o < out; o++) {
                double d = dy[k * out + o];
                dBias[o] = p.round(dBias[o] + d);
                for (int i = 0; i < in; i++) {
                    dx[k * in + i] = p.round(dx[k * in + i] + p.product(d, weight[o * in + i]));
                    dWeight[o * in + i] = p.round(dWeight[o * in + i] + p.product(d, x[k * in + i]));
                }
            }
        }
        return Map.of("dx", dx, "dWeight", dWeight, "dBias", dBias);
    }

    /** {@code loss = scale·Σ (log Σ_c e^logit_c − logit_target)}, {@code dLogits = scale·(softmax − onehot)}. */
    static Map<String, double[]> softmaxCrossEntropy(
            Precision p, double[] logits, int[] targets, int classes, float scale) {
        double loss = 0;
        double[] dLogits = new double[logits.length];
        for (int k = 0; k < targets.length; k++) {
            if (targets[k] == TrainingKernels.NONE) {
                continue;
            }
            double largest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < classes; c++) {
                largest = Math.max(largest, logits[k * classes + c]);
            }
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum = p.round(sum + exp(p, logits[k * classes + c] - largest));
            }
            double logSum = p.round(p.round(Math.log(sum)) + largest);
            loss = p.round(loss + p.round(logSum - logits[k * classes + targets[k]]));
            for (int c = 0; c < classes; c++) {
                double share = p.round(exp(p, logits[k * classes + c] - largest) / sum);
                dLogits[k * classes + c] = p.round(scale * p.round(share - (c == targets[k] ? 1 : 0)));
            }
        }
        return Map.of("loss", new double[] {p.round(scale * loss)}, "dLogits", dLogits);
    }

    /** {@code loss = scale·Σ w·|prediction − target|²}, {@code dPrediction = 2·scale·w·(prediction − target)}. */
    static Map<String, double[]> squaredError(
            Precision p, double[] prediction, double[] target, double[] rowWeights, int width, float scale) {
        double loss = 0;
        double[] dPrediction = new double[prediction.length];
        for (int k = 0; k < prediction.length; k++) {
            double w = rowWeights[k / width];
            if (w != 0) {
                double difference = p.round(prediction[k] - target[k]);
                double weighted = p.round(w * difference);
                loss = add(p, loss, weighted, difference);
                dPrediction[k] = p.round(2 * scale * weighted);
            }
        }
        return Map.of("loss", new double[] {p.round(scale * loss)}, "dPrediction", dPrediction);
    }

    /** {@code Σ v²}. */
    static Map<String, double[]> squaredNorm(Precision p, double[] v) {
        double sum = 0;
        for (double value : v) {
            sum = add(p, sum, value, value);
        }
        return Map.of("result", new double[] {sum});
    }

    /** {@code gradient·min(1, maxNorm / √squaredNorm)}. */
    static Map<String, double[]> clipByNorm(Precision p, double[] gradient, double squaredNorm, float maxNorm) {
        double scale = Math.min(1, p.round(maxNorm / p.round(Math.sqrt(squaredNorm))));
        double[] clipped = new double[gradient.length];
        for (int k = 0; k < clipped.length; k++) {
            clipped[k] = p.round(scale * gradient[k]);
        }
        return Map.of("gradient", clipped);
    }

    /** {@code velocity = momentum·velocity + gradient; parameters −= learningRate·velocity}. */
    static Map<String, double[]> sgd(
            Precision p, double[] parameters, double[] gradient, double[] velocity, float learningRate,
            float momentum) {
        double[] newVelocity = new double[velocity.length];
        double[] newParameters = new double[parameters.length];
        for (int k = 0; k < parameters.length; k++) {
            newVelocity[k] = add(p, gradient[k], momentum, velocity[k]);
            newParameters[k] = add(p, parameters[k], -learningRate, newVelocity[k]);
        }
        return Map.of("parameters", newParameters, "velocity", newVelocity);
    }

    /** Algorithm 1 of arXiv 1412.6980 with the decoupled decay of arXiv 1711.05101. */
    static Map<String, double[]> adam(
            Precision p, double[] parameters, double[] gradient, double[] m, double[] v, TrainingKernels.Adam options) {
        double beta1 = options.beta1();
        double beta2 = options.beta2();
        double rate = options.learningRate();
        double correction1 = p.round(1 - Math.pow(beta1, (double) options.step()));
        double correction2 = p.round(1 - Math.pow(beta2, (double) options.step()));
        double[] newM = new double[m.length];
        double[] newV = new double[v.length];
        double[] newParameters = new double[parameters.length];
        for (int k = 0; k < parameters.length; k++) {
            double g = gradient[k];
            newM[k] = add(p, p.round(beta1 * m[k]), p.round(1 - beta1), g);
            newV[k] = add(p, p.round(beta2 * v[k]), p.round(1 - beta2), p.round(g * g));
            double mHat = p.round(newM[k] / correction1);
            double root = p.round(Math.sqrt(p.round(newV[k] / correction2)));
            double decayed = add(p, parameters[k], -p.round(rate * options.weightDecay()), parameters[k]);
            newParameters[k] = add(p, decayed, -rate, p.round(mHat / p.round(root + options.epsilon())));
        }
        return Map.of("parameters", newParameters, "m", newM, "v", newV);
    }

    /** sum + a·b, both roundings. */
    private static double add(Precision p, double sum, double a, double b) {
        return p.round(sum + p.round(a * b));
    }

    private static double exp(Precision p, double difference) {
        return p.round(Math.exp(p.round(difference)));
    }
}
