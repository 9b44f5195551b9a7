package dev.gru4j.simd;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.HostIntMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.TrainingKernels;
import org.jspecify.annotations.Nullable;

/**
 * The training kernels: dense layers through the tiles of the GRU, the rest in vectors, all of it split
 * over the pool. Losses and norms are summed in double, blockwise and in the order of the blocks, so
 * that the number of threads does not change them.
 */
final class SimdTrainingKernels extends TrainingKernels {
    /** Floats that one thread takes at a time in a pass over a flat row. */
    private static final int BLOCK = 1 << 13;

    /** Floats of work below which the caller's thread does it alone. */
    private static final long SMALL = 1 << 15;

    private final SimdKernels kernels;
    private final SimdPool pool;
    private final SimdScratch.Pool scratches;

    SimdTrainingKernels(SimdKernels kernels, SimdPool pool, SimdScratch.Pool scratches) {
        this.kernels = kernels;
        this.pool = pool;
        this.scratches = scratches;
    }

    @Override
    protected void doEmbeddingForward(IntMemory ids, FloatMemory table, int n, int rows, int width, FloatMemory out) {
        int[] id = indices("ids", ids, n, rows);
        HostFloatMemory from = HostFloatMemory.of("table", table);
        HostFloatMemory to = HostFloatMemory.of("out", out);
        float[] source = from.array();
        float[] target = to.array();
        pool.run((worker, team) -> {
            for (int k = team.share(n, worker); k < team.share(n, worker + 1); k++) {
                int at = to.offset() + k * width;
                if (id[k] == NONE) {
                    java.util.Arrays.fill(target, at, at + width, 0f);
                } else {
                    System.arraycopy(source, from.offset() + id[k] * width, target, at, width);
                }
            }
        }, threads((long) n * width));
    }

    @Override
    protected void doEmbeddingBackward(
            IntMemory ids, FloatMemory dOut, int n, int rows, int width, FloatMemory dTable, boolean accumulate) {
        int[] id = indices("ids", ids, n, rows);
        HostFloatMemory from = HostFloatMemory.of("dOut", dOut);
        HostFloatMemory to = HostFloatMemory.of("dTable", dTable);
        float[] source = from.array();
        float[] target = to.array();
        if (!accumulate) {
            java.util.Arrays.fill(target, to.offset(), to.offset() + rows * width, 0f);
        }
        // By columns: each thread walks all of ids in order, so every element gets its sums in the order of k.
        pool.run((worker, team) -> {
            int column = team.share(width, worker);
            int count = team.share(width, worker + 1) - column;
            for (int k = 0; k < n; k++) {
                if (id[k] != NONE) {
                    kernels.add(
                            target, to.offset() + id[k] * width + column,
                            source, from.offset() + k * width + column, count);
                }
            }
        }, threads((long) n * width));
    }

