package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.reference.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ToleranceTest {
    private static final Tensor PAIR = Tensor.vector("pair", "k", 2);

    @Test
    void errorIsTheLargestDifference() {
        assertEquals(0.5, Tolerance.error(new double[] {1, -2, 3}, new double[] {1.25, -2.5, 3}));
    }

    @Test
    void aNaNThatIsNotExpectedIsAnInfiniteError() {
        assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(new double[] {1}, new double[] {Double.NaN}));
        assertEquals(Double.POSITIVE_INFINITY, Tolerance.error(new double[] {Double.NaN}, new double[] {1}));
        assertEquals(0, Tolerance.error(new double[] {Double.NaN}, new double[] {Double.NaN}));
    }

    @Test
    void anInfinityIsMetOnlyByItself() {
        double infinity = Double.POSITIVE_INFINITY;
        assertEquals(0, Tolerance.error(new double[] {infinity}, new double[] {infinity}));
        assertEquals(infinity, Tolerance.error(new double[] {infinity}, new double[] {-infinity}));
        assertEquals(infinity, Tolerance.error(new double[] {infinity}, new double[] {3}));
    }

    @Test
    void theFloorIsFourUlpOfTheLargestMagnitude() {
        assertEquals(4 * 0x1p-23, Tolerance.floor(new double[] {0.25, -1.5, 0}));
        assertEquals(4 * 0x1p-24, Tolerance.floor(new double[] {0.99}));
    }

    @Test
    void aTensorOfZerosMayBeOffBySubnormalsOnly() {
        double bound = Tolerance.bound(new double[] {0, 0}, 0);
        assertTrue(bound < Float.MIN_NORMAL, "bound is " + bound);
    }

    @Test
    void theBoundIsTwiceTheReferencesErrorAndTheFloor() {
        assertEquals(2 * 1e-6 + 4 * 0x1p-23, Tolerance.bound(new double[] {1}, 1e-6));
    }

    @Test
    void smallTensorsAreDrawnUntilThereAreEnoughSamples() {
        assertEquals(Tolerance.SAMPLES, Tolerance.draws(1));
        assertEquals(Tolerance.SAMPLES / 2, Tolerance.draws(2));
        assertEquals(Tolerance.MIN_DRAWS, Tolerance.draws(100 * Tolerance.SAMPLES));
        assertEquals(1, Tolerance.draws(0));
    }

    @Test
    void theLargestErrorOfAllDrawsCounts() {
        int draws = Tolerance.draws(2);
        Expectation expectation = Expectation.of(
                List.of(PAIR),
                Precision.FLOAT,
                (precision, draw, change) -> Map.of("pair",
                        new double[] {1, precision == Precision.FLOAT ? 1 + draw * 1e-6 : 1}));
        assertEquals(draws, expectation.draws());
        assertEquals((draws - 1) * 1e-6, expectation.referenceError("pair"), 1e-12);
        assertEquals(1, expectation.exact("pair")[1]);
    }

    /**
     * The errors of a product in two draws have nothing to do with each other. With the change that is enough for
     * floats they would be nearly the same error twice, and a maximum over draws no better than that of one.
     */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "TF32", "TF32X3", "BF16", "FP16"})
    void everyRoundingFallsAnewInEveryDraw(Precision twin) {
        double correlation = correlationOfTwoDraws(twin, Tolerance.change(twin));
        assertTrue(Math.abs(correlation) < 0.1, twin + ": correlation " + correlation);
        if (twin != Precision.FLOAT) {
            double ofFloats = correlationOfTwoDraws(twin, Tolerance.change(Precision.FLOAT));
            assertTrue(ofFloats > 0.5, twin + ": correlation " + ofFloats + " with the change of floats");
        }
    }

    /** Of the relative errors of 4096 products of numbers between 1 and 2; chance alone makes 1/64 of it. */
    private static double correlationOfTwoDraws(Precision twin, double change) {
        SplittableRandom random = new SplittableRandom(3);
        float[] a = new float[4096];
        float[] b = new float[a.length];
        for (int k = 0; k < a.length; k++) {
            a[k] = (float) random.nextDouble(1, 2);
            b[k] = (float) random.nextDouble(1, 2);
        }
        double[][] errors = new double[2][a.length];
        for (double[] draw : errors) {
            float[] newA = GruInputs.redrawn(a, random, change);
            float[] newB = GruInputs.redrawn(b, random, change);
            for (int k = 0; k < draw.length; k++) {
                draw[k] = twin.product(newA[k], newB[k]) / ((double) newA[k] * newB[k]) - 1;
            }
        }
        return covariance(errors[0], errors[1])
                / Math.sqrt(covariance(errors[0], errors[0]) * covariance(errors[1], errors[1]));
    }

    private static double covariance(double[] a, double[] b) {
        double meanA = Arrays.stream(a).average().orElseThrow();
        double meanB = Arrays.stream(b).average().orElseThrow();
        double sum = 0;
        for (int k = 0; k < a.length; k++) {
            sum += (a[k] - meanA) * (b[k] - meanB);
        }
        return sum / a.length;
    }

    @Test
    void aDoubleRunThatIsNoNumberIsNoExpectation() {
        AssertionError e = assertThrows(
                AssertionError.class,
                () -> expectation(PAIR, 1, Double.NaN));
        assertEquals("the double reference's pair is NaN at (k=1)", e.getMessage());
    }

    @Test
    void oneElementBeyondTheBoundIsAMissAndOneWithinIsNot() {
        Expectation expectation = expectation(PAIR, 1, 0.5);
        double bound = expectation.bound("pair");
        assertTrue(Comparison.misses(List.of(PAIR), expectation, pair(0.5 + 0.9 * bound)).isEmpty());
        List<Comparison.Miss> misses = Comparison.misses(List.of(PAIR), expectation, pair(0.5 - 1.1 * bound));
        assertEquals(1, misses.size());
        assertEquals(1, misses.getFirst().index());
        assertEquals(1, misses.getFirst().elements());
    }

    @Test
    void aMissNamesTensorIndexValuesAndBound() {
        Tensor y = Tensor.sequence("y", 2, 3, "j", 4);
        Expectation expectation = expectation(y, new double[24]);
        double[] found = new double[24];
        found[(1 * 3 + 2) * 4 + 3] = 0.25;
        String text = Comparison.misses(List.of(y), expectation, Map.of("y", found))
                .getFirst()
                .toString();
        assertTrue(
                text.contains("y at (t=1, b=2, j=3): expected 0.0, found 0.25\n    difference 0.25, bound 5.6"), text);
        assertTrue(text.endsWith("1 of 24 elements beyond the bound"), text);
    }

    /** Of a problem whose float run is exact. */
    private static Expectation expectation(Tensor tensor, double... values) {
        return Expectation.of(
                List.of(tensor), Precision.FLOAT, (precision, draw, change) -> Map.of(tensor.name(), values));
    }

    private static Map<String, double[]> pair(double second) {
        return Map.of("pair", new double[] {1, second});
    }
}
