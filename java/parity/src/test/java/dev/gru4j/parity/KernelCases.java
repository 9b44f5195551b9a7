package dev.gru4j.parity;

import dev.gru4j.backend.TrainingKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;

/** The calls of every training kernel that are compared: sizes around lanes and tiles, every option. */
final class KernelCases {
    private static final float SCALE = 0.37f;

    private KernelCases() {}

    static List<KernelCase> all() {
        List<KernelCase> cases = new ArrayList<>();
        for (int[] s : new int[][] {{1, 1, 1}, {13, 7, 29}, {64, 100, 33}, {257, 31, 8}, {0, 3, 5}}) {
            cases.add(embeddingForward(s[0], s[1], s[2]));
            cases.add(embeddingBackward(s[0], s[1], s[2], false));
            cases.add(embeddingBackward(s[0], s[1], s[2], true));
        }
        for (int[] s : new int[][] {{1, 1, 1}, {7, 13, 29}, {33, 64, 65}, {5, 31, 3}, {131, 17, 16}, {485, 9, 33},
            {3, 300, 11}, {0, 3, 5}}) {
            cases.add(denseForward(s[0], s[1], s[2], true));
            cases.add(denseForward(s[0], s[1], s[2], false));
            cases.add(denseBackward(s[0], s[1], s[2], true, false));
            cases.add(denseBackward(s[0], s[1], s[2], false, true));
            cases.add(denseBackward(s[0], s[1], s[2], true, true));
        }
        for (int[] s : new int[][] {{1, 1}, {1, 2}, {7, 29}, {65, 33}, {3, 257}, {129, 16}, {0, 5}}) {
            for (float spread : new float[] {1, 60}) {
                cases.add(softmaxCrossEntropy(s[0], s[1], spread, true));
                cases.add(softmaxCrossEntropy(s[0], s[1], spread, false));
            }
        }
        for (int[] s : new int[][] {{1, 1}, {7, 29}, {65, 3}, {131, 17}, {0, 5}}) {
            cases.add(squaredError(s[0], s[1], true));
            cases.add(squaredError(s[0], s[1], false));
        }
        for (int n : new int[] {0, 1, 7, 16, 31, 65, 1023, 30_011}) {
            cases.add(squaredNorm(n));
            cases.add(clipByNorm(n, 0.5f));
            cases.add(clipByNorm(n, 1e6f));
        }
        for (int n : new int[] {0, 1, 7, 16, 31, 65, 1023, 10_007}) {
            cases.add(sgd(n, true));
            cases.add(sgd(n, false));
            cases.add(adam(n, new TrainingKernels.Adam(0.01f, 0.9f, 0.999f, 1e-8f, 0, 1)));
            cases.add(adam(n, new TrainingKernels.Adam(0.003f, 0.8f, 0.99f, 1e-6f, 0.1f, 7)));
            cases.add(adam(n, new TrainingKernels.Adam(0.001f, 0.9f, 0.999f, 1e-8f, 0.01f, 1_000_000)));
        }
        return List.copyOf(cases);
    }

    /** Those whose results depend on the precision of products: the dense layer's, at some of its sizes. */
    static List<KernelCase> products() {
        List<KernelCase> cases = new ArrayList<>();
        // A tail on every axis; one past a tile of rows and of columns; a reduction past two splits; past all chunks.
        for (int[] s : new int[][] {{7, 13, 29}, {33, 64, 65}, {515, 9, 33}, {3, 300, 11}}) {
            cases.add(denseForward(s[0], s[1], s[2], true));
            cases.add(denseBackward(s[0], s[1], s[2], true, false));
            cases.add(denseBackward(s[0], s[1], s[2], true, true));
        }
        return List.copyOf(cases);
    }

    private static KernelCase embeddingForward(int n, int rows, int width) {
        Data data = new Data("embeddingForward", n, rows, width);
        int[] ids = data.ids(n, rows);
        return new KernelCase(
                data.id(""),
                Map.of("table", data.floats(rows * width)),
                ids,
                List.of(Tensor.matrix("out", "n", n, "j", width)),
                (p, in) -> KernelFormulas.embeddingForward(ids, get(in, "table"), width),
                (kernels, m) -> kernels.embeddingForward(m.ids(), m.get("table"), n, rows, width, m.get("out")));
    }

    private static KernelCase embeddingBackward(int n, int rows, int width, boolean accumulate) {
        Data data = new Data("embeddingBackward", n, rows, width);
        int[] ids = data.ids(n, rows);
        float[] dOut = data.floats(n * width);
        poison(dOut, ids, width);
        Map<String, float[]> inputs = accumulate
                ? Map.of("dOut", dOut, "dTable", data.floats(rows * width))
                : Map.of("dOut", dOut);
        return new KernelCase(
                data.id(accumulate ? " accumulate" : ""),
                inputs,
                ids,
                List.of(Tensor.matrix("dTable", "row", rows, "j", width)),
                (p, in) -> KernelFormulas.embeddingBackward(p, ids, get(in, "dOut"), orZero(in, "dTable", rows * width),
                        width),
                (kernels, m) -> kernels.embeddingBackward(m.ids(), m.get("dOut"), n, rows, width, m.get("dTable"),
                        accumulate));
    }

