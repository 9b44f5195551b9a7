package dev.gru4j;

import static dev.gru4j.TestValues.assertSameBits;
import static dev.gru4j.TestValues.uniform;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruParameters.Kind;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GruWeightsTest {
    private static final GruSpec SPEC =
            GruSpec.of(3, 5).withLayers(2).withDirections(Directions.BIDIRECTIONAL).withDropout(0.25f);

    @Test
    void aParameterSetByNameIsReadByPlaceAndTouchesNoOther() {
        GruWeights weights = new GruWeights(SPEC);
        float[] values = uniform(1, 15 * 10);
        weights.set("weight_ih_l1_reverse", values);
        assertArrayEquals(values, weights.get(1, 1, Kind.WEIGHT_IH));
        int at = (int) weights.layout().get(1, 1, Kind.WEIGHT_IH).offset();
        for (int k = 0; k < weights.values().length; k++) {
            assertEquals(k < at || k >= at + 150 ? 0 : values[k - at], weights.values()[k], "values[" + k + "]");
        }
    }

    @Test
    void aParameterReadIsACopy() {
        GruWeights weights = new GruWeights(SPEC);
        weights.get("bias_ih_l0")[0] = 1;
        assertEquals(0, weights.get("bias_ih_l0")[0]);
    }

    @Test
    void weightsOverAnArrayShareItAndCopiesDoNot() {
        float[] values = new float[(int) GruParameters.of(SPEC).length()];
        GruWeights weights = new GruWeights(SPEC, values);
        assertSame(values, weights.values());
        weights.copy().values()[0] = 1;
        assertEquals(0, values[0]);
    }

    @Test
    void shouldRejectAnArrayOfAnotherLength() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new GruWeights(GruSpec.of(2, 3), new float[62]));
        assertEquals(
                "parameters has 62 floats; 63 expected for I2 H3 L1 FORWARD RESET_AFTER bias BOTH", e.getMessage());
    }

    @Test
    void shouldRejectAParameterOfAnotherLength() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> new GruWeights(SPEC).set(0, 0, Kind.BIAS_HH, new float[14]));
        assertEquals("bias_hh_l0 has 14 floats; 15 expected for " + SPEC, e.getMessage());
    }

    @Test
    void shouldRejectMoreParametersThanAnArrayHolds() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new GruWeights(GruSpec.of(1, 30_000).withBias(BiasMode.NONE)));
        assertEquals(
                "I1 H30000 L1 FORWARD RESET_AFTER bias NONE has 2700090000 parameters;"
                        + " a float[] holds at most 2147483639",
                e.getMessage());
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new GruWeights(GruSpec.of(2, 3).withBias(BiasMode.INPUT)).get("bias_hh_l0"));
        assertEquals(
                "no parameter 'bias_hh_l0' in I2 H3 L1 FORWARD RESET_AFTER bias INPUT;"
                        + " it has weight_ih_l0, weight_hh_l0, bias_ih_l0",
                e.getMessage());
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherSeedOthers() {
        float[] first = new GruWeights(SPEC).initialize(7).values();
        assertSameBits("values", first, new GruWeights(SPEC).initialize(7).values());
        assertFalse(Arrays.equals(first, new GruWeights(SPEC).initialize(8).values()));
    }

    @Test
    void initialWeightsKeepTheirValuesAcrossReleases() {
        // A seed that people have written down must go on meaning the same weights.
        // These were computed by another program from the published Philox4x32-10.
        float[] expected = {-0.4351821f, 0.107632756f, -0.28804284f, 0.19740969f, 0.40493178f, 0.4862666f};
        float[] values = new GruWeights(GruSpec.of(1, 4)).initialize(1).values();
        assertSameBits("values", expected, Arrays.copyOf(values, expected.length));
    }

    @Test
    void initialWeightsAreUniformBetweenPlusAndMinusOneOverRootH() {
        GruSpec spec = GruSpec.of(64, 64);
        float[] values = new GruWeights(spec).initialize(3).values();
        double bound = 1 / Math.sqrt(64);
        double mean = 0;
        double square = 0;
        double largest = 0;
        for (float v : values) {
            mean += v / values.length;
            square += (double) v * v / values.length;
            largest = Math.max(largest, Math.abs(v));
        }
        // 24,960 draws: the mean's deviation is bound/√(3n), the mean square's bound²·√(4/45n); five of each.
        assertEquals(0, mean, 5 * bound / Math.sqrt(3.0 * values.length));
        assertEquals(bound * bound / 3, square, 5 * bound * bound * Math.sqrt(4.0 / 45 / values.length));
        assertTrue(largest <= bound && largest > 0.99 * bound, "largest is " + largest);
    }
}
