package dev.gru4j.simd;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.WeightStorage;
import dev.gru4j.reference.Precision;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A few odd problems at every width; the long list is the parity suite's. */
final class SimdAgainstReferenceTest {
    static Stream<Problem> problems() {
        GruSpec plain = GruSpec.of(5, 7);
        return Stream.of(
                new Problem(GruSpec.of(1, 1), new GruShape(1, 1, 1, 1), null, 1),
                new Problem(plain, new GruShape(4, 3, 5, 7), null, 2),
                new Problem(GruSpec.of(13, 33), new GruShape(6, 9, 13, 33), null, 3),
                new Problem(GruSpec.of(37, 70).withBias(BiasMode.INPUT), new GruShape(7, 13, 37, 70), null, 4),
                new Problem(
                        plain.withVariant(GruVariant.RESET_BEFORE).withBias(BiasMode.NONE),
                        new GruShape(5, 6, 5, 7), Problem.mixedLengths(5, 6), 5),
                new Problem(
                        GruSpec.of(11, 37).withVariant(GruVariant.RESET_BEFORE).withDirections(Directions.REVERSE),
                        new GruShape(6, 10, 11, 37), Problem.mixedLengths(6, 10), 6),
                new Problem(
                        GruSpec.of(6, 19).withDirections(Directions.REVERSE),
                        new GruShape(8, 7, 6, 19), Problem.mixedLengths(8, 7), 7),
                new Problem(
                        GruSpec.of(9, 21).withLayers(3).withDirections(Directions.BIDIRECTIONAL).withDropout(0.3f),
                        new GruShape(9, 8, 9, 21), Problem.mixedLengths(9, 8), 8),
                new Problem(
                        GruSpec.of(8, 17).withLayers(2).withVariant(GruVariant.RESET_BEFORE)
                                .withDirections(Directions.BIDIRECTIONAL),
                        new GruShape(5, 40, 8, 17), Problem.mixedLengths(5, 40), 9),
                new Problem(GruSpec.of(600, 20), new GruShape(9, 33, 600, 20), null, 10),
                new Problem(GruSpec.of(3, 4), new GruShape(300, 2, 3, 4), new int[] {300, 120}, 11),
                new Problem(GruSpec.of(3, 613), new GruShape(2, 9, 3, 613), new int[] {2, 2, 1, 2, 2, 2, 2, 2, 2}, 14),
                new Problem(GruSpec.of(1900, 190), new GruShape(2, 5, 1900, 190), null, 15),
                new Problem(plain, new GruShape(3, 4, 5, 7), new int[4], 12),
                new Problem(plain, new GruShape(0, 4, 5, 7), null, 13));
    }

    @ParameterizedTest
    @MethodSource("problems")
    void everyTensorIsWithinTwiceTheErrorOfTheFloatReference(Problem problem) {
        problem.withPadding(Float.NaN);
        Map<String, double[]> exact = problem.solve(Precision.DOUBLE);
        Map<String, double[]> rounded = problem.solve(Precision.FLOAT);
        for (SimdKernels kernels : Widths.kernels()) {
            for (int threads : new int[] {1, 3}) {
                try (GruBackend backend = new SimdBackend(kernels, threads, WeightStorage.FP32)) {
                    Map<String, float[]> found = problem.solve(backend);
                    assertEquals(exact.keySet(), found.keySet());
                    exact.forEach((tensor, expected) -> compare(
                            Widths.name(kernels) + " threads " + threads + " " + problem + " " + tensor,
                            expected, requireNonNull(rounded.get(tensor)), requireNonNull(found.get(tensor))));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("problems")
    void inferenceIsWithinTwiceTheErrorOfTheFloatReference(Problem all) {
        Problem problem = new Problem(all.spec.withDropout(0), all.shape, all.lengths, 99).withPadding(Float.NaN);
        Map<String, double[]> exact = problem.solve(Precision.DOUBLE);
        Map<String, double[]> rounded = problem.solve(Precision.FLOAT);
        for (SimdKernels kernels : Widths.kernels()) {
            try (GruBackend backend = new SimdBackend(kernels, 1, WeightStorage.FP32)) {
                problem.infer(backend).forEach((tensor, found) -> compare(
                        Widths.name(kernels) + " inference " + problem + " " + tensor,
                        requireNonNull(exact.get(tensor)), requireNonNull(rounded.get(tensor)), found));
            }
        }
    }

    /** err(simd) ≤ 2·err(float reference) + 4 ULP of the tensor's largest value, style of the parity suite. */
    private static void compare(String what, double[] expected, double[] rounded, float[] found) {
        assertEquals(expected.length, found.length, what);
        double largest = 0;
        double error = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            error = Math.max(error, Math.abs(rounded[i] - expected[i]));
        }
        double bound = 2 * error + 4 * Math.ulp((float) largest);
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= bound)) {
                fail(what + " [" + i + "]: expected " + expected[i] + ", found " + found[i] + ", bound " + bound
                        + "; repeat with mvn -pl java/simd -am test -Dtest=SimdAgainstReferenceTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false");
            }
        }
    }
}
