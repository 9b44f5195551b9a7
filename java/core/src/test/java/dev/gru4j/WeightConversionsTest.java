package dev.gru4j;

import static dev.gru4j.TestValues.assertSameBits;
import static dev.gru4j.TestValues.assertWithin;
import static dev.gru4j.TestValues.uniform;
import static dev.gru4j.TestValues.widen;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.WeightConversions.Columns;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The other conventions, each written out by hand here and compared with the reference in double. */
class WeightConversionsTest {
    private static final int T = 6;
    private static final int I = 3;
    private static final int H = 5;
    private static final int WIDTH = H + I;

    /** Rounding of one step in double, times a generous number of steps and terms. */
    private static final double BOUND = 1e-13;

    private static double sigmoid(double a) {
        return 1 / (1 + Math.exp(-a));
    }

    /** W·[h, x] or W·[x, h], plus b, one row of W. */
    private static double concatenated(float[] w, int row, double[] h, double[] x, Columns columns, float[] b) {
        double[] first = columns == Columns.HIDDEN_FIRST ? h : x;
        double[] second = columns == Columns.HIDDEN_FIRST ? x : h;
        double sum = b[row];
        for (int k = 0; k < WIDTH; k++) {
            sum += w[row * WIDTH + k] * (k < first.length ? first[k] : second[k - first.length]);
        }
        return sum;
    }

    /**
     * The textbook GRU: r = σ(W_r·[h, x]), z = σ(W_z·[h, x]), n = tanh(W_n·[r ⊙ h, x]) and
     * h' = (1 − z) ⊙ h + z ⊙ n, one row of the batch.
     */
    private static double[] textbook(float[] w, Columns columns, float[] b, double[] x) {
        double[] h = new double[H];
        double[] y = new double[T * H];
        for (int t = 0; t < T; t++) {
            double[] xt = new double[I];
            System.arraycopy(x, t * I, xt, 0, I);
            double[] resetH = new double[H];
            for (int j = 0; j < H; j++) {
                resetH[j] = sigmoid(concatenated(w, Gates.RESET * H + j, h, xt, columns, b)) * h[j];
            }
            double[] hNext = new double[H];
            for (int j = 0; j < H; j++) {
                double z = sigmoid(concatenated(w, Gates.UPDATE * H + j, h, xt, columns, b));
                double n = Math.tanh(concatenated(w, Gates.CANDIDATE * H + j, resetH, xt, columns, b));
                hNext[j] = (1 - z) * h[j] + z * n;
            }
            h = hNext;
            System.arraycopy(h, 0, y, t * H, H);
        }
        return y;
    }

    private static double[] reference(GruWeights weights, double[] x) {
        return new ReferenceNetwork(weights.spec(), Precision.DOUBLE, widen(weights.values()))
                .forward(T, 1, x, null, null, null)
                .y();
    }

    @Test
    void theTextbookFormGivesTheSameStatesAfterConversion() {
        float[] w = uniform(1, 3 * H * WIDTH);
        float[] b = uniform(2, 3 * H);
        double[] x = widen(uniform(3, T * I));
        for (Columns columns : Columns.values()) {
            for (BiasMode bias : new BiasMode[] {BiasMode.BOTH, BiasMode.INPUT}) {
                GruWeights weights = new GruWeights(
                        GruSpec.of(I, H).withVariant(GruVariant.RESET_BEFORE).withBias(bias))
                        .initialize(4); // what was there before must go
                WeightConversions.setConcatenated(weights, 0, 0, w, columns, b);
                WeightConversions.negateUpdateGate(weights);
                assertWithin("y, " + columns + ", bias " + bias, textbook(w, columns, b, x), reference(weights, x),
                        BOUND);
            }
        }
    }

    @Test
    void theTextbookFormWithoutBiasGivesTheSameStates() {
        float[] w = uniform(5, 3 * H * WIDTH);
        double[] x = widen(uniform(6, T * I));
        for (BiasMode bias : BiasMode.values()) {
            GruWeights weights = new GruWeights(
                    GruSpec.of(I, H).withVariant(GruVariant.RESET_BEFORE).withBias(bias))
                    .initialize(7);
            WeightConversions.setConcatenated(weights, 0, 0, w, Columns.HIDDEN_FIRST, null);
            WeightConversions.negateUpdateGate(weights);
            double[] expected = textbook(w, Columns.HIDDEN_FIRST, new float[3 * H], x);
            assertWithin("y, bias " + bias, expected, reference(weights, x), BOUND);
        }
    }

