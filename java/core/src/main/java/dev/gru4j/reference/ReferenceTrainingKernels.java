package dev.gru4j.reference;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.HostIntMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.TrainingKernels;
import org.jspecify.annotations.Nullable;

/**
 * The training kernels as scalar loops. Every sum and every formula is evaluated in double, in index
 * order, and rounded to float once, when it is stored; only {@link #embeddingBackward} adds float to
 * float, because its definition is the order of these additions. The operands of the dense kernels'
 * products are rounded first, to the backend's precision.
 *
 * <p>Ids and targets outside their range are refused before anything is written.
 */
final class ReferenceTrainingKernels extends TrainingKernels {
    private final Precision precision;

    ReferenceTrainingKernels(Precision precision) {
        this.precision = precision;
    }

    @Override
    protected void doEmbeddingForward(IntMemory ids, FloatMemory table, int n, int rows, int width, FloatMemory out) {
        int[] id = indices("ids", ids, n, rows);
        Floats from = new Floats("table", table);
        Floats to = new Floats("out", out);
        for (int k = 0; k < n; k++) {
            for (int i = 0; i < width; i++) {
                to.set(k * width + i, id[k] == NONE ? 0 : from.get(id[k] * width + i));
            }
        }
    }

    @Override
    protected void doEmbeddingBackward(
            IntMemory ids, FloatMemory dOut, int n, int rows, int width, FloatMemory dTable, boolean accumulate) {
        int[] id = indices("ids", ids, n, rows);
        Floats from = new Floats("dOut", dOut);
        Floats to = new Floats("dTable", dTable);
        if (!accumulate) {
            for (int i = 0; i < rows * width; i++) {
                to.set(i, 0);
            }
        }
        for (int k = 0; k < n; k++) {
            if (id[k] == NONE) {
                continue;
            }
            for (int i = 0; i < width; i++) {
                to.add(id[k] * width + i, from.get(k * width + i));
            }
        }
    }

    @Override
    protected void doDenseForward(
            FloatMemory x, FloatMemory weight, @Nullable FloatMemory bias, int n, int in, int out, FloatMemory y) {
        Floats xs = new Floats("x", x);
        Floats w = new Floats("weight", weight);
        Floats bs = bias == null ? null : new Floats("bias", bias);
        Floats ys = new Floats("y", y);
        for (int k = 0; k < n; k++) {
            for (int j = 0; j < out; j++) {
                double sum = bs == null ? 0 : bs.get(j);
                for (int i = 0; i < in; i++) {
                    sum += precision.unrounded(xs.get(k * in + i), w.get(j * in + i));
                }
                ys.set(k * out + j, sum);
            }
        }
    }

    @Override
    protected void doDenseBackward(
            FloatMemory x,
            FloatMemory weight,
            FloatMemory dy,
            int n,
            int in,
            int out,
            @Nullable FloatMemory dx,
            FloatMemory dWeight,
            @Nullable FloatMemory dBias,
            boolean accumulate) {
        Floats xs = new Floats("x", x);
        Floats w = new Floats("weight", weight);
        Floats dys = new Floats("dy", dy);
        Floats dw = new Floats("dWeight", dWeight);
        if (dx != null) {
            Floats dxs = new Floats("dx", dx);
            for (int k = 0; k < n; k++) {
                for (int i = 0; i < in; i++) {
                    double sum = 0;
                    for (int j = 0; j < out; j++) {
                        sum += precision.unrounded(dys.get(k * out + j), w.get(j * in + i));
                    }
                    dxs.set(k * in + i, sum);
                }
            }
        }
        for (int j = 0; j < out; j++) {
            for (int i = 0; i < in; i++) {
                double sum = accumulate ? dw.get(j * in + i) : 0;
                for (int k = 0; k < n; k++) {
                    sum += precision.unrounded(dys.get(k * out + j), xs.get(k * in + i));
                }
                dw.set(j * in + i, sum);
            }
        }
        if (dBias != null) {
            Floats db = new Floats("dBias", dBias);
            for (int j = 0; j < out; j++) {
                double sum = accumulate ? db.get(j) : 0;
                for (int k = 0; k < n; k++) {
                    sum += dys.get(k * out + j);
                }
                db.set(j, sum);
            }
        }
    }

