package dev.gru4j.backend;

import org.jspecify.annotations.Nullable;

/**
 * The kernels a training loop needs around a GRU, so that a model, its gradients and its optimizer
 * state stay where the backend computes. Arguments are checked here, once for all backends; every
 * tensor starts at the first float of its memory and is row-major.
 *
 * <p>n counts rows (of a batch of T·B positions, say). Results of reductions are the same bits on
 * every run and for any number of threads.
 */
public abstract class TrainingKernels {
    /** Id of a row without a token and target of a row without a loss: skipped, its gradient 0. */
    public static final int NONE = -1;

    /**
     * Hyperparameters of one Adam step (Kingma and Ba 2015, arXiv 1412.6980; decoupled weight decay of
     * Loshchilov and Hutter 2019, arXiv 1711.05101).
     *
     * @param learningRate α
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param epsilon added to the root of the second moment
     * @param weightDecay λ; each step takes α·λ·parameter off first
     * @param step 1 for the first step; drives the bias correction, from which steps skipped by loss scaling are left
     *     out
     */
    public record Adam(
            float learningRate, float beta1, float beta2, float epsilon, float weightDecay, long step) {
        public Adam {
            if (step < 1) {
                throw new IllegalArgumentException("step is " + step + "; 1 for the first step expected");
            }
        }
    }

    /**
     * Row gather: {@code out[k,:] = table[ids[k],:]}, zero where the id is {@link #NONE}.
     *
     * @param ids (n), each {@link #NONE} or 0 … rows−1
     * @param table (rows,width)
     * @param out (n,width)
     */
    public final void embeddingForward(IntMemory ids, FloatMemory table, int n, int rows, int width, FloatMemory out) {
        atLeast("ids", ids, n);
        atLeast("table", table, (long) rows * width);
        atLeast("out", out, (long) n * width);
        doEmbeddingForward(ids, table, n, rows, width, out);
    }

    /**
     * Adjoint of {@link #embeddingForward}: {@code dTable[ids[k],:] += dOut[k,:]}, in the order of k for
     * every row of the table.
     *
     * @param accumulate false: dTable is zeroed first
     */
    public final void embeddingBackward(
            IntMemory ids, FloatMemory dOut, int n, int rows, int width, FloatMemory dTable, boolean accumulate) {
        atLeast("ids", ids, n);
        atLeast("dOut", dOut, (long) n * width);
        atLeast("dTable", dTable, (long) rows * width);
        doEmbeddingBackward(ids, dOut, n, rows, width, dTable, accumulate);
    }

    /**
     * {@code y = x·weightᵀ + bias}.
     *
     * @param x (n,in)
     * @param weight (out,in)
     * @param bias (out), or absent
     * @param y (n,out)
     */
    public final void denseForward(
            FloatMemory x, FloatMemory weight, @Nullable FloatMemory bias, int n, int in, int out, FloatMemory y) {
        atLeast("x", x, (long) n * in);
        atLeast("weight", weight, (long) out * in);
        if (bias != null) {
            atLeast("bias", bias, out);
        }
        atLeast("y", y, (long) n * out);
        doDenseForward(x, weight, bias, n, in, out, y);
    }

    /**
     * Gradients of {@link #denseForward}: {@code dx = dy·weight}, {@code dWeight = dyᵀ·x}, {@code dBias = Σ dy}.
     *
     * @param dx (n,in), or absent
     * @param dWeight (out,in)
     * @param dBias (out), or absent
     * @param accumulate whether dWeight and dBias are added to; dx is always overwritten
     */
    public final void denseBackward(
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
        atLeast("x", x, (long) n * in);
        atLeast("weight", weight, (long) out * in);
        atLeast("dy", dy, (long) n * out);
        if (dx != null) {
            atLeast("dx", dx, (long) n * in);
        }
        atLeast("dWeight", dWeight, (long) out * in);
        if (dBias != null) {
            atLeast("dBias", dBias, out);
        }
        doDenseBackward(x, weight, dy, n, in, out, dx, dWeight, dBias, accumulate);
    }

    /**
     * Softmax cross-entropy in nats: {@code loss[0] = scale·Σ_k −log softmax(logits[k,:])[targets[k]]} over
     * the rows whose target is not {@link #NONE}, and its gradient.
     *
     * @param logits (n,classes)
     * @param targets (n), each {@link #NONE} or 0 … classes−1
     * @param scale usually 1 / number of targets
     * @param loss (1), overwritten
     * @param dLogits (n,classes), overwritten, 0 in rows without a target; may be logits itself; absent: not
     *     wanted
     */
    public final void softmaxCrossEntropy(
            FloatMemory logits,
            IntMemory targets,
            int n,
            int classes,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dLogits) {
        softmaxCrossEntropy(logits, targets, n, classes, scale, loss, dLogits, null);
    }

