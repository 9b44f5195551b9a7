package dev.gru4j.parity;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.reference.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The training kernels of every backend against their formulas in double, held to the bound of {@link Tolerance}. */
@ExtendWith(ClosingTable.class)
final class KernelParityTest {
    /** Runs only the tests whose id contains this text. */
    private static final String KERNEL_PROPERTY = "gru4j.kernel";

    /** One, odd, and more than this machine may have. */
    private static final int[] THREADS = {1, 3, 8};

    /** One test; its text is its id. */
    record Run(Subject subject, KernelCase problem) {
        @Override
        public String toString() {
            return subject + " " + problem;
        }
    }

    private static final Map<String, Expectation> EXPECTATIONS = new ConcurrentHashMap<>();

    static Stream<Run> runs() {
        String text = System.getProperty(KERNEL_PROPERTY, "");
        Stream<Run> single = KernelCases.all().stream().flatMap(c -> Subject.single().stream().map(s -> new Run(s, c)));
        Stream<Run> reduced =
                KernelCases.products().stream().flatMap(c -> Subject.reduced().stream().map(s -> new Run(s, c)));
        return Stream.concat(single, reduced).filter(run -> run.toString().contains(text));
    }

    static List<Subject> subjects() {
        return Subject.single();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void staysWithinTheBound(Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            KernelCase problem = run.problem();
            Precision twin = run.subject().twin();
            Expectation expectation =
                    EXPECTATIONS.computeIfAbsent(problem.id() + " " + twin, id -> expect(problem, twin));
            Map<String, double[]> found = problem.run(run.subject().backend());
            List<Object> defects = new ArrayList<>(Comparison.misses(problem.results(), expectation, found));
            String repeat =
                    "mvn -pl java/parity -am test -Dtest=KernelParityTest -Dsurefire.failIfNoSpecifiedTests=false"
                            + " -D" + KERNEL_PROPERTY + "='" + run + "'";
            Comparison.failIfAny(defects, run.toString(), problem.id().hashCode(), repeat);
            Comparison.recordShares(run.subject(), problem.id(), problem.results(), expectation, found);
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void anyNumberOfThreadsGivesTheSameBits(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (KernelCase problem : KernelCases.all()) {
                Map<String, double[]> expected = problem.run(subject.backend());
                for (int threads : THREADS) {
                    try (GruBackend backend = subject.open(threads)) {
                        String what = subject + " " + problem + " with " + threads + " threads";
                        Bits.assertSame(what, problem.results(), expected, problem.run(backend));
                    }
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void theGradientOfALossMayReplaceItsArgument(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            int n = 13;
            int classes = 37;
            GruBackend backend = subject.backend();
            TrainingKernels kernels = backend.trainingKernels();
            try (FloatMemory logits = backend.allocate((long) n * classes);
                    FloatMemory target = backend.allocate((long) n * classes);
                    FloatMemory apart = backend.allocate((long) n * classes);
                    FloatMemory loss = backend.allocate(1);
                    IntMemory targets = backend.allocateInts(n)) {
                float[] values = new float[n * classes];
                for (int k = 0; k < values.length; k++) {
                    values[k] = (float) Math.sin(k);
                }
                Tensor gradient = Tensor.matrix("gradient", "n", n, "c", classes);
                logits.upload(values);
                kernels.softmaxCrossEntropy(logits, targets, n, classes, 0.5f, loss, apart);
                kernels.softmaxCrossEntropy(logits, targets, n, classes, 0.5f, loss, logits);
                assertSame(subject + " softmaxCrossEntropy in place", gradient, apart, logits);
                logits.upload(values);
                kernels.squaredError(logits, target, null, n, classes, 0.5f, loss, apart);
                kernels.squaredError(logits, target, null, n, classes, 0.5f, loss, logits);
                assertSame(subject + " squaredError in place", gradient, apart, logits);
            }
        });
    }

    private static void assertSame(String what, Tensor tensor, FloatMemory expected, FloatMemory found) {
        Bits.assertSame(
                what, List.of(tensor), Map.of(tensor.name(), doubles(expected)), Map.of(tensor.name(), doubles(found)));
    }

    private static double[] doubles(FloatMemory memory) {
        float[] values = memory.toArray();
        return GruReference.doubles(values, values.length);
    }

    private static Expectation expect(KernelCase problem, Precision twin) {
        return Expectation.of(
                problem.results(), twin, (precision, draw, change) -> problem.redraw(draw, change).run(precision));
    }
}