    /**
     * With m the row's largest logit: −log softmax_j = log Σ e^(l_i − m) − (l_j − m), where no exponential
     * can overflow; gradient scale·(softmax_j − [j is the target]).
     */
    @Override
    protected void doSoftmaxCrossEntropy(
            FloatMemory logits,
            IntMemory targets,
            int n,
            int classes,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dLogits,
            @Nullable FloatMemory lossScale) {
        int[] target = indices("targets", targets, n, classes);
        Floats l = new Floats("logits", logits);
        Floats dl = dLogits == null ? null : new Floats("dLogits", dLogits);
        double gradientScale = gradientScale(scale, lossScale);
        double total = 0;
        for (int k = 0; k < n; k++) {
            boolean counts = target[k] != NONE;
            double largest = Double.NEGATIVE_INFINITY;
            double sum = 0;
            if (counts) {
                for (int j = 0; j < classes; j++) {
                    largest = Math.max(largest, l.get(k * classes + j));
                }
                for (int j = 0; j < classes; j++) {
                    sum += StrictMath.exp(l.get(k * classes + j) - largest);
                }
                total += StrictMath.log(sum) - (l.get(k * classes + target[k]) - largest);
            }
            if (dl == null) {
                continue;
            }
            for (int j = 0; j < classes; j++) {
                int at = k * classes + j;
                double softmax = counts ? StrictMath.exp(l.get(at) - largest) / sum : 0;
                dl.set(at, counts ? gradientScale * (softmax - (j == target[k] ? 1 : 0)) : 0);
            }
        }
        new Floats("loss", loss).set(0, scale * total);
    }

    @Override
    protected void doSquaredError(
            FloatMemory prediction,
            FloatMemory target,
            @Nullable FloatMemory rowWeights,
            int n,
            int width,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dPrediction,
            @Nullable FloatMemory lossScale) {
        Floats ps = new Floats("prediction", prediction);
        Floats ts = new Floats("target", target);
        Floats ws = rowWeights == null ? null : new Floats("rowWeights", rowWeights);
        Floats dps = dPrediction == null ? null : new Floats("dPrediction", dPrediction);
        double gradientScale = gradientScale(scale, lossScale);
        double total = 0;
        for (int k = 0; k < n; k++) {
            double w = ws == null ? 1 : ws.get(k);
            for (int i = 0; i < width; i++) {
                int at = k * width + i;
                double difference = w == 0 ? 0 : ps.get(at) - ts.get(at);
                total += w * difference * difference;
                if (dps != null) {
                    dps.set(at, 2 * gradientScale * w * difference);
                }
            }
        }
        new Floats("loss", loss).set(0, scale * total);
    }

    private static double gradientScale(float scale, @Nullable FloatMemory lossScale) {
        return lossScale == null ? scale : scale * new Floats("lossScale", lossScale).get(LossScaling.SCALE);
    }

    @Override
    protected void doSquaredNorm(FloatMemory v, long n, FloatMemory result) {
        new Floats("result", result).set(0, sumOfSquares(new Floats("v", v), n));
    }

    @Override
    protected void doUpdateLossScale(
            FloatMemory gradient, long n, LossScaling options, FloatMemory state, FloatMemory squaredNorm) {
        double sum = sumOfSquares(new Floats("gradient", gradient), n);
        new Floats("squaredNorm", squaredNorm).set(0, options.advance(HostFloatMemory.of("state", state), sum));
    }

