package dev.gru4j.reference;

import static dev.gru4j.backend.TrainingKernels.NONE;
import static dev.gru4j.reference.KernelMemory.doubles;
import static dev.gru4j.reference.KernelMemory.floats;
import static dev.gru4j.reference.KernelMemory.ints;
import static dev.gru4j.reference.KernelMemory.uniform;
import static dev.gru4j.reference.KernelMemory.zeros;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

/**
 * Embedding, dense head and losses: gradients against finite differences, adjointness, refusals.
 *
 * <p>Memory holds floats, so a finite difference takes the step that the float really moved by, and its bound is
 * the change of the derivative over the step plus the rounding of the outputs.
 */
final class ReferenceHeadKernelsTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferenceHeadKernelsTest.class);
    private static final TrainingKernels KERNELS = new ReferenceTrainingKernels(Precision.FLOAT);

    private static final float STEP = 0x1p-6f;

    private static final int N = 7;
    private static final int IN = 5;
    private static final int OUT = 3;

    /** Σ dy·y is linear in x, weight and bias each: only rounding is left between it and its difference. */
    @Test
    void gradientsOfTheDenseHeadEqualFiniteDifferences() {
        Random random = new Random(1);
        FloatMemory x = uniform(random, N * IN);
        FloatMemory weight = uniform(random, OUT * IN);
        FloatMemory bias = uniform(random, OUT);
        FloatMemory dy = uniform(random, N * OUT);
        FloatMemory y = zeros(N * OUT);
        DoubleSupplier loss = () -> {
            KERNELS.denseForward(x, weight, bias, N, IN, OUT, y);
            return dot(doubles(dy), doubles(y));
        };
        FloatMemory dx = zeros(N * IN);
        FloatMemory dWeight = zeros(OUT * IN);
        FloatMemory dBias = zeros(OUT);
        KERNELS.denseBackward(x, weight, dy, N, IN, OUT, dx, dWeight, dBias, false);

        // N·OUT outputs below 8, each off by half an ULP on both sides of a step of 2·STEP.
        double bound = N * OUT * Math.ulp(8f) / 2 / STEP;
        checkGradient("dx", loss, x, dx, bound);
        checkGradient("dWeight", loss, weight, dWeight, bound);
        checkGradient("dBias", loss, bias, dBias, bound);
    }

    @Test
    void denseGradientsAccumulateOnlyWhenAsked() {
        Random random = new Random(2);
        FloatMemory x = uniform(random, N * IN);
        FloatMemory weight = uniform(random, OUT * IN);
        FloatMemory dy = uniform(random, N * OUT);
        FloatMemory once = zeros(OUT * IN);
        KERNELS.denseBackward(x, weight, dy, N, IN, OUT, null, once, null, false);
        FloatMemory twice = zeros(OUT * IN);
        twice.fill(9);
        KERNELS.denseBackward(x, weight, dy, N, IN, OUT, null, twice, null, false);
        CHECK.sameBits("dWeight overwritten", doubles(once), doubles(twice));
        KERNELS.denseBackward(x, weight, dy, N, IN, OUT, null, twice, null, true);
        CHECK.within("dWeight added to", Tensors.sum(doubles(once), doubles(once)), doubles(twice), Math.ulp(16f));
    }

    /** Three classes, scores ln 1, ln 2, ln 5: probabilities 1/8, 2/8, 5/8. */
    @Test
    void crossEntropyOfOneRowEqualsTheOneWorkedByHand() {
        FloatMemory logits = floats(Math.log(1), Math.log(2), Math.log(5));
        FloatMemory loss = zeros(1);
        FloatMemory dLogits = zeros(3);
        KERNELS.softmaxCrossEntropy(logits, ints(1), 1, 3, 0.5f, loss, dLogits);
        CHECK.within("loss", 0, 0.5 * Math.log(4), doubles(loss)[0], Math.ulp(1f));
        CHECK.within(
                "dLogits",
                new double[] {0.5 / 8, 0.5 * (2 / 8.0 - 1), 0.5 * 5 / 8},
                doubles(dLogits),
                Math.ulp(1f));
    }

    @Test
    void gradientsOfCrossEntropyEqualFiniteDifferences() {
        FloatMemory logits = uniform(new Random(3), N * OUT);
        IntMemory targets = ints(2, 0, NONE, 1, 2, NONE, 0);
        FloatMemory loss = zeros(1);
        float scale = 1f / 5;
        DoubleSupplier evaluate = () -> {
            KERNELS.softmaxCrossEntropy(logits, targets, N, OUT, scale, loss, null);
            return doubles(loss)[0];
        };
        FloatMemory dLogits = zeros(N * OUT);
        KERNELS.softmaxCrossEntropy(logits, targets, N, OUT, scale, loss, dLogits);
        // |third derivative of log-sum-exp| < 1, so scale·STEP²/6; the loss is below 2.
        checkGradient("dLogits", evaluate, logits, dLogits, scale * STEP * STEP / 6 + Math.ulp(1f) / STEP);
    }

    @Test
    void gradientsOfCrossEntropyMayOverwriteTheLogits() {
        FloatMemory logits = uniform(new Random(4), N * OUT);
        IntMemory targets = ints(2, 0, NONE, 1, 2, NONE, 0);
        FloatMemory apart = zeros(N * OUT);
        KERNELS.softmaxCrossEntropy(logits, targets, N, OUT, 1, zeros(1), apart);
        KERNELS.softmaxCrossEntropy(logits, targets, N, OUT, 1, zeros(1), logits);
        CHECK.sameBits("dLogits", doubles(apart), doubles(logits));
    }

    @Test
    void crossEntropyOfHugeLogitsDoesNotOverflow() {
        FloatMemory logits = floats(3e38f, -3e38f, 1e4f, 0f, 1e4f, -1e4f);
        FloatMemory loss = zeros(1);
        FloatMemory dLogits = zeros(6);
        KERNELS.softmaxCrossEntropy(logits, ints(0, 1), 2, 3, 1, loss, dLogits);
        CHECK.sameBits("dLogits", new double[] {0, 0, 0, 0, 0, 0}, doubles(dLogits));
        assertEquals(0, doubles(loss)[0]);
    }

    @Test
    void rowsWithoutATargetMayHoldNan() {
        FloatMemory logits = floats(1f, 2f, Float.NaN, Float.NaN);
        FloatMemory loss = zeros(1);
        FloatMemory dLogits = zeros(4);
        KERNELS.softmaxCrossEntropy(logits, ints(0, NONE), 2, 2, 1, loss, dLogits);
        CHECK.finite("loss", doubles(loss));
        CHECK.finite("dLogits", doubles(dLogits));
    }

    /** Rows (1, 2) and (4, 7) against (0, 4) and (4, 4): ½·(1·(1 + 4) + 3·(0 + 9)) = 16. */
    @Test
    void squaredErrorEqualsTheOneWorkedByHand() {
        FloatMemory prediction = floats(1f, 2f, 4f, 7f);
        FloatMemory loss = zeros(1);
        FloatMemory dPrediction = zeros(4);
        KERNELS.squaredError(prediction, floats(0f, 4f, 4f, 4f), floats(1f, 3f), 2, 2, 0.5f, loss, dPrediction);
        CHECK.sameBits("loss", new double[] {16}, doubles(loss));
        CHECK.sameBits("dPrediction", new double[] {1, -2, 0, 9}, doubles(dPrediction));
    }

    /** The loss is quadratic: a central difference is its derivative but for rounding. */
    @Test
    void gradientsOfSquaredErrorEqualFiniteDifferences() {
        Random random = new Random(5);
        FloatMemory prediction = uniform(random, N * OUT);
        FloatMemory target = uniform(random, N * OUT);
        FloatMemory weights = uniform(random, N);
        FloatMemory loss = zeros(1);
        float scale = 0.25f;
        DoubleSupplier evaluate = () -> {
            KERNELS.squaredError(prediction, target, weights, N, OUT, scale, loss, null);
            return doubles(loss)[0];
        };
        FloatMemory dPrediction = zeros(N * OUT);
        KERNELS.squaredError(prediction, target, weights, N, OUT, scale, loss, dPrediction);
        checkGradient("dPrediction", evaluate, prediction, dPrediction, Math.ulp(8f) / STEP);
    }

    @Test
    void rowsOfWeightZeroMayHoldNan() {
        FloatMemory prediction = floats(1f, Float.NaN);
        FloatMemory loss = zeros(1);
        FloatMemory dPrediction = zeros(2);
        KERNELS.squaredError(prediction, floats(3f, Float.NaN), floats(1f, 0f), 2, 1, 1, loss, dPrediction);
        CHECK.sameBits("loss", new double[] {4}, doubles(loss));
        CHECK.sameBits("dPrediction", new double[] {-4, 0}, doubles(dPrediction));
    }

    @Test
    void embeddingGathersRowsAndLeavesZeroForNone() {
        FloatMemory table = floats(1f, 2f, 3f, 4f, 5f, 6f);
        FloatMemory out = zeros(8);
        out.fill(9);
        KERNELS.embeddingForward(ints(2, NONE, 0, 2), table, 4, 3, 2, out);
        CHECK.sameBits("out", new double[] {5, 6, 0, 0, 1, 2, 5, 6}, doubles(out));
    }

    /** ⟨forward(table), dOut⟩ = ⟨table, backward(dOut)⟩ for every table and dOut; integers, so exactly. */
    @Test
    void embeddingBackwardIsTheAdjointOfForward() {
        int rows = 4;
        Random random = new Random(6);
        IntMemory ids = ints(3, 0, NONE, 3, 1, 3, 0);
        FloatMemory table = integers(random, rows * IN);
        FloatMemory dOut = integers(random, N * IN);
        FloatMemory out = zeros(N * IN);
        FloatMemory dTable = zeros(rows * IN);
        dTable.fill(9);
        KERNELS.embeddingForward(ids, table, N, rows, IN, out);
        KERNELS.embeddingBackward(ids, dOut, N, rows, IN, dTable, false);
        assertEquals(dot(doubles(out), doubles(dOut)), dot(doubles(table), doubles(dTable)));

        double[] once = doubles(dTable);
        KERNELS.embeddingBackward(ids, dOut, N, rows, IN, dTable, true);
        CHECK.sameBits("dTable added to", Tensors.sum(once, once), doubles(dTable));
    }

    @Test
    void idsOutsideTheTableAreRefused() {
        FloatMemory table = zeros(6);
        assertRefused("ids[1] is 3; 0 to 2, or -1 for none, expected", () -> KERNELS.embeddingForward(
                ints(0, 3), table, 2, 3, 2, zeros(4)));
        assertRefused("ids[0] is -2; 0 to 2, or -1 for none, expected", () -> KERNELS.embeddingBackward(
                ints(-2), zeros(2), 1, 3, 2, table, true));
    }

    @Test
    void targetsOutsideTheClassesAreRefused() {
        assertRefused("targets[1] is 2; 0 to 1, or -1 for none, expected", () -> KERNELS.softmaxCrossEntropy(
                zeros(4), ints(0, 2), 2, 2, 1, zeros(1), null));
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    private static void checkGradient(
            String tensor, DoubleSupplier loss, FloatMemory variables, FloatMemory gradient, double bound) {
        float[] values = variables.toArray();
        double[] found = doubles(gradient);
        for (int k = 0; k < values.length; k++) {
            float above = values[k] + STEP;
            float below = values[k] - STEP;
            variables.upload(k, new float[] {above}, 0, 1);
            double lossAbove = loss.getAsDouble();
            variables.upload(k, new float[] {below}, 0, 1);
            double lossBelow = loss.getAsDouble();
            variables.upload(k, values, k, 1);
            CHECK.within(tensor, k, (lossAbove - lossBelow) / ((double) above - below), found[k], bound);
        }
    }

    private static FloatMemory integers(Random random, int count) {
        return floats(random.ints(count, -50, 50).asDoubleStream().toArray());
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int k = 0; k < a.length; k++) {
            sum += a[k] * b[k];
        }
        return sum;
    }
}