    /**
     * The same with a scaled gradient.
     *
     * @param lossScale (1), read where it lies: dLogits is multiplied by it, the loss is not; absent: 1
     */
    public final void softmaxCrossEntropy(
            FloatMemory logits,
            IntMemory targets,
            int n,
            int classes,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dLogits,
            @Nullable FloatMemory lossScale) {
        atLeast("logits", logits, (long) n * classes);
        atLeast("targets", targets, n);
        atLeast("loss", loss, 1);
        if (dLogits != null) {
            atLeast("dLogits", dLogits, (long) n * classes);
        }
        if (lossScale != null) {
            atLeast("lossScale", lossScale, 1);
        }
        doSoftmaxCrossEntropy(logits, targets, n, classes, scale, loss, dLogits, lossScale);
    }

    /**
     * Weighted squared error: {@code loss[0] = scale·Σ_k w_k·|prediction[k,:] − target[k,:]|²} and its
     * gradient. Rows of weight 0 are not read, whatever they hold.
     *
     * @param prediction (n,width)
     * @param target (n,width)
     * @param rowWeights (n), or absent for 1
     * @param scale 1 / (Σ w · width) makes it the mean squared error
     * @param loss (1), overwritten
     * @param dPrediction (n,width), overwritten; may be prediction itself; absent: not wanted
     */
    public final void squaredError(
            FloatMemory prediction,
            FloatMemory target,
            @Nullable FloatMemory rowWeights,
            int n,
            int width,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dPrediction) {
        squaredError(prediction, target, rowWeights, n, width, scale, loss, dPrediction, null);
    }

    /**
     * The same with a scaled gradient.
     *
     * @param lossScale (1), read where it lies: dPrediction is multiplied by it, the loss is not; absent: 1
     */
    public final void squaredError(
            FloatMemory prediction,
            FloatMemory target,
            @Nullable FloatMemory rowWeights,
            int n,
            int width,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dPrediction,
            @Nullable FloatMemory lossScale) {
        atLeast("prediction", prediction, (long) n * width);
        atLeast("target", target, (long) n * width);
        if (rowWeights != null) {
            atLeast("rowWeights", rowWeights, n);
        }
        atLeast("loss", loss, 1);
        if (dPrediction != null) {
            atLeast("dPrediction", dPrediction, (long) n * width);
        }
        if (lossScale != null) {
            atLeast("lossScale", lossScale, 1);
        }
        doSquaredError(prediction, target, rowWeights, n, width, scale, loss, dPrediction, lossScale);
    }

    /** {@code result[0] = Σ v²} over the first {@code n} floats. */
    public final void squaredNorm(FloatMemory v, long n, FloatMemory result) {
        atLeast("v", v, n);
        atLeast("result", result, 1);
        doSquaredNorm(v, n, result);
    }

    /**
     * {@link #squaredNorm} of a scaled gradient, and what {@link LossScaling} makes of it: whether the step is applied or
     * skipped, and the scale of the next loss. The sum is kept in double, so a gradient of finite floats never counts as
     * overflowed, however long it is.
     *
     * @param gradient of the loss times {@code state[0]}; left as it is
     * @param state (4), see {@link LossScaling}; updated
     * @param squaredNorm (1), overwritten: of the gradient without the scale; NaN in a skipped step
     */
    public final void updateLossScale(
            FloatMemory gradient, long n, LossScaling options, FloatMemory state, FloatMemory squaredNorm) {
        atLeast("gradient", gradient, n);
        atLeast("state", state, LossScaling.STATE_LENGTH);
        atLeast("squaredNorm", squaredNorm, 1);
        doUpdateLossScale(gradient, n, options, state, squaredNorm);
    }

