package dev.gru4j.cuda;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.cuda.CudaKernels.Kernel;
import dev.gru4j.cuda.CudaProduct.Form;
import org.jspecify.annotations.Nullable;

/**
 * The training kernels on the device. Everything is enqueued; nothing waits. Grids are a function of the
 * sizes alone, for a sum's bits depend on how many blocks share it.
 */
final class CudaTrainingKernels extends TrainingKernels {
    /** Blocks of a kernel by element: enough for any GPU, few enough for one block to add up their sums. */
    private static final int MAX_BLOCKS = 1024;

    /** One double for each thread of a kernel by element. */
    private static final int SUM_SHARED_BYTES = CudaKernels.ELEMENT_THREADS * Double.BYTES;

    /** The two factors of a step, computed once for each block. */
    private static final int ADAM_SHARED_BYTES = 2 * Float.BYTES;

    private static final int SOFTMAX_SHARED_BYTES = CudaKernels.ROW_THREADS * Double.BYTES;

    private final CudaSession session;
    private final CudaProduct product;
    private final CudaScratch scratch;

    CudaTrainingKernels(CudaSession session) {
        this.session = session;
        this.product = new CudaProduct(session);
        this.scratch = new CudaScratch(session);
    }

    @Override
    protected void doEmbeddingForward(IntMemory ids, FloatMemory table, int n, int rows, int width, FloatMemory out) {
        long idsAddress = CudaIntMemory.indices("ids", ids, n, rows, session);
        long tableAddress = address("table", table);
        long outAddress = address("out", out);
        embedding(Kernel.EMBEDDING_FORWARD, idsAddress, tableAddress, outAddress, n, rows, width, false, n);
    }

    @Override
    protected void doEmbeddingBackward(
            IntMemory ids, FloatMemory dOut, int n, int rows, int width, FloatMemory dTable, boolean accumulate) {
        long idsAddress = CudaIntMemory.indices("ids", ids, n, rows, session);
        long dOutAddress = address("dOut", dOut);
        long dTableAddress = address("dTable", dTable);
        embedding(Kernel.EMBEDDING_BACKWARD, idsAddress, dTableAddress, dOutAddress, n, rows, width, accumulate, rows);
    }

    private void embedding(
            Kernel kernel, long ids, long table, long positions, int n, int rows, int width, boolean accumulate,
            int gridRows) {
        if (gridRows == 0 || width == 0) {
            return;
        }
        session.enter();
        try {
            session.arguments()
                    .put(ids)
                    .put(table)
                    .put(positions)
                    .put(0L) // no fault to report: the ids are checked
                    .put(n)
                    .put(rows)
                    .put(width)
                    .put(accumulate);
            session.launch(kernel, CudaProduct.rowBlocks(gridRows, width), 0);
        } finally {
            session.leave();
        }
    }

    @Override
    protected void doDenseForward(
            FloatMemory x, FloatMemory weight, @Nullable FloatMemory bias, int n, int in, int out, FloatMemory y) {
        session.enter();
        try {
            product.of(Form.NT, n, out, in)
                    .a(address("x", x), in)
                    .b(address("weight", weight), in)
                    .bias(addressOrAbsent("bias", bias))
                    .into(address("y", y), out)
                    .runLarge();
        } finally {
            session.leave();
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
        long dyAddress = address("dy", dy);
        long xAddress = address("x", x);
        long dWeightAddress = address("dWeight", dWeight);
        long dBiasAddress = addressOrAbsent("dBias", dBias);
        session.enter();
        try {
            if (dx != null) {
                product.of(Form.NN, n, in, out)
                        .a(dyAddress, out)
                        .b(address("weight", weight), in)
                        .into(address("dx", dx), in)
                        .runLarge();
            }
            long partial = scratch.atLeast(Float.BYTES
                    * Math.max(CudaProduct.partialFloats(out, in, n), CudaColumnSums.partialFloats(out, n)));
            product.of(Form.TN, out, in, n)
                    .a(dyAddress, out)
                    .b(xAddress, in)
                    .into(dWeightAddress, in)
                    .accumulate(accumulate)
                    .splitInto(partial)
                    .runLarge();
            if (dBiasAddress != 0) {
                CudaColumnSums.run(session, dyAddress, n, out, 0, 0, dBiasAddress, accumulate, partial);
            }
        } finally {
            session.leave();
        }
    }

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
        long targetsAddress = CudaIntMemory.indices("targets", targets, n, classes, session);
        long logitsAddress = address("logits", logits);
        long lossAddress = address("loss", loss);
        long dLogitsAddress = addressOrAbsent("dLogits", dLogits);
        long lossScaleAddress = addressOrAbsent("lossScale", lossScale);
        session.enter();
        try {
            long rowLoss = scratch.atLeast((long) n * Double.BYTES);
            if (n > 0) {
                session.arguments()
                        .put(logitsAddress)
                        .put(targetsAddress)
                        .put(dLogitsAddress)
                        .put(rowLoss)
                        .put(0L) // no fault to report: the targets are checked
                        .put(lossScaleAddress)
                        .put(n)
                        .put(classes)
                        .put(scale);
                session.launch(Kernel.SOFTMAX_CROSS_ENTROPY, n, SOFTMAX_SHARED_BYTES);
            }
            sum(rowLoss, n, scale, lossAddress);
        } finally {
            session.leave();
        }
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
        long predictionAddress = address("prediction", prediction);
        long targetAddress = address("target", target);
        long weightsAddress = addressOrAbsent("rowWeights", rowWeights);
        long lossAddress = address("loss", loss);
        long dPredictionAddress = addressOrAbsent("dPrediction", dPrediction);
        long lossScaleAddress = addressOrAbsent("lossScale", lossScale);
        int blocks = elementBlocks((long) n * width);
        session.enter();
        try {
            long partial = scratch.atLeast((long) blocks * Double.BYTES);
            if (blocks > 0) {
                session.arguments()
                        .put(predictionAddress)
                        .put(targetAddress)
                        .put(weightsAddress)
                        .put(dPredictionAddress)
                        .put(partial)
                        .put(lossScaleAddress)
                        .put(n)
                        .put(width)
                        .put(scale);
                session.launch(Kernel.SQUARED_ERROR, blocks, SUM_SHARED_BYTES);
            }
            sum(partial, blocks, scale, lossAddress);
        } finally {
            session.leave();
        }
    }

