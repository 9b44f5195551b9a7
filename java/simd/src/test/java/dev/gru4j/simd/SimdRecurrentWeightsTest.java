package dev.gru4j.simd;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Directions;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.WeightStorage;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Recurrent weights in bf16 give the bits that weights rounded beforehand give, however they are kept. */
final class SimdRecurrentWeightsTest {
    static Stream<Problem> problems() {
        return Stream.of(GruVariant.values()).flatMap(variant -> Stream.of(
                // One row: pairs, of even and odd H, of one narrow panel, whole ones and both.
                one(GruSpec.of(1, 1).withVariant(variant), 2, 1),
                one(GruSpec.of(5, 7).withVariant(variant), 6, 1),
                one(GruSpec.of(3, 32).withVariant(variant), 5, 1),
                one(GruSpec.of(4, 83).withVariant(variant), 5, 1),
                one(GruSpec.of(4, 300).withVariant(variant).withLayers(2).withDirections(Directions.BIDIRECTIONAL), 3,
                        1),
                // More rows: floats.
                one(GruSpec.of(5, 21).withVariant(variant), 6, 4)));
    }

    private static Problem one(GruSpec spec, int T, int B) {
        return new Problem(spec, new GruShape(T, B, spec.inputSize(), spec.hiddenSize()), null, 23);
    }

    @ParameterizedTest
    @MethodSource("problems")
    void bf16GivesTheBitsOfWeightsRoundedBefore(Problem problem) {
        Problem rounded = rounded(problem);
        for (SimdKernels kernels : Widths.kernels()) {
            for (int threads : new int[] {1, 3}) {
                String what = Widths.name(kernels) + " threads " + threads + " " + problem + " ";
                assertSame(what, solve(rounded, kernels, threads, WeightStorage.FP32),
                        solve(problem, kernels, threads, WeightStorage.BF16));
                assertSame(what + "inference ", infer(rounded, kernels, threads, WeightStorage.FP32),
                        infer(problem, kernels, threads, WeightStorage.BF16));
            }
        }
    }

    /** An infinite x makes NaN of hidden units that are padding; behind an odd H, one of them shares the last pair. */
    @ParameterizedTest
    @MethodSource("problems")
    void anInfiniteInputLeavesTheSameBitsToo(Problem problem) {
        problem.x[0] = Float.POSITIVE_INFINITY;
        Problem rounded = rounded(problem);
        rounded.x[0] = Float.POSITIVE_INFINITY;
        for (SimdKernels kernels : Widths.kernels()) {
            Map<String, float[]> found = infer(problem, kernels, 1, WeightStorage.BF16);
            assertSame(Widths.name(kernels) + " " + problem + " ",
                    infer(rounded, kernels, 1, WeightStorage.FP32), found);
            if (problem.spec.layers() == 1) {
                float[] y = requireNonNull(found.get("y"));
                assertFalse(IntStream.range(0, y.length).anyMatch(k -> Float.isNaN(y[k])),
                        "saturated gates are numbers: " + problem);
            }
        }
    }

    @Test
    void whatIsNotAsFarOutAsBf16KnowsBecomesInfiniteAndNanStaysNan() {
        Problem problem = one(GruSpec.of(2, 3), 2, 1);
        Parameter weights = GruParameters.of(problem.spec).get(0, 0, Kind.WEIGHT_HH);
        for (float value : new float[] {Float.MAX_VALUE, Float.NaN, Float.intBitsToFloat(0x7f80_0001)}) {
            problem.parameters[(int) weights.offset()] = value;
            Problem rounded = rounded(problem);
            for (SimdKernels kernels : Widths.kernels()) {
                assertSame(Widths.name(kernels) + " " + value + " ",
                        infer(rounded, kernels, 1, WeightStorage.FP32), infer(problem, kernels, 1, WeightStorage.BF16));
            }
        }
    }

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void thePropertySpeaksWhereTheOptionsDoNot() {
        System.setProperty(SimdBackend.WEIGHTS_PROPERTY, "bf16");
        try (GruBackend backend = SimdBackend.open(new BackendOptions(1, 0))) {
            assertTrue(backend.description().endsWith(", recurrent weights in bf16"), backend.description());
            System.setProperty(SimdBackend.WEIGHTS_PROPERTY, "half");
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> SimdBackend.open(new BackendOptions(1, 0)).close());
            assertEquals(
                    "gru4j.simd.recurrent-weights: weight storage is 'half'; fp32 or bf16 expected", e.getMessage());
        } finally {
            System.clearProperty(SimdBackend.WEIGHTS_PROPERTY);
        }
        try (GruBackend backend = SimdBackend.open(new BackendOptions(1, 0))) {
            assertFalse(backend.description().contains("bf16"), backend.description());
        }
    }

    /** The same problem with recurrent weights that bf16 keeps as they are. */
    private static Problem rounded(Problem problem) {
        Problem rounded = new Problem(problem.spec, problem.shape, null, 23);
        System.arraycopy(problem.parameters, 0, rounded.parameters, 0, rounded.parameters.length);
        for (Parameter p : GruParameters.of(problem.spec).all()) {
            if (p.kind() == Kind.WEIGHT_HH) {
                for (int k = (int) p.offset(); k < p.offset() + p.length(); k++) {
                    rounded.parameters[k] = WeightStorage.BF16.round(rounded.parameters[k]);
                }
            }
        }
        return rounded;
    }

    private static Map<String, float[]> solve(
            Problem problem, SimdKernels kernels, int threads, WeightStorage weights) {
        try (GruBackend backend = new SimdBackend(kernels, threads, weights)) {
            return problem.solve(backend);
        }
    }

    private static Map<String, float[]> infer(
            Problem problem, SimdKernels kernels, int threads, WeightStorage weights) {
        try (GruBackend backend = new SimdBackend(kernels, threads, weights)) {
            return problem.infer(backend);
        }
    }

    private static void assertSame(String what, Map<String, float[]> expected, Map<String, float[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach(
                (tensor, bits) -> assertArrayEquals(bits, found.get(tensor), what + tensor + ": same bits expected"));
    }
}