    private static KernelCase denseForward(int n, int in, int out, boolean bias) {
        Data data = new Data("denseForward", n, in, out);
        float[] x = data.floats(n * in);
        float[] weight = data.floats(out * in);
        Map<String, float[]> inputs = bias
                ? Map.of("x", x, "weight", weight, "bias", data.floats(out))
                : Map.of("x", x, "weight", weight);
        return new KernelCase(
                data.id(bias ? " bias" : ""),
                inputs,
                new int[0],
                List.of(Tensor.matrix("y", "n", n, "j", out)),
                (p, a) -> KernelFormulas.denseForward(p, get(a, "x"), get(a, "weight"), orZero(a, "bias", out), n, in,
                        out),
                (kernels, m) -> kernels.denseForward(
                        m.get("x"), m.get("weight"), bias ? m.get("bias") : null, n, in, out, m.get("y")));
    }

    /** @param all whether dx and dBias are asked for beside dWeight */
    private static KernelCase denseBackward(int n, int in, int out, boolean all, boolean accumulate) {
        Data data = new Data("denseBackward", n, in, out);
        Map<String, float[]> inputs = new HashMap<>(
                Map.of("x", data.floats(n * in), "weight", data.floats(out * in), "dy", data.floats(n * out)));
        if (accumulate) {
            inputs.put("dWeight", data.floats(out * in));
            if (all) {
                inputs.put("dBias", data.floats(out));
            }
        }
        List<Tensor> results = new ArrayList<>(List.of(Tensor.matrix("dWeight", "j", out, "i", in)));
        if (all) {
            results.add(Tensor.matrix("dx", "n", n, "i", in));
            results.add(Tensor.vector("dBias", "j", out));
        }
        return new KernelCase(
                data.id((all ? " all" : " dWeight") + (accumulate ? " accumulate" : "")),
                inputs,
                new int[0],
                results,
                (p, a) -> KernelFormulas.denseBackward(
                        p, get(a, "x"),
                        get(a, "weight"),
                        get(a, "dy"),
                        orZero(a, "dWeight", out * in),
                        orZero(a, "dBias", out),
                        n,
                        in,
                        out),
                (kernels, m) -> kernels.denseBackward(
                        m.get("x"),
                        m.get("weight"),
                        m.get("dy"),
                        n,
                        in,
                        out,
                        all ? m.get("dx") : null,
                        m.get("dWeight"),
                        all ? m.get("dBias") : null,
                        accumulate));
    }

    private static KernelCase softmaxCrossEntropy(int n, int classes, float spread, boolean gradient) {
        Data data = new Data("softmaxCrossEntropy", n, classes);
        int[] targets = data.ids(n, classes);
        float[] logits = data.floats(n * classes);
        for (int k = 0; k < logits.length; k++) {
            logits[k] *= spread;
        }
        poison(logits, targets, classes);
        List<Tensor> results = new ArrayList<>(List.of(Tensor.vector("loss", "k", 1)));
        if (gradient) {
            results.add(Tensor.matrix("dLogits", "n", n, "c", classes));
        }
        return new KernelCase(
                data.id(" spread " + spread + (gradient ? " gradient" : "")),
                Map.of("logits", logits),
                targets,
                results,
                (p, in) -> KernelFormulas.softmaxCrossEntropy(p, get(in, "logits"), targets, classes, SCALE),
                (kernels, m) -> kernels.softmaxCrossEntropy(
                        m.get("logits"), m.ids(), n, classes, SCALE, m.get("loss"),
                        gradient ? m.get("dLogits") : null));
    }

    private static KernelCase squaredError(int n, int width, boolean weighted) {
        Data data = new Data("squaredError", n, width);
        float[] prediction = data.floats(n * width);
        float[] target = data.floats(n * width);
        float[] ones = new float[n];
        Arrays.fill(ones, 1);
        float[] rowWeights = data.floats(n);
        for (int k = 0; k < n; k++) {
            rowWeights[k] = k % 3 == 1 ? 0 : Math.abs(rowWeights[k]);
            if (weighted && rowWeights[k] == 0) {
                Arrays.fill(prediction, k * width, (k + 1) * width, Float.NaN);
                Arrays.fill(target, k * width, (k + 1) * width, Float.POSITIVE_INFINITY);
            }
        }
        return new KernelCase(
                data.id(weighted ? " rowWeights" : ""),
                Map.of("prediction", prediction, "target", target, "rowWeights", weighted ? rowWeights : ones),
                new int[0],
                List.of(Tensor.vector("loss", "k", 1), Tensor.matrix("dPrediction", "n", n, "j", width)),
                (p, in) -> KernelFormulas.squaredError(
                        p, get(in, "prediction"),
                        get(in, "target"),
                        weighted ? get(in, "rowWeights") : GruReference.doubles(ones, n),
                        width,
                        SCALE),
                (kernels, m) -> kernels.squaredError(
                        m.get("prediction"),
                        m.get("target"),
                        weighted ? m.get("rowWeights") : null,
                        n,
                        width,
                        SCALE,
                        m.get("loss"),
                        m.get("dPrediction")));
    }