    @Override
    protected void doSquaredNorm(FloatMemory v, long n, FloatMemory result) {
        long vAddress = address("v", v);
        long resultAddress = address("result", result);
        session.enter();
        try {
            sum(squares(vAddress, n), elementBlocks(n), 1, resultAddress);
        } finally {
            session.leave();
        }
    }

    @Override
    protected void doUpdateLossScale(
            FloatMemory gradient, long n, LossScaling options, FloatMemory state, FloatMemory squaredNorm) {
        long gradientAddress = address("gradient", gradient);
        long stateAddress = address("state", state);
        long normAddress = address("squaredNorm", squaredNorm);
        session.enter();
        try {
            long partial = squares(gradientAddress, n);
            session.arguments()
                    .put(partial)
                    .put(stateAddress)
                    .put(normAddress)
                    .put((long) elementBlocks(n))
                    .put(options.smallest())
                    .put(options.largest())
                    .put(options.growthInterval());
            session.launch(Kernel.UPDATE_LOSS_SCALE, 1, SUM_SHARED_BYTES);
        } finally {
            session.leave();
        }
    }

    /** Address of Σ v² of each block, {@link #elementBlocks} of them. */
    private long squares(long v, long n) {
        int blocks = elementBlocks(n);
        long partial = scratch.atLeast((long) blocks * Double.BYTES);
        if (blocks > 0) {
            session.arguments().put(v).put(partial).put(n);
            session.launch(Kernel.SQUARED_NORM, blocks, SUM_SHARED_BYTES);
        }
        return partial;
    }

    @Override
    protected void doClipByNorm(FloatMemory gradient, long n, FloatMemory squaredNorm, float maxNorm) {
        long gradientAddress = address("gradient", gradient);
        long normAddress = address("squaredNorm", squaredNorm);
        session.enter();
        try {
            session.arguments().put(gradientAddress).put(normAddress).put(n).put(maxNorm).put(0);
            launchByElement(Kernel.CLIP_BY_NORM, n, 0);
        } finally {
            session.leave();
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
        long parametersAddress = address("parameters", parameters);
        long gradientAddress = address("gradient", gradient);
        long velocityAddress = addressOrAbsent("velocity", velocity);
        long lossScaleAddress = addressOrAbsent("lossScale", lossScale);
        session.enter();
        try {
            session.arguments()
                    .put(parametersAddress)
                    .put(gradientAddress)
                    .put(velocityAddress)
                    .put(lossScaleAddress)
                    .put(n)
                    .put(learningRate)
                    .put(momentum);
            launchByElement(Kernel.SGD, n, 0);
        } finally {
            session.leave();
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
        long parametersAddress = address("parameters", parameters);
        long gradientAddress = address("gradient", gradient);
        long mAddress = address("m", m);
        long vAddress = address("v", v);
        long lossScaleAddress = addressOrAbsent("lossScale", lossScale);
        // Both moments start at 0 and so are too small by 1 − β^step. With a scaled loss the kernel counts the steps.
        double correction1 = 1 - StrictMath.pow(options.beta1(), (double) options.step());
        double correction2 = 1 - StrictMath.pow(options.beta2(), (double) options.step());
        session.enter();
        try {
            session.arguments()
                    .put(parametersAddress)
                    .put(gradientAddress)
                    .put(mAddress)
                    .put(vAddress)
                    .put(lossScaleAddress)
                    .put(n)
                    .put(options.step())
                    .put(options.learningRate())
                    .put(options.beta1())
                    .put(options.beta2())
                    .put((float) ((double) options.learningRate() * options.weightDecay()))
                    .put((float) (options.learningRate() / correction1))
                    .put((float) (1 / Math.sqrt(correction2)))
                    .put(options.epsilon());
            launchByElement(Kernel.ADAM, n, ADAM_SHARED_BYTES);
        } finally {
            session.leave();
        }
    }

    /** result[0] = scale·Σ of {@code count} doubles. */
    private void sum(long doubles, int count, double scale, long result) {
        session.arguments().put(doubles).put(result).put((long) count).put(scale);
        session.launch(Kernel.SUM, 1, SUM_SHARED_BYTES);
    }

    private void launchByElement(Kernel kernel, long n, int sharedBytes) {
        if (n > 0) {
            session.launch(kernel, elementBlocks(n), sharedBytes);
        }
    }

    private static int elementBlocks(long n) {
        return (int) Math.min(MAX_BLOCKS, Math.ceilDiv(n, (long) CudaKernels.ELEMENT_THREADS));
    }

    private long address(String name, FloatMemory memory) {
        return CudaFloatMemory.address(name, memory, session);
    }

    private long addressOrAbsent(String name, @Nullable FloatMemory memory) {
        return memory == null ? 0 : address(name, memory);
    }
}
