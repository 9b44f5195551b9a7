package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import java.util.List;
import org.junit.jupiter.api.Test;

class GruParametersTest {
    @Test
    void theOrderIsLayerThenDirectionThenKindWithPyTorchsNames() {
        GruParameters layout =
                GruParameters.of(GruSpec.of(3, 5).withLayers(2).withDirections(Directions.BIDIRECTIONAL));
        assertEquals(
                List.of(
                        "weight_ih_l0 15x3 at 0",
                        "weight_hh_l0 15x5 at 45",
                        "bias_ih_l0 15x1 at 120",
                        "bias_hh_l0 15x1 at 135",
                        "weight_ih_l0_reverse 15x3 at 150",
                        "weight_hh_l0_reverse 15x5 at 195",
                        "bias_ih_l0_reverse 15x1 at 270",
                        "bias_hh_l0_reverse 15x1 at 285",
                        "weight_ih_l1 15x10 at 300",
                        "weight_hh_l1 15x5 at 450",
                        "bias_ih_l1 15x1 at 525",
                        "bias_hh_l1 15x1 at 540",
                        "weight_ih_l1_reverse 15x10 at 555",
                        "weight_hh_l1_reverse 15x5 at 705",
                        "bias_ih_l1_reverse 15x1 at 780",
                        "bias_hh_l1_reverse 15x1 at 795"),
                layout.all().stream()
                        .map(p -> p.name() + " " + p.rows() + "x" + p.columns() + " at " + p.offset())
                        .toList());
        assertEquals(810, layout.length());
    }

    @Test
    void aReverseLayerAloneHasReverseNames() {
        assertEquals(
                List.of("weight_ih_l0_reverse", "weight_hh_l0_reverse"),
                GruParameters.of(GruSpec.of(1, 1).withDirections(Directions.REVERSE).withBias(BiasMode.NONE)).all()
                        .stream()
                        .map(Parameter::name)
                        .toList());
    }

    @Test
    void everyParameterIsFoundByItsPlaceInEveryBiasMode() {
        for (BiasMode bias : BiasMode.values()) {
            GruParameters layout = GruParameters.of(
                    GruSpec.of(3, 5).withLayers(3).withDirections(Directions.BIDIRECTIONAL).withBias(bias));
            for (Parameter p : layout.all()) {
                assertEquals(p, layout.get(p.layer(), p.direction(), p.kind()));
            }
        }
    }

    @Test
    void parametersFollowEachOtherWithoutGap() {
        GruParameters layout = GruParameters.of(GruSpec.of(3, 5).withLayers(3).withBias(BiasMode.INPUT));
        long end = 0;
        for (Parameter p : layout.all()) {
            assertEquals(end, p.offset(), p.name());
            end += p.length();
        }
        assertEquals(end, layout.length());
    }

    @Test
    void aWeightHasTwoSizesAndABiasOne() {
        GruParameters layout = GruParameters.of(GruSpec.of(3, 5));
        assertArrayEquals(new long[] {15, 3}, layout.get(0, 0, Kind.WEIGHT_IH).shape());
        assertArrayEquals(new long[] {15}, layout.get(0, 0, Kind.BIAS_HH).shape());
    }

    @Test
    void theLengthOfALargeNetworkDoesNotOverflow() {
        GruSpec spec = GruSpec.of(1, 100_000).withBias(BiasMode.NONE);
        assertEquals(3L * 100_000 * 100_001, GruParameters.of(spec).length());
    }

    @Test
    void whatIsNotThereIsRefused() {
        GruParameters layout = GruParameters.of(GruSpec.of(3, 5).withBias(BiasMode.INPUT));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> layout.get(0, 0, Kind.BIAS_HH));
        assertEquals("a GRU with bias mode INPUT has no BIAS_HH", e.getMessage());
        assertThrows(IndexOutOfBoundsException.class, () -> layout.get(1, 0, Kind.WEIGHT_IH));
        assertThrows(IndexOutOfBoundsException.class, () -> layout.get(0, 1, Kind.WEIGHT_IH));
    }
}