    private static double sumOfSquares(Floats v, long n) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum += v.get(k) * v.get(k);
        }
        return sum;
    }

    @Override
    protected void doClipByNorm(FloatMemory gradient, long n, FloatMemory squaredNorm, float maxNorm) {
        Floats g = new Floats("gradient", gradient);
        double norm = Math.sqrt(new Floats("squaredNorm", squaredNorm).get(0));
        if (norm > maxNorm) {
            double factor = maxNorm / norm;
            for (int k = 0; k < n; k++) {
                g.set(k, g.get(k) * factor);
            }
        }
    }

    @Override
    protected void doSgd(
            FloatMemory parameters,
            FloatMemory gradient,
            @Nullable FloatMemory velocity,
            long n,
            float learningRate,
            float momentum,
            @Nullable FloatMemory lossScale) {
        double unscale = unscale(lossScale);
        if (unscale == 0) {
            return;
        }
        Floats ps = new Floats("parameters", parameters);
        Floats gs = new Floats("gradient", gradient);
        Floats vs = velocity == null ? null : new Floats("velocity", velocity);
        for (int k = 0; k < n; k++) {
            double step = gs.get(k) * unscale;
            if (vs != null) {
                vs.set(k, momentum * vs.get(k) + step);
                step = vs.get(k);
            }
            ps.set(k, ps.get(k) - learningRate * step);
        }
    }

    @Override
    protected void doAdam(
            FloatMemory parameters,
            FloatMemory gradient,
            FloatMemory m,
            FloatMemory v,
            long n,
            Adam options,
            @Nullable FloatMemory lossScale) {
        double unscale = unscale(lossScale);
        if (unscale == 0) {
            return;
        }
        Floats ps = new Floats("parameters", parameters);
        Floats gs = new Floats("gradient", gradient);
        Floats ms = new Floats("m", m);
        Floats vs = new Floats("v", v);
        double beta1 = options.beta1();
        double beta2 = options.beta2();
        // Both moments start at 0 and so are too small by 1 − β^step.
        double correction1 = correction(beta1, options.step(), lossScale);
        double correction2 = correction(beta2, options.step(), lossScale);
        double decay = 1 - (double) options.learningRate() * options.weightDecay();
        for (int k = 0; k < n; k++) {
            double g = gs.get(k) * unscale;
            double first = beta1 * ms.get(k) + (1 - beta1) * g;
            double second = beta2 * vs.get(k) + (1 - beta2) * g * g;
            double step = first / correction1 / (Math.sqrt(second / correction2) + options.epsilon());
            ms.set(k, first);
            vs.set(k, second);
            ps.set(k, ps.get(k) * decay - options.learningRate() * step);
        }
    }

    /** Factor of a gradient; 0: the step is skipped. */
    private static double unscale(@Nullable FloatMemory lossScale) {
        return lossScale == null ? 1 : new Floats("lossScale", lossScale).get(LossScaling.UNSCALE);
    }

    /** 1 − β^t, t being the number of applied steps, this one included. */
    private static double correction(double beta, long step, @Nullable FloatMemory lossScale) {
        if (lossScale == null) {
            return 1 - StrictMath.pow(beta, (double) step);
        }
        long skipped = (long) new Floats("lossScale", lossScale).get(LossScaling.SKIPPED_STEPS);
        return 1 - power(beta, step - skipped);
    }

    /** The first n of {@code memory}, each {@link #NONE} or below {@code range}. */
    private static int[] indices(String name, IntMemory memory, int n, int range) {
        int[] values = HostIntMemory.of(name, memory).array();
        for (int k = 0; k < n; k++) {
            if (values[k] != NONE && (values[k] < 0 || values[k] >= range)) {
                throw new IllegalArgumentException(name + "[" + k + "] is " + values[k] + "; 0 to " + (range - 1)
                        + ", or " + NONE + " for none, expected");
            }
        }
        return values;
    }

    /** Host memory, read as double and rounded to float when written. */
    private static final class Floats {
        private final float[] array;
        private final int offset;

        Floats(String name, FloatMemory memory) {
            HostFloatMemory host = HostFloatMemory.of(name, memory);
            this.array = host.array();
            this.offset = host.offset();
        }

        double get(int index) {
            return array[offset + index];
        }

        void set(int index, double value) {
            array[offset + index] = (float) value;
        }

        /** Float addition: rounding the double sum of two floats equals it. */
        void add(int index, double value) {
            array[offset + index] = (float) (array[offset + index] + value);
        }
    }
}
