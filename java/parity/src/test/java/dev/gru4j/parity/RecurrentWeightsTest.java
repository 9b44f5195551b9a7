package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.WeightStorage;
import dev.gru4j.reference.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How far rounded recurrent weights lead from the exact result of the caller's own. What the rounding itself costs is
 * computed, element by element: two runs in double, one of them with rounded weights. Beyond that, a backend may be as far
 * off as one in fp32.
 *
 * <pre>
 *   |found − exact| ≤ |exact of rounded weights − exact| + bound        bound: {@link Tolerance}, of rounded weights
 * </pre>
 */
@ExtendWith(ClosingTable.class)
final class RecurrentWeightsTest {
    private static final List<String> CASES = List.of(
            "T7 B1 I5 H33",
            "T40 B1 I16 H64 variant=reset_before",
            "T6 B1 I9 H20 layers=2 directions=bidirectional",
            "T7 B3 I5 H21 lengths=random");

    /** One test. */
    record Run(Subject subject, String problem) {
        @Override
        public String toString() {
            return subject + " " + problem;
        }
    }

    static Stream<Run> runs() {
        return Subject.all().stream()
                .filter(s -> s.recurrentWeights() != WeightStorage.FP32)
                .flatMap(s -> CASES.stream().map(c -> new Run(s, c)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void roundingThemCostsWhatTwoExactRunsDiffer(Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> check(run));
    }

    private static void check(Run run) {
        GruCase problem = GruCase.parse(run.problem());
        GruInputs in = GruInputs.of(problem);
        GruInputs kept = in.withRecurrentWeights(problem.spec(), run.subject().recurrentWeights());
        List<Tensor> tensors = new ArrayList<>(GruTensors.of(problem, Phase.TRAINING));
        tensors.addAll(GruTensors.of(problem, Phase.BACKWARD));
        Expectation rounded = Expectation.of(
                tensors,
                run.subject().twin(),
                (precision, draw, change) -> GruReference.training(problem, kept.redraw(draw, change), precision));
        // A bound per element has no room for a twin that was lucky on few draws.
        rounded.refine();
        Map<String, double[]> exact = GruReference.training(problem, in, Precision.DOUBLE);
        for (Phase phase : List.of(Phase.TRAINING, Phase.BACKWARD)) {
            Map<String, double[]> found = GruRun.run(run.subject().backend(), problem, in, phase);
            for (Tensor tensor : GruRun.asked(problem, phase)) {
                holds(run, tensor, get(exact, tensor), rounded, get(found, tensor));
            }
        }
    }

    private static void holds(Run run, Tensor tensor, double[] exact, Expectation rounded, double[] found) {
        double[] ofRounded = rounded.exact(tensor.name());
        double bound = rounded.bound(tensor.name());
        for (int k = 0; k < exact.length; k++) {
            double allowed = Math.abs(ofRounded[k] - exact[k]) + bound;
            int index = k;
            assertTrue(
                    Math.abs(found[k] - exact[k]) <= allowed,
                    () -> run + ": " + tensor.name() + " at " + tensor.index(index) + ": expected " + exact[index]
                            + ", found " + found[index] + ", bound " + allowed
                            + "; repeat with mvn -pl java/parity -am test -Dtest=RecurrentWeightsTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false");
        }
        // Weights that were not rounded at all would pass above.
        if (tensor.name().equals("y")) {
            assertTrue(
                    Tolerance.error(exact, found) > bound,
                    () -> run + ": y is within " + bound + " of that of weights that are not rounded");
        }
    }

    private static double[] get(Map<String, double[]> tensors, Tensor tensor) {
        return Objects.requireNonNull(tensors.get(tensor.name()), tensor.name());
    }
}