    @Test
    void theOtherUpdateConventionOfTheResetAfterFormGivesTheSameStates() {
        GruWeights weights = new GruWeights(GruSpec.of(I, H)).initialize(8);
        double[] x = widen(uniform(9, T * I));
        double[] expected = resetAfterWithOtherUpdate(weights, x);
        WeightConversions.negateUpdateGate(weights);
        assertWithin("y", expected, reference(weights, x), BOUND);
    }

    /** Reset-after with h' = (1 − z) ⊙ h + z ⊙ n. */
    private static double[] resetAfterWithOtherUpdate(GruWeights weights, double[] x) {
        float[] wIh = weights.get(0, 0, Kind.WEIGHT_IH);
        float[] wHh = weights.get(0, 0, Kind.WEIGHT_HH);
        float[] bIh = weights.get(0, 0, Kind.BIAS_IH);
        float[] bHh = weights.get(0, 0, Kind.BIAS_HH);
        double[] h = new double[H];
        double[] y = new double[T * H];
        for (int t = 0; t < T; t++) {
            double[] gx = new double[3 * H];
            double[] gh = new double[3 * H];
            for (int row = 0; row < 3 * H; row++) {
                gx[row] = bIh[row];
                gh[row] = bHh[row];
                for (int i = 0; i < I; i++) {
                    gx[row] += wIh[row * I + i] * x[t * I + i];
                }
                for (int k = 0; k < H; k++) {
                    gh[row] += wHh[row * H + k] * h[k];
                }
            }
            for (int j = 0; j < H; j++) {
                double r = sigmoid(gx[j] + gh[j]);
                double z = sigmoid(gx[H + j] + gh[H + j]);
                double n = Math.tanh(gx[2 * H + j] + r * gh[2 * H + j]);
                h[j] = (1 - z) * h[j] + z * n;
            }
            System.arraycopy(h, 0, y, t * H, H);
        }
        return y;
    }

    @Test
    void negatingTwiceChangesNothing() {
        GruSpec spec = GruSpec.of(I, H).withLayers(2).withDirections(Directions.BIDIRECTIONAL);
        GruWeights weights = new GruWeights(spec).initialize(10);
        float[] before = weights.values().clone();
        WeightConversions.negateUpdateGate(weights);
        WeightConversions.negateUpdateGate(weights);
        assertSameBits("values", before, weights.values());
    }

    @Test
    void anUpperLayerTakesTheConcatenatedFormOfItsOwnWidth() {
        GruSpec spec = GruSpec.of(I, H).withLayers(2).withDirections(Directions.BIDIRECTIONAL);
        GruWeights weights = new GruWeights(spec);
        float[] w = uniform(11, 3 * H * 3 * H); // I of layer 1 is 2H
        WeightConversions.setConcatenated(weights, 1, 1, w, Columns.INPUT_FIRST, null);
        assertEquals(w[3 * H + 1], weights.get("weight_ih_l1_reverse")[2 * H + 1], "row 1, input column 1");
        assertEquals(w[3 * H + 2 * H + 1], weights.get("weight_hh_l1_reverse")[H + 1], "row 1, state column 1");
    }

    @Test
    void shouldRejectWeightsOfAnotherShape() {
        GruWeights weights = new GruWeights(GruSpec.of(I, H));
        assertRefused(
                "weight has 119 floats; 3H·(H + I) = 120 expected for H = 5, I = 3", weights, new float[119], null);
        assertRefused("bias has 5 floats; 3H = 15 expected for H = 5", weights, new float[120], new float[5]);
        assertRefused(
                "a bias was given; none expected for bias mode NONE",
                new GruWeights(GruSpec.of(I, H).withBias(BiasMode.NONE)),
                new float[120],
                new float[15]);
    }

    private static void assertRefused(String message, GruWeights weights, float[] w, float @Nullable [] b) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> WeightConversions.setConcatenated(weights, 0, 0, w, Columns.HIDDEN_FIRST, b));
        assertEquals(message, e.getMessage());
    }
}
