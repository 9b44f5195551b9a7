package dev.gru4j.parity;

import dev.gru4j.backend.GruBackend;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Same inputs, same backend, same plan: same bits, on every run and for any number of threads. */
@ExtendWith(ClosingTable.class)
final class SameBitsTest {
    /** One, even, odd, and more than this machine may have. */
    private static final int[] THREADS = {1, 2, 3, 8};

    static Stream<GruParityTest.Run> runs() {
        return Stream.of(
                // Enough rows for every thread, and a tail of rows for one of them.
                "T5 B37 I33 H67 layers=2 directions=bidirectional lengths=random dropout=0.25",
                "T3 B70 I5 H19 variant=reset_before gradients=accumulated",
                // Fewer rows than threads: only units are left to divide.
                "T9 B3 I40 H131",
                "T6 B1 I17 H96 variant=reset_before directions=reverse",
                // One row, and a last panel of units that is narrower than the others.
                "T7 B1 I40 H139 layers=2 lengths=random",
                // Less work than a thread is worth.
                "T2 B3 I1 H5 layers=3",
                // The weight gradients' reduction is long.
                "T61 B9 I14 H23 lengths=sorted")
                .map(GruCase::parse)
                .flatMap(c -> runs(c, Subject.single()));
    }

    /** Eight warps share the reduction of a state's product, in chunks of which one warp has one more. */
    static Stream<GruParityTest.Run> reducedRuns() {
        return runs(GruCase.parse("T4 B9 I17 H131 lengths=random"), Subject.reduced());
    }

    private static Stream<GruParityTest.Run> runs(GruCase problem, List<Subject> subjects) {
        return subjects.stream()
                .flatMap(s -> Stream.of(Phase.TRAINING, Phase.BACKWARD)
                        .map(p -> new GruParityTest.Run(s, p, problem)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"runs", "reducedRuns"})
    void twoRunsGiveTheSameBits(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            GruBackend backend = run.subject().backend();
            compare(run, "second run", run(run, backend), run(run, backend));
        });
    }

    static Stream<GruParityTest.Run> repeatedRuns() {
        return Stream.of(
                "T4 B3 I5 H9 layers=2 directions=bidirectional lengths=random dropout=0.25",
                "T3 B2 I4 H7 variant=reset_before gradients=accumulated")
                .map(GruCase::parse)
                .flatMap(c -> Subject.all().stream()
                        .flatMap(s -> Stream.of(Phase.values()).map(p -> new GruParityTest.Run(s, p, c))));
    }

    /** A backend may record a call that comes again, and launch what it has recorded: here the second and third time. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("repeatedRuns")
    void aCallThatIsRepeatedGivesTheSameBits(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            GruBackend backend = run.subject().backend();
            Map<String, double[]> repeated =
                    GruRun.run(backend, run.problem(), GruInputs.of(run.problem()), run.phase(), 3);
            compare(run, "third call", run(run, backend), repeated);
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void anyNumberOfThreadsGivesTheSameBits(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            Map<String, double[]> first = Map.of();
            for (int threads : THREADS) {
                try (GruBackend backend = run.subject().open(threads)) {
                    Map<String, double[]> found = run(run, backend);
                    if (first.isEmpty()) {
                        first = found;
                    } else {
                        compare(run, threads + " threads against " + THREADS[0], first, found);
                    }
                }
            }
        });
    }

    private static Map<String, double[]> run(GruParityTest.Run run, GruBackend backend) {
        return GruRun.run(backend, run.problem(), GruInputs.of(run.problem()), run.phase());
    }

    private static void compare(
            GruParityTest.Run run, String what, Map<String, double[]> expected, Map<String, double[]> found) {
        Bits.assertSame(run + ", " + what, GruRun.asked(run.problem(), run.phase()), expected, found);
    }
}