    private static KernelCase squaredNorm(int n) {
        Data data = new Data("squaredNorm", n);
        return new KernelCase(
                data.id(""),
                Map.of("v", data.floats(n)),
                new int[0],
                List.of(Tensor.vector("result", "k", 1)),
                (p, in) -> KernelFormulas.squaredNorm(p, get(in, "v")),
                (kernels, m) -> kernels.squaredNorm(m.get("v"), n, m.get("result")));
    }

    private static KernelCase clipByNorm(int n, float maxNorm) {
        Data data = new Data("clipByNorm", n);
        float[] gradient = data.floats(n);
        double norm = 0;
        for (float g : gradient) {
            norm += (double) g * g;
        }
        return new KernelCase(
                data.id(" maxNorm " + maxNorm),
                Map.of("gradient", gradient, "squaredNorm", new float[] {(float) norm}),
                new int[0],
                List.of(Tensor.vector("gradient", "k", n)),
                (p, in) -> KernelFormulas.clipByNorm(p, get(in, "gradient"), get(in, "squaredNorm")[0], maxNorm),
                (kernels, m) -> kernels.clipByNorm(m.get("gradient"), n, m.get("squaredNorm"), maxNorm));
    }

    private static KernelCase sgd(int n, boolean withVelocity) {
        Data data = new Data("sgd", n);
        float rate = 0.05f;
        float momentum = 0.9f;
        Map<String, float[]> inputs = new HashMap<>(
                Map.of("parameters", data.floats(n), "gradient", data.floats(n)));
        List<Tensor> results = new ArrayList<>(List.of(Tensor.vector("parameters", "k", n)));
        if (withVelocity) {
            inputs.put("velocity", data.floats(n));
            results.add(Tensor.vector("velocity", "k", n));
        }
        return new KernelCase(
                data.id(withVelocity ? " velocity" : ""),
                inputs,
                new int[0],
                results,
                (p, in) -> KernelFormulas.sgd(
                        p, get(in, "parameters"), get(in, "gradient"), orZero(in, "velocity", n), rate, momentum),
                (kernels, m) -> kernels.sgd(
                        m.get("parameters"),
                        m.get("gradient"),
                        withVelocity ? m.get("velocity") : null,
                        n,
                        rate,
                        momentum));
    }

    private static KernelCase adam(int n, TrainingKernels.Adam options) {
        Data data = new Data("adam", n);
        float[] v = data.floats(n);
        for (int k = 0; k < n; k++) {
            v[k] = options.step() == 1 ? 0 : v[k] * v[k];
        }
        float[] m = options.step() == 1 ? new float[n] : data.floats(n);
        return new KernelCase(
                data.id(" step " + options.step()),
                Map.of("parameters", data.floats(n), "gradient", data.floats(n), "m", m, "v", v),
                new int[0],
                List.of(Tensor.vector("parameters", "k", n), Tensor.vector("m", "k", n), Tensor.vector("v", "k", n)),
                (p, in) -> KernelFormulas.adam(p, get(in, "parameters"), get(in, "gradient"), get(in, "m"),
                        get(in, "v"), options),
                (kernels, memory) -> kernels.adam(
                        memory.get("parameters"), memory.get("gradient"), memory.get("m"), memory.get("v"), n,
                        options));
    }

    /** Rows that are skipped may hold anything. */
    private static void poison(float[] rows, int[] ids, int width) {
        for (int k = 0; k < rows.length; k++) {
            if (ids[k / width] == TrainingKernels.NONE) {
                rows[k] = Float.NaN;
            }
        }
    }

    private static double[] get(Map<String, double[]> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private static double[] orZero(Map<String, double[]> tensors, String name, int length) {
        return tensors.getOrDefault(name, new double[length]);
    }

    /** Seeded data of one kernel and size. */
    private static final class Data {
        private final String name;
        private final SplittableRandom random;

        Data(String kernel, int... sizes) {
            this.name = kernel + " " + Arrays.toString(sizes);
            this.random = new SplittableRandom(name.hashCode());
        }

        String id(String options) {
            return name + options;
        }

        float[] floats(int n) {
            float[] values = new float[n];
            for (int k = 0; k < n; k++) {
                values[k] = (float) random.nextGaussian();
            }
            return values;
        }

        /** Every fifth is {@link TrainingKernels#NONE}, but not the first. */
        int[] ids(int n, int bound) {
            int[] ids = new int[n];
            for (int k = 0; k < n; k++) {
                ids[k] = k % 5 == 4 ? TrainingKernels.NONE : random.nextInt(bound);
            }
            return ids;
        }
    }
}
