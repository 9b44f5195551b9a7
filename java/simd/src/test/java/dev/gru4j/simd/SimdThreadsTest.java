package dev.gru4j.simd;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.Directions;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must not depend on threads: any bit of any result. */
final class SimdThreadsTest {

    static Stream<Problem> problems() {
        return Stream.of(
                // 40 rows: split by rows for 2 threads, by hidden units for 3 and 8.
                new Problem(GruSpec.of(37, 70), new GruShape(7, 40, 37, 70), null, 21),
                new Problem(
                        GruSpec.of(37, 70).withVariant(GruVariant.RESET_BEFORE),
                        new GruShape(7, 40, 37, 70), Problem.mixedLengths(7, 40), 22),
                new Problem(
                        GruSpec.of(20, 45).withLayers(2).withDirections(Directions.BIDIRECTIONAL).withDropout(0.2f),
                        new GruShape(11, 33, 20, 45), Problem.mixedLengths(11, 33), 23),
                // 520 packed rows: two chunks of steps, three blocks of the weight gradient.
                new Problem(GruSpec.of(16, 90), new GruShape(130, 4, 16, 90), null, 24),
                new Problem(
                        GruSpec.of(16, 90).withVariant(GruVariant.RESET_BEFORE).withDirections(Directions.REVERSE),
                        new GruShape(60, 3, 16, 90), Problem.mixedLengths(60, 3), 25));
    }

    @ParameterizedTest
    @MethodSource("problems")
    void everyNumberOfThreadsGivesTheSameBits(Problem problem) {
        for (int bits : Widths.available()) {
            Map<String, float[]> alone = solve(problem, bits, 1);
            // Every width splits the same way: all numbers of threads at one width are enough.
            for (int threads : bits == 128 ? new int[] {2, 3, 8} : new int[] {3}) {
                Map<String, float[]> shared = solve(problem, bits, threads);
                alone.forEach((tensor, expected) -> assertArrayEquals(
                        expected, requireNonNull(shared.get(tensor)),
                        "simd/" + bits + " threads " + threads + " " + problem + " " + tensor));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("problems")
    void inferenceGivesTheSameBitsAsTraining(Problem all) {
        Problem problem = new Problem(all.spec.withDropout(0), all.shape, all.lengths, 31);
        for (int threads : new int[] {1, 2, 3}) {
            try (GruBackend backend = SimdBackend.open(new BackendOptions(threads, 0))) {
                Map<String, float[]> training = problem.solve(backend);
                problem.infer(backend).forEach((tensor, found) -> assertArrayEquals(
                        requireNonNull(training.get(tensor)), found, problem + " " + tensor));
            }
        }
    }

    @Test
    void callsFromSeveralThreadsAtOnceDoNotDisturbEachOther() throws Exception {
        Problem problem = new Problem(GruSpec.of(24, 40), new GruShape(12, 20, 24, 40), null, 41);
        try (GruBackend backend = SimdBackend.open(new BackendOptions(2, 0));
                ExecutorService callers = Executors.newFixedThreadPool(4)) {
            float[] expected = requireNonNull(problem.infer(backend).get("y"));
            try (GruPlan plan = backend.plan(problem.spec, 12, 20, GruPlan.Mode.INFERENCE)) {
                plan.loadParameters(Problem.filled(problem.parameters));
                List<Future<float[]>> results = new ArrayList<>();
                for (int caller = 0; caller < 4; caller++) {
                    results.add(callers.submit(() -> repeat(plan, problem)));
                }
                for (Future<float[]> result : results) {
                    assertArrayEquals(expected, result.get());
                }
            }
        }
    }

    private static float[] repeat(GruPlan plan, Problem problem) {
        FloatMemory y = Problem.poisoned(problem.dy.length);
        GruCall call = new GruCall().shape(12, 20).x(Problem.filled(problem.x)).h0(Problem.filled(problem.h0)).y(y);
        call.workspace(Problem.poisoned(plan.workspaceLength()));
        for (int i = 0; i < 50; i++) {
            plan.forward(call);
        }
        return y.toArray();
    }

    @Test
    void aRowDoesNotDependOnTheValuesOfTheOthers() {
        Problem clean = new Problem(GruSpec.of(6, 21), new GruShape(5, 9, 6, 21), null, 51);
        Problem dirty = new Problem(GruSpec.of(6, 21), new GruShape(5, 9, 6, 21), null, 51);
        int sick = 4;
        dirty.x[(1 * 9 + sick) * 6 + 2] = Float.NaN;
        dirty.x[(2 * 9 + sick) * 6 + 3] = Float.NEGATIVE_INFINITY;
        for (int bits : Widths.available()) {
            float[] expected = requireNonNull(solve(clean, bits, 1).get("y"));
            float[] found = requireNonNull(solve(dirty, bits, 1).get("y"));
            for (int i = 0; i < found.length; i++) {
                int b = i / 21 % 9;
                if (b != sick) {
                    assertEquals(expected[i], found[i], "simd/" + bits + " y[" + i + "] of row " + b);
                }
            }
            assertEquals(Float.NaN, found[(1 * 9 + sick) * 21]);
        }
    }

    private static Map<String, float[]> solve(Problem problem, int bits, int threads) {
        try (GruBackend backend = SimdBackend.open(new BackendOptions(threads, bits))) {
            return problem.solve(backend);
        }
    }
}
