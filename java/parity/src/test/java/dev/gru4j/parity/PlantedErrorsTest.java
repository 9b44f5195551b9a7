package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.reference.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Who tests the test: results that are right but for one planted error, each a mistake that implementations of GRUs make,
 * must be beyond the bound, in the tensor where the mistake shows first.
 */
final class PlantedErrorsTest {
    private static final String SHAPE = "T7 B3 I13 H29";

    /**
     * A mistake.
     *
     * @param problem the case it is planted in
     * @param tensor where it must be seen
     * @param plant from the case's data to the float results of an implementation that makes the mistake
     */
    record Mistake(String name, GruCase problem, String tensor, Implementation plant) {
        @Override
        public String toString() {
            return name + ", " + problem;
        }
    }

    /** Something that computes a training step, in float. */
    @FunctionalInterface
    interface Implementation {
        Map<String, double[]> run(GruCase problem, GruInputs in);
    }

    static Stream<Mistake> mistakes() {
        return Stream.of(
                on("recurrent weights read transposed", "", "y", parameters(PlantedErrorsTest::transposeRecurrent)),
                on("reset and update gates swapped", "", "r_l0", parameters(PlantedErrorsTest::swapResetAndUpdate)),
                on("recurrent bias forgotten", "", "y", parameters((p, w) -> clear(p, w, Kind.BIAS_HH))),
                on("input bias forgotten", "bias=input", "y", parameters((p, w) -> clear(p, w, Kind.BIAS_IH))),
                on("candidate's biases merged", "", "gh_n_l0", parameters(PlantedErrorsTest::mergeCandidateBiases)),
                on("weights rounded to bfloat16", "", "y", parameters(PlantedErrorsTest::roundToBfloat16)),
                on("reset gate before the product, not after", "", "y", as("variant=reset_before")),
                on("reset gate after the product, not before", "variant=reset_before", "y", as("")),
                on("reverse read as forward", "directions=reverse", "y", as("directions=forward")),
                on("dropout left out", "layers=2 dropout=0.25", "y", as("layers=2")),
                on("dropout applied to a single layer", "layers=2", "hT", as("layers=2 dropout=0.25")),
                on("lengths dropped", "lengths=random", "hT",
                        inputs(in -> with(in, null, in.h0(), in.dhT(), in.base()))),
                on(
                        "lengths dropped by a reverse direction",
                        "lengths=random directions=bidirectional",
                        "y",
                        inputs(in -> with(in, null, in.h0(), in.dhT(), in.base()))),
                on("h0 dropped", "", "y", inputs(in -> with(in, in.lengths(), null, in.dhT(), in.base()))),
                on("dhT dropped", "", "dh0", inputs(in -> with(in, in.lengths(), in.h0(), null, in.base()))),
                on(
                        "gradients overwritten where they accumulate",
                        "gradients=accumulated",
                        "dweight_hh_l0",
                        inputs(in -> with(in, in.lengths(), in.h0(), in.dhT(), null))),
                on("y late by one step", "", "y", results((p, r) -> shift(r, "y", p.shape().B() * p.shape().H()))),
                on("dx late by one step", "", "dx", results((p, r) -> shift(r, "dx", p.shape().B() * p.shape().I()))),
                on("y late by one row", "", "y", results((p, r) -> shift(r, "y", p.shape().H()))),
                on("last unit never written", "", "hT", results((p, r) -> last(r, "hT", 0))),
                on("last gradient of a bias is NaN", "", "dbias_hh_l0",
                        results((p, r) -> last(r, "dbias_hh_l0", Double.NaN))),
                on("y off by one part in a million", "", "y", results((p, r) -> scale(r, "y", 1 + 1e-6))),
                on("one row missing in a weight gradient", "", "dweight_ih_l0",
                        inputs(PlantedErrorsTest::dropOneGradientRow)));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isBeyondTheBound(Mistake mistake) {
        Map<String, double[]> found =
                mistake.plant().run(mistake.problem(), GruInputs.of(mistake.problem()));
        List<String> missed = missed(mistake.problem(), found);
        assertTrue(missed.contains(mistake.tensor()), "expected a miss in " + mistake.tensor() + ", found " + missed);
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void withoutTheMistakeAllIsWithinTheBound(Mistake mistake) {
        GruCase problem = mistake.problem();
        Map<String, double[]> found = GruReference.training(problem, GruInputs.of(problem), Precision.FLOAT);
        assertEquals(List.of(), missed(problem, found));
    }

    private static List<String> missed(GruCase problem, Map<String, double[]> found) {
        List<Tensor> tensors = new ArrayList<>(GruTensors.of(problem, Phase.TRAINING));
        tensors.addAll(GruTensors.of(problem, Phase.BACKWARD));
        Expectation expectation = Expectation.of(
                tensors,
                Precision.FLOAT,
                (precision, draw, change) -> GruReference.training(problem, GruInputs.of(problem).redraw(draw, change),
                        precision));
        // The other variant keeps another reserve; what it does not have, it cannot be compared by.
        List<Tensor> comparable =
                tensors.stream().filter(t -> found.containsKey(t.name())).toList();
        assertFalse(comparable.isEmpty());
        return Comparison.misses(comparable, expectation, found).stream()
                .map(m -> m.tensor().name())
                .toList();
    }

    private static Mistake on(String name, String options, String tensor, Implementation plant) {
        return new Mistake(name, GruCase.parse(SHAPE + " " + options), tensor, plant);
    }

    /** Computes with other options than the case's, on the case's data. */
    private static Implementation as(String options) {
        return (problem, in) -> GruReference.training(GruCase.parse(SHAPE + " " + options), in, Precision.FLOAT);
    }

    private static Implementation inputs(UnaryOperator<GruInputs> change) {
        return (problem, in) -> GruReference.training(problem, change.apply(in), Precision.FLOAT);
    }

    private static Implementation parameters(BiConsumer<GruParameters, float[]> change) {
        return (problem, in) -> {
            change.accept(GruParameters.of(problem.spec()), in.parameters());
            return GruReference.training(problem, in, Precision.FLOAT);
        };
    }

    private static Implementation results(BiConsumer<GruCase, Map<String, double[]>> change) {
        return (problem, in) -> {
            Map<String, double[]> results = GruReference.training(problem, in, Precision.FLOAT);
            change.accept(problem, results);
            return results;
        };
    }

    /** The same data with some of it replaced; padding becomes 0, for an implementation that reads it. */
    private static GruInputs with(
            GruInputs in,
            int @Nullable [] lengths,
            float @Nullable [] h0,
            float @Nullable [] dhT,
            float @Nullable [] base) {
        return new GruInputs(zeroForNaN(in.x()), h0, lengths, in.parameters(), zeroForNaN(in.dy()), dhT, base);
    }

    private static float[] zeroForNaN(float @Nullable [] values) {
        float[] result = values == null ? new float[0] : values.clone();
        for (int k = 0; k < result.length; k++) {
            result[k] = Float.isNaN(result[k]) ? 0 : result[k];
        }
        return result;
    }

    /** Each gate's H×H block. */
    private static void transposeRecurrent(GruParameters layout, float[] weights) {
        int H = layout.spec().hiddenSize();
        int at = (int) layout.get(0, 0, Kind.WEIGHT_HH).offset();
        for (int gate = 0; gate < Gates.COUNT; gate++, at += H * H) {
            for (int j = 0; j < H; j++) {
                for (int k = 0; k < j; k++) {
                    swap(weights, at + j * H + k, at + k * H + j);
                }
            }
        }
    }

    private static void swapResetAndUpdate(GruParameters layout, float[] weights) {
        for (Parameter p : layout.all()) {
            int block = layout.spec().hiddenSize() * p.columns();
            for (int k = 0; k < block; k++) {
                swap(weights, (int) p.offset() + k, (int) p.offset() + block + k);
            }
        }
    }

    /** b_in + b_hn in one place: right for reset-before, wrong for reset-after, where r scales b_hn. */
    private static void mergeCandidateBiases(GruParameters layout, float[] weights) {
        int H = layout.spec().hiddenSize();
        int input = (int) layout.get(0, 0, Kind.BIAS_IH).offset() + Gates.CANDIDATE * H;
        int recurrent = (int) layout.get(0, 0, Kind.BIAS_HH).offset() + Gates.CANDIDATE * H;
        for (int j = 0; j < H; j++) {
            weights[input + j] += weights[recurrent + j];
            weights[recurrent + j] = 0;
        }
    }

    private static void clear(GruParameters layout, float[] weights, Kind kind) {
        Parameter p = layout.get(0, 0, kind);
        java.util.Arrays.fill(weights, (int) p.offset(), (int) (p.offset() + p.length()), 0);
    }

    private static void roundToBfloat16(GruParameters layout, float[] weights) {
        for (int k = 0; k < layout.length(); k++) {
            weights[k] = Float.intBitsToFloat((Float.floatToIntBits(weights[k]) + 0x8000) & 0xFFFF0000);
        }
    }

    /** The last row of the last step: what a loop over rows in tiles may leave out. */
    private static GruInputs dropOneGradientRow(GruInputs in) {
        float[] dy = zeroForNaN(in.dy());
        java.util.Arrays.fill(dy, dy.length - 29, dy.length, 0);
        return new GruInputs(in.x(), in.h0(), in.lengths(), in.parameters(), dy, in.dhT(), in.base());
    }

    private static void shift(Map<String, double[]> results, String name, int by) {
        double[] values = tensor(results, name);
        System.arraycopy(values.clone(), 0, values, by, values.length - by);
    }

    private static void last(Map<String, double[]> results, String name, double value) {
        double[] values = tensor(results, name);
        values[values.length - 1] = value;
    }

    private static void scale(Map<String, double[]> results, String name, double factor) {
        double[] values = tensor(results, name);
        for (int k = 0; k < values.length; k++) {
            values[k] *= factor;
        }
    }

    private static double[] tensor(Map<String, double[]> results, String name) {
        return java.util.Objects.requireNonNull(results.get(name), name);
    }

    private static void swap(float[] values, int i, int k) {
        float value = values[i];
        values[i] = values[k];
        values[k] = value;
    }
}
