package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class GruSpecTest {
    private static final GruSpec SPEC = GruSpec.of(13, 29);

    private static void assertRefused(String message, Runnable making) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, making::run).getMessage());
    }

    @Test
    void theShortFormIsPyTorchsDefault() {
        assertEquals(
                new GruSpec(13, 29, 1, Directions.FORWARD, GruVariant.RESET_AFTER, BiasMode.BOTH, 0), SPEC);
    }

    @Test
    void upperLayersReadAllDirectionsOfTheLayerBelow() {
        GruSpec spec = SPEC.withLayers(3).withDirections(Directions.BIDIRECTIONAL);
        assertEquals(13, spec.layerInputSize(0));
        assertEquals(58, spec.layerInputSize(1));
        assertEquals(58, spec.outputSize());
        assertEquals(6, spec.states());
        assertThrows(IndexOutOfBoundsException.class, () -> spec.layerInputSize(3));
    }

    @Test
    void aReverseLayerHasOneDirectionAndItIsReverse() {
        assertEquals(1, Directions.REVERSE.count());
        assertEquals(true, Directions.REVERSE.isReverse(0));
        assertEquals(false, Directions.BIDIRECTIONAL.isReverse(0));
        assertEquals(true, Directions.BIDIRECTIONAL.isReverse(1));
        assertThrows(IndexOutOfBoundsException.class, () -> Directions.FORWARD.isReverse(1));
    }

    @Test
    void itDescribesItselfInOneLine() {
        assertEquals(
                "I13 H29 L2 REVERSE RESET_BEFORE bias NONE dropout 0.1",
                new GruSpec(13, 29, 2, Directions.REVERSE, GruVariant.RESET_BEFORE, BiasMode.NONE, 0.1f).toString());
        assertEquals("T7 B3 I13 H29", new GruShape(7, 3, 13, 29).toString());
    }

    @Test
    void impossibleSizesAreRefused() {
        assertRefused("inputSize is 0; at least 1 expected", () -> GruSpec.of(0, 1));
        assertRefused("hiddenSize is 0; at least 1 expected", () -> GruSpec.of(1, 0));
        assertRefused("layers is 0; 1 to 256 expected", () -> SPEC.withLayers(0));
        assertRefused("layers is 257; 1 to 256 expected", () -> SPEC.withLayers(257));
        assertRefused(
                "hiddenSize is 715827883; 3·hiddenSize must stay below 2^31", () -> GruSpec.of(1, 715_827_883));
        assertRefused("T=-1 B=1 I=1 H=1; T >= 0 and B, I, H >= 1 expected", () -> new GruShape(-1, 1, 1, 1));
    }

    @Test
    void dropoutIsAProbabilityBelowOne() {
        for (float p : new float[] {-0.1f, 1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertRefused("dropout is " + p + "; a probability in [0, 1) expected", () -> SPEC.withDropout(p));
        }
        assertEquals(0.99f, SPEC.withDropout(0.99f).dropout());
    }
}