    @Override
    protected void doDenseForward(
            FloatMemory x, FloatMemory weight, @Nullable FloatMemory bias, int n, int in, int out, FloatMemory y) {
        HostFloatMemory xs = HostFloatMemory.of("x", x);
        HostFloatMemory w = HostFloatMemory.of("weight", weight);
        HostFloatMemory ys = HostFloatMemory.of("y", y);
        SimdScratch scratch = scratches.take();
        try {
            SimdRowProduct p = scratch.rowProduct;
            p.panels = scratch.offHeap((long) SimdGeometry.roundUp(out, kernels.lanes) * in);
            SimdPanels.packTransposed(kernels, w.array(), w.offset(), out, in, p.panels, pool);
            p.bias = scratch.clearedRow(SimdGeometry.roundUp(out, kernels.shape.generalVectors() * kernels.lanes));
            if (bias != null) {
                bias.download(0, p.bias, 0, out);
            }
            multiplyRows(scratch, xs, n, in, out, ys);
        } finally {
            scratches.giveBack(scratch);
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
        HostFloatMemory xs = HostFloatMemory.of("x", x);
        HostFloatMemory w = HostFloatMemory.of("weight", weight);
        HostFloatMemory dys = HostFloatMemory.of("dy", dy);
        HostFloatMemory dw = HostFloatMemory.of("dWeight", dWeight);
        SimdScratch scratch = scratches.take();
        try {
            if (dx != null) {
                SimdRowProduct p = scratch.rowProduct;
                p.panels = scratch.offHeap((long) SimdGeometry.roundUp(in, kernels.lanes) * out);
                SimdPanels.packRows(
                        kernels, w.array(), w.offset(), out, in, scratch.schedule.identity(out), p.panels, pool);
                p.bias = scratch.clearedRow(SimdGeometry.roundUp(in, kernels.shape.generalVectors() * kernels.lanes));
                multiplyRows(scratch, dys, n, out, in, HostFloatMemory.of("dx", dx));
            }
            SimdWeightGradient g = scratch.weightGradient;
            g.kernels = kernels;
            g.K = n;
            g.g = dys.array();
            g.gOffset = dys.offset();
            g.gStride = out;
            g.gateColumns = FIRST_COLUMN;
            g.gateRows = out;
            g.products = scratch.products(1);
            SimdWeightGradient.Product product = g.products[0];
            product.v = xs.array();
            product.vOffset = xs.offset();
            product.vStride = in;
            product.vRows = scratch.schedule.identity(n);
            product.columns = in;
            product.out = dw.array();
            product.outOffset = dw.offset();
            product.sums = dBias == null ? null : HostFloatMemory.of("dBias", dBias).array();
            product.sumsOffset = dBias == null ? 0 : HostFloatMemory.of("dBias", dBias).offset();
            product.gates = ONLY_GATE;
            g.accumulate = accumulate;
            g.heap = scratch.onHeap(SimdWeightGradient.heapFloats(pool.threads()));
            g.offHeap = scratch.offHeap(g.offHeapFloats(n));
            pool.run(g, threads((long) n * in * out));
        } finally {
            scratches.giveBack(scratch);
        }
    }

    private static final int[] FIRST_COLUMN = {0};
    private static final int[] ONLY_GATE = {0};

    /** y (n,columns) = x (n,K) times the panels, from the bias of {@code scratch.rowProduct}. */
    private void multiplyRows(SimdScratch scratch, HostFloatMemory x, int n, int K, int columns, HostFloatMemory y) {
        SimdRowProduct p = scratch.rowProduct;
        p.kernels = kernels;
        p.rows = n;
        p.columns = columns;
        p.K = K;
        p.a = x.array();
        p.aOffset = x.offset();
        p.aStride = K;
        p.identity = scratch.schedule.identity(n);
        p.out = y.array();
        p.outOffset = y.offset();
        p.outStride = columns;
        p.outRows = p.identity;
        p.add = false;
        p.blocks = scratch.onHeap(SimdRowProduct.blockFloats(kernels, pool.threads()));
        pool.run(p, threads((long) n * K * columns));
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
        int[] target = indices("targets", targets, n, classes);
        HostFloatMemory l = HostFloatMemory.of("logits", logits);
        HostFloatMemory dl = dLogits == null ? null : HostFloatMemory.of("dLogits", dLogits);
        int width = SimdGeometry.roundUp(classes, kernels.lanes);
        double gradientScale = gradientScale(scale, lossScale);
        SimdScratch scratch = scratches.take();
        try {
            double[] rowLoss = scratch.doubles(n);
            float[] powers = scratch.onHeap(pool.threads() * width);
            pool.run((worker, team) -> {
                for (int k = team.share(n, worker); k < team.share(n, worker + 1); k++) {
                    rowLoss[k] = softmaxRow(l, target[k], k, classes, gradientScale, powers, worker * width, dl);
                }
            }, threads((long) n * classes));
            double total = 0;
            for (int k = 0; k < n; k++) {
                total += rowLoss[k];
            }
            set("loss", loss, scale * total);
        } finally {
            scratches.giveBack(scratch);
        }
    }

    /** −log softmax of the target, and the row's gradient. */
    private double softmaxRow(
            HostFloatMemory logits, int target, int k, int classes, double scale, float[] power, int po,
            @Nullable HostFloatMemory dLogits) {
        if (target == NONE) {
            if (dLogits != null) {
                int to = dLogits.offset() + k * classes;
                java.util.Arrays.fill(dLogits.array(), to, to + classes, 0f);
            }
            return 0;
        }
        float[] l = logits.array();
        int from = logits.offset() + k * classes;
        float largest = kernels.max(l, from, classes);
        float distance = l[from + target] - largest;
        kernels.expShifted(l, from, largest, power, po, classes);
        double sum = 0;
        for (int j = 0; j < classes; j++) {
            sum += power[po + j];
        }
        if (dLogits != null) {
            int to = dLogits.offset() + k * classes;
            kernels.scale(power, po, (float) (scale / sum), dLogits.array(), to, classes);
            dLogits.array()[to + target] = (float) (scale * (power[po + target] / sum - 1));
        }
        return Math.log(sum) - distance;
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
        HostFloatMemory p = HostFloatMemory.of("prediction", prediction);
        HostFloatMemory t = HostFloatMemory.of("target", target);
        HostFloatMemory w = rowWeights == null ? null : HostFloatMemory.of("rowWeights", rowWeights);
        HostFloatMemory dp = dPrediction == null ? null : HostFloatMemory.of("dPrediction", dPrediction);
        double gradientScale = gradientScale(scale, lossScale);
        SimdScratch scratch = scratches.take();
        try {
            double[] rowLoss = scratch.doubles(n);
            pool.run((worker, team) -> {
                for (int k = team.share(n, worker); k < team.share(n, worker + 1); k++) {
                    double weight = w == null ? 1 : w.array()[w.offset() + k];
                    rowLoss[k] = squaredErrorRow(p, t, weight, k, width, gradientScale, dp);
                }
            }, threads((long) n * width));
            double total = 0;
            for (int k = 0; k < n; k++) {
                total += rowLoss[k];
            }
            set("loss", loss, scale * total);
        } finally {
            scratches.giveBack(scratch);
        }
    }

    private static double squaredErrorRow(
            HostFloatMemory prediction, HostFloatMemory target, double weight, int k, int width, double scale,
            @Nullable HostFloatMemory dPrediction) {
        double sum = 0;
        for (int i = k * width; i < (k + 1) * width; i++) {
            double difference = weight == 0
                    ? 0
                    : (double) prediction.array()[prediction.offset() + i] - target.array()[target.offset() + i];
            sum += difference * difference;
            if (dPrediction != null) {
                dPrediction.array()[dPrediction.offset() + i] = (float) (2 * scale * weight * difference);
            }
        }
        return weight * sum;
    }

    private static double gradientScale(float scale, @Nullable FloatMemory lossScale) {
        return lossScale == null ? scale : (double) scale * get("lossScale", lossScale, LossScaling.SCALE);
    }

    @Override
    protected void doSquaredNorm(FloatMemory v, long n, FloatMemory result) {
        set("result", result, sumOfSquares(HostFloatMemory.of("v", v), n));
    }

    @Override
    protected void doUpdateLossScale(
            FloatMemory gradient, long n, LossScaling options, FloatMemory state, FloatMemory squaredNorm) {
        double sum = sumOfSquares(HostFloatMemory.of("gradient", gradient), n);
        set("squaredNorm", squaredNorm, options.advance(HostFloatMemory.of("state", state), sum));
    }

    private double sumOfSquares(HostFloatMemory vs, long n) {
        float[] array = vs.array();
        int count = (int) n;
        int blocks = Math.ceilDiv(count, BLOCK);
        SimdScratch scratch = scratches.take();
        try {
            double[] sums = scratch.doubles(blocks);
            pool.run((worker, team) -> {
                for (int i = team.share(blocks, worker); i < team.share(blocks, worker + 1); i++) {
                    int from = vs.offset() + i * BLOCK;
                    sums[i] = squares(array, from, Math.min(BLOCK, count - i * BLOCK));
                }
            }, threads(n));
            double total = 0;
            for (int i = 0; i < blocks; i++) {
                total += sums[i];
            }
            return total;
        } finally {
            scratches.giveBack(scratch);
        }
    }

    /** Four chains of additions, since one would wait for itself. */
    private static double squares(float[] v, int from, int n) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i + 3 < n; i += 4) {
            double v0 = v[from + i];
            double v1 = v[from + i + 1];
            double v2 = v[from + i + 2];
            double v3 = v[from + i + 3];
            s0 += v0 * v0;
            s1 += v1 * v1;
            s2 += v2 * v2;
            s3 += v3 * v3;
        }
        for (; i < n; i++) {
            s0 += (double) v[from + i] * v[from + i];
        }
        return s0 + s1 + (s2 + s3);
    }

    @Override
    protected void doClipByNorm(FloatMemory gradient, long n, FloatMemory squaredNorm, float maxNorm) {
        HostFloatMemory g = HostFloatMemory.of("gradient", gradient);
        HostFloatMemory squared = HostFloatMemory.of("squaredNorm", squaredNorm);
        double norm = Math.sqrt(squared.array()[squared.offset()]);
        if (norm > maxNorm) {
            float factor = (float) (maxNorm / norm);
            float[] array = g.array();
            forBlocks(n, (from, count) -> kernels.scale(
                    array, g.offset() + from, factor, array, g.offset() + from, count));
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
        float unscale = unscale(lossScale);
        if (unscale == 0) {
            return;
        }
        HostFloatMemory p = HostFloatMemory.of("parameters", parameters);
        HostFloatMemory g = HostFloatMemory.of("gradient", gradient);
        if (velocity == null) {
            forBlocks(n, (from, count) -> kernels.descend(
                    p.array(), p.offset() + from, g.array(), g.offset() + from, count, unscale, learningRate));
            return;
        }
        HostFloatMemory v = HostFloatMemory.of("velocity", velocity);
        forBlocks(n, (from, count) -> kernels.momentum(
                p.array(), p.offset() + from, g.array(), g.offset() + from, v.array(), v.offset() + from, count,
                unscale, learningRate, momentum));
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
        float unscale = unscale(lossScale);
        if (unscale == 0) {
            return;
        }
        HostFloatMemory p = HostFloatMemory.of("parameters", parameters);
        HostFloatMemory g = HostFloatMemory.of("gradient", gradient);
        HostFloatMemory first = HostFloatMemory.of("m", m);
        HostFloatMemory second = HostFloatMemory.of("v", v);
        // Both moments start at 0 and so are too small by 1 − β^step.
        double correction1 = correction(options.beta1(), options.step(), lossScale);
        double correction2 = correction(options.beta2(), options.step(), lossScale);
        float rate = (float) (options.learningRate() / correction1);
        float rootScale = (float) (1 / Math.sqrt(correction2));
        float decay = (float) ((double) options.learningRate() * options.weightDecay());
        forBlocks(n, (from, count) -> kernels.adam(
                p.array(), p.offset() + from, g.array(), g.offset() + from, first.array(), first.offset() + from,
                second.array(), second.offset() + from, count,
                unscale, options.beta1(), options.beta2(), decay, rate, rootScale, options.epsilon()));
    }

    /** Factor of a gradient; 0: the step is skipped. */
    private static float unscale(@Nullable FloatMemory lossScale) {
        return lossScale == null ? 1 : get("lossScale", lossScale, LossScaling.UNSCALE);
    }

    /** 1 − β^t, t being the number of applied steps, this one included. */
    private static double correction(float beta, long step, @Nullable FloatMemory lossScale) {
        return lossScale == null
                ? 1 - StrictMath.pow(beta, (double) step)
                : 1 - power(beta, step - (long) get("lossScale", lossScale, LossScaling.SKIPPED_STEPS));
    }

    private interface BlockPass {
        void run(int from, int count);
    }

    /** A pass over n floats in which no element depends on another. */
    private void forBlocks(long n, BlockPass pass) {
        int count = (int) n;
        int blocks = Math.ceilDiv(count, BLOCK);
        pool.run((worker, team) -> {
            int from = team.share(blocks, worker) * BLOCK;
            int to = Math.min(count, team.share(blocks, worker + 1) * BLOCK);
            if (from < to) {
                pass.run(from, to - from);
            }
        }, threads(n));
    }

    private int threads(long work) {
        return work < SMALL ? 1 : pool.threads();
    }

    private static void set(String name, FloatMemory memory, double value) {
        HostFloatMemory host = HostFloatMemory.of(name, memory);
        host.array()[host.offset()] = (float) value;
    }

    private static float get(String name, FloatMemory memory, int index) {
        HostFloatMemory host = HostFloatMemory.of(name, memory);
        return host.array()[host.offset() + index];
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
}
