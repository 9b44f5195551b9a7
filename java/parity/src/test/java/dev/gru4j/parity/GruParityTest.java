package dev.gru4j.parity;

import dev.gru4j.backend.WeightStorage;
import dev.gru4j.reference.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every backend on every case, phase by phase, held to the bound of {@link Tolerance}. */
@ExtendWith(ClosingTable.class)
final class GruParityTest {
    /** Names the cases to run, between semicolons: {@code [subject] [phase] T… B… I… H… [option=value …]}. */
    static final String CASE_PROPERTY = "gru4j.case";

    /** One test; its text is its id. */
    record Run(Subject subject, Phase phase, GruCase problem) {
        @Override
        public String toString() {
            return subject + " " + phase + " " + problem;
        }
    }

    /** Expectations last asked for. Subjects of one case follow each other, so one of each precision, and one with rounded weights, are enough. */
    private static final Map<String, Expectation> EXPECTATIONS = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;
        private static final int CAPACITY = Precision.values().length;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Expectation> eldest) {
            return size() > CAPACITY;
        }
    };

    static Stream<Run> runs() {
        String text = System.getProperty(CASE_PROPERTY, "");
        List<Phase> phases = List.of(Phase.values());
        return text.isEmpty()
                ? Stream.concat(
                        runs(Subject.single(), phases, GruCases.ofRun()),
                        runs(Subject.reduced(), phases, GruCases.reduced()))
                : runs(text);
    }

    /** The tests that a {@value #CASE_PROPERTY} names. */
    static Stream<Run> runs(String text) {
        return Arrays.stream(text.split(";", -1)).flatMap(GruParityTest::runsOfCase);
    }

    private static Stream<Run> runsOfCase(String text) {
        List<String> words = new ArrayList<>(List.of(text.strip().split("\\s+", -1)));
        Optional<Subject> subject = Subject.all().stream()
                .filter(s -> s.id().equals(words.getFirst()))
                .findFirst();
        subject.ifPresent(s -> words.removeFirst());
        Optional<Phase> phase = Arrays.stream(Phase.values())
                .filter(p -> !words.isEmpty() && p.toString().equals(words.getFirst()))
                .findFirst();
        phase.ifPresent(p -> words.removeFirst());
        return runs(
                subject.map(List::of).orElseGet(Subject::all),
                phase.map(List::of).orElseGet(() -> List.of(Phase.values())),
                List.of(GruCase.parse(String.join(" ", words))));
    }

    private static Stream<Run> runs(List<Subject> subjects, List<Phase> phases, List<GruCase> cases) {
        return cases.stream()
                .flatMap(c -> phases.stream().flatMap(p -> subjects.stream().map(s -> new Run(s, p, c))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void staysWithinTheBound(Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> check(run));
    }

    private static void check(Run run) {
        GruCase problem = run.problem();
        GruInputs in = GruInputs.of(problem);
        Expectation expectation = expectation(problem, run.phase(), run.subject());
        Map<String, double[]> found = GruRun.run(run.subject().backend(), problem, in, run.phase());
        List<Tensor> asked = GruRun.asked(problem, run.phase());
        List<Object> defects = new ArrayList<>(Comparison.misses(asked, expectation, found));
        int[] lengths = in.lengths();
        if (lengths != null) {
            defects.addAll(Comparison.dirtyPadding(asked, found, lengths));
        }
        String repeat = "mvn -pl java/parity -am test -Dtest=GruParityTest -Dsurefire.failIfNoSpecifiedTests=false -D"
                + CASE_PROPERTY + "='" + run + "'";
        Comparison.failIfAny(defects, run.toString(), problem.seed(), repeat);
        Comparison.recordShares(run.subject(), run.phase() + " " + problem, asked, expectation, found);
    }

    /** Inference is a problem of its own only where training drops features; otherwise the outputs are the same. */
    private static Expectation expectation(GruCase problem, Phase phase, Subject subject) {
        Precision twin = subject.twin();
        WeightStorage weights = subject.recurrentWeights();
        boolean inference = phase == Phase.INFERENCE && problem.dropsFeatures();
        synchronized (EXPECTATIONS) {
            return EXPECTATIONS.computeIfAbsent(
                    (inference ? "inference " : "") + problem + " " + twin + " " + weights,
                    key -> expect(problem, inference, twin, weights));
        }
    }

    private static Expectation expect(
            GruCase problem, boolean inference, Precision twin, WeightStorage weights) {
        GruInputs in = GruInputs.of(problem).withRecurrentWeights(problem.spec(), weights);
        if (inference) {
            return Expectation.of(
                    GruTensors.of(problem, Phase.INFERENCE),
                    twin,
                    (precision, draw, change) -> GruReference.inference(problem, in.redraw(draw, change), precision));
        }
        List<Tensor> tensors = new ArrayList<>(GruTensors.of(problem, Phase.TRAINING));
        tensors.addAll(GruTensors.of(problem, Phase.BACKWARD));
        return Expectation.of(
                tensors,
                twin,
                (precision, draw, change) -> GruReference.training(problem, in.redraw(draw, change), precision));
    }
}