    /**
     * Scales {@code gradient} to the norm {@code maxNorm} if {@code squaredNorm[0]} says that it is longer
     * (Pascanu et al. 2013, arXiv 1211.5063). The norm is read where it lies: nothing waits for it. A scaled gradient is
     * shortened by the same factor, by its norm without the scale; NaN, the norm of a skipped step, changes nothing.
     */
    public final void clipByNorm(FloatMemory gradient, long n, FloatMemory squaredNorm, float maxNorm) {
        atLeast("gradient", gradient, n);
        atLeast("squaredNorm", squaredNorm, 1);
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("maxNorm is " + maxNorm + "; a positive number expected");
        }
        doClipByNorm(gradient, n, squaredNorm, maxNorm);
    }

    /**
     * {@code velocity = momentum·velocity + gradient; parameters −= learningRate·velocity}; without
     * velocity: {@code parameters −= learningRate·gradient}.
     */
    public final void sgd(
            FloatMemory parameters,
            FloatMemory gradient,
            @Nullable FloatMemory velocity,
            long n,
            float learningRate,
            float momentum) {
        sgd(parameters, gradient, velocity, n, learningRate, momentum, null);
    }

    /**
     * The same with a scaled gradient: it is multiplied by {@code lossScale[3]}, and where that is 0, nothing changes.
     *
     * @param lossScale (4), the state of {@link LossScaling} after {@link #updateLossScale}; absent: not scaled
     */
    public final void sgd(
            FloatMemory parameters,
            FloatMemory gradient,
            @Nullable FloatMemory velocity,
            long n,
            float learningRate,
            float momentum,
            @Nullable FloatMemory lossScale) {
        atLeast("parameters", parameters, n);
        atLeast("gradient", gradient, n);
        if (velocity != null) {
            atLeast("velocity", velocity, n);
        }
        if (lossScale != null) {
            atLeast("lossScale", lossScale, LossScaling.STATE_LENGTH);
        }
        doSgd(parameters, gradient, velocity, n, learningRate, momentum, lossScale);
    }

    /** One {@link Adam} step over the first {@code n} floats; m and v are the two moments. */
    public final void adam(
            FloatMemory parameters, FloatMemory gradient, FloatMemory m, FloatMemory v, long n, Adam options) {
        adam(parameters, gradient, m, v, n, options, null);
    }

    /**
     * The same with a scaled gradient: it is multiplied by {@code lossScale[3]}, and where that is 0, nothing changes. The
     * bias correction counts the applied steps alone: {@code options.step() − lossScale[2]}.
     *
     * @param lossScale (4), the state of {@link LossScaling} after {@link #updateLossScale}; absent: not scaled
     */
    public final void adam(
            FloatMemory parameters,
            FloatMemory gradient,
            FloatMemory m,
            FloatMemory v,
            long n,
            Adam options,
            @Nullable FloatMemory lossScale) {
        atLeast("parameters", parameters, n);
        atLeast("gradient", gradient, n);
        atLeast("m", m, n);
        atLeast("v", v, n);
        if (lossScale != null) {
            atLeast("lossScale", lossScale, LossScaling.STATE_LENGTH);
        }
        doAdam(parameters, gradient, m, v, n, options, lossScale);
    }

    /**
     * base^exponent by repeated squaring: a fixed sequence of double products, so that every backend finds the same bits.
     *
     * @param exponent 0 or more
     */
    protected static double power(double base, long exponent) {
        double result = 1;
        double square = base;
        for (long rest = exponent; rest > 0; rest >>= 1) {
            if ((rest & 1) != 0) {
                result *= square;
            }
            square *= square;
        }
        return result;
    }

    protected abstract void doEmbeddingForward(
            IntMemory ids, FloatMemory table, int n, int rows, int width, FloatMemory out);

    protected abstract void doEmbeddingBackward(
            IntMemory ids, FloatMemory dOut, int n, int rows, int width, FloatMemory dTable, boolean accumulate);

    protected abstract void doDenseForward(
            FloatMemory x, FloatMemory weight, @Nullable FloatMemory bias, int n, int in, int out, FloatMemory y);

    protected abstract void doDenseBackward(
            FloatMemory x,
            FloatMemory weight,
            FloatMemory dy,
            int n,
            int in,
            int out,
            @Nullable FloatMemory dx,
            FloatMemory dWeight,
            @Nullable FloatMemory dBias,
            boolean accumulate);

    protected abstract void doSoftmaxCrossEntropy(
            FloatMemory logits,
            IntMemory targets,
            int n,
            int classes,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dLogits,
            @Nullable FloatMemory lossScale);

    protected abstract void doSquaredError(
            FloatMemory prediction,
            FloatMemory target,
            @Nullable FloatMemory rowWeights,
            int n,
            int width,
            float scale,
            FloatMemory loss,
            @Nullable FloatMemory dPrediction,
            @Nullable FloatMemory lossScale);

    protected abstract void doSquaredNorm(FloatMemory v, long n, FloatMemory result);

    protected abstract void doUpdateLossScale(
            FloatMemory gradient, long n, LossScaling options, FloatMemory state, FloatMemory squaredNorm);

    protected abstract void doClipByNorm(FloatMemory gradient, long n, FloatMemory squaredNorm, float maxNorm);

    protected abstract void doSgd(
            FloatMemory parameters,
            FloatMemory gradient,
            @Nullable FloatMemory velocity,
            long n,
            float learningRate,
            float momentum,
            @Nullable FloatMemory lossScale);

    protected abstract void doAdam(
            FloatMemory parameters,
            FloatMemory gradient,
            FloatMemory m,
            FloatMemory v,
            long n,
            Adam options,
            @Nullable FloatMemory lossScale);

    private static void atLeast(String name, FloatMemory memory, long expected) {
        if (memory.length() < expected) {
            throw new IllegalArgumentException(
                    name + " has " + memory.length() + " floats; " + expected + " expected");
        }
    }

    private static void atLeast(String name, IntMemory memory, long expected) {
        if (memory.length() < expected) {
            throw new IllegalArgumentException(
                    name + " has " + memory.length() + " integers; " + expected + " expected");
        }
    }
}
