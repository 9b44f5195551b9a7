package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Who tests the bound of a reduced precision: results that are rounded once more, to fewer bits or without one of the
 * terms must be beyond it, and those of operands that were not rounded must not.
 */
final class PlantedRoundingsTest {
    private static final String SHAPE = "T7 B3 I13 H29";

    private static final String LONG = "T61 B2 I3 H37";

    /** Makes σ(a) = 1 in float and in double. */
    private static final float SATURATES = 1000;

    /**
     * Something that computes a training step on its own idea of a precision.
     *
     * @param claimed the arithmetic whose bound it is held to
     * @param tensor where a mistake must be seen
     */
    record Implementation(
            String name, Precision claimed, GruCase problem, GruInputs in, String tensor, Computation computation) {
        @Override
        public String toString() {
            return name + " in " + claimed + ", " + problem;
        }
    }

    /** From a case and its data to its tensors, of which some may be left out. */
    @FunctionalInterface
    interface Computation {
        Map<String, double[]> run(GruCase problem, GruInputs in);
    }

    static Stream<Implementation> mistakes() {
        return Stream.of(
                planted("operands rounded to bf16", Precision.TF32, SHAPE, "y", as(Precision.BF16)),
                planted("operands rounded to bf16", Precision.FP16, SHAPE, "dweight_hh_l0", as(Precision.BF16)),
                planted("one product instead of three", Precision.TF32X3, SHAPE, "y", as(Precision.TF32)),
                planted("small · big of the weights left out", Precision.TF32X3, SHAPE, "y",
                        (problem, in) -> training(problem, weightsRounded(problem, in, Precision.TF32))),
                planted("small · big of x left out", Precision.TF32X3, SHAPE, "dweight_ih_l0",
                        (problem, in) -> training(problem, inputRounded(in, Precision.TF32))),
                copying("state rounded", Precision.BF16),
                copying("state rounded", Precision.TF32),
                copying("state rounded", Precision.FP16),
                planted("candidate's bias forgotten", Precision.BF16, SHAPE, "gh_n_l0",
                        (problem, in) -> training(problem, withoutBias(problem, in))));
    }

    /** More exact than asked is no mistake: a library may multiply operands as they are. */
    static Stream<Implementation> allowed() {
        return Stream.of(Precision.TF32, Precision.TF32X3, Precision.BF16, Precision.FP16)
                .flatMap(claimed -> Stream.of(SHAPE, LONG).flatMap(shape -> Stream.of(
                        planted("operands rounded as claimed", claimed, shape, "", as(claimed)),
                        planted("no operand rounded", claimed, shape, "", as(Precision.FLOAT)),
                        planted("only the weights rounded", claimed, shape, "",
                                (problem, in) -> training(problem, weightsRounded(problem, in, claimed))))));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void aMistakeIsBeyondTheBound(Implementation mistake) {
        List<String> missed = missed(mistake);
        assertTrue(missed.contains(mistake.tensor()), "expected a miss in " + mistake.tensor() + ", found " + missed);
    }

    @ParameterizedTest
    @MethodSource("allowed")
    void whatIsAsExactAsClaimedIsWithinTheBound(Implementation right) {
        assertEquals(List.of(), missed(right));
    }

    private static List<String> missed(Implementation implementation) {
        GruCase problem = implementation.problem();
        GruInputs in = implementation.in();
        Map<String, double[]> found = implementation.computation().run(problem, in);
        List<Tensor> tensors = new ArrayList<>(GruTensors.of(problem, Phase.TRAINING));
        tensors.addAll(GruTensors.of(problem, Phase.BACKWARD));
        tensors.removeIf(t -> !found.containsKey(t.name()));
        Expectation expectation = Expectation.of(
                tensors,
                implementation.claimed(),
                (precision, draw, change) -> GruReference.training(problem, in.redraw(draw, change), precision));
        return Comparison.misses(tensors, expectation, found).stream()
                .map(m -> m.tensor().name())
                .toList();
    }

    private static Implementation planted(
            String name, Precision claimed, String problem, String tensor, Computation computation) {
        GruCase parsed = GruCase.parse(problem);
        return new Implementation(name, claimed, parsed, GruInputs.of(parsed), tensor, computation);
    }

    /**
     * A state that is rounded, where z = 1 and a step does nothing but copy it. Elsewhere the rounding of a state is as
     * small as that of the operand it becomes next; here nothing else is rounded. GruContractTest has the same on
     * every backend, bit for bit.
     */
    private static Implementation copying(String name, Precision precision) {
        GruCase problem = GruCase.parse(LONG);
        GruInputs in = GruInputs.of(problem);
        int H = problem.shape().H();
        int bias = (int) GruParameters.of(problem.spec()).get(0, 0, Kind.BIAS_HH).offset();
        Arrays.fill(in.parameters(), bias + Gates.UPDATE * H, bias + (Gates.UPDATE + 1) * H, SATURATES);
        return new Implementation(name, precision, problem, in, "y", stateRoundedTo(precision));
    }

    private static Computation as(Precision precision) {
        return (problem, in) -> GruReference.training(problem, in, precision);
    }

    private static Map<String, double[]> training(GruCase problem, GruInputs in) {
        return GruReference.training(problem, in, Precision.FLOAT);
    }

    /** Step by step, with the state rounded between two of them: y and hT. */
    private static Computation stateRoundedTo(Precision precision) {
        return (problem, in) -> {
            int T = problem.shape().T();
            int B = problem.shape().B();
            int inputs = B * problem.shape().I();
            double[] x = GruReference.doubles(in.x(), in.x().length);
            double[] y = new double[T * B * problem.shape().H()];
            double[] h = GruReference.doubles(in.h0(), B * problem.shape().H());
            ReferenceNetwork network = new ReferenceNetwork(
                    problem.spec(), precision, GruReference.doubles(in.parameters(), in.parameters().length));
            for (int t = 0; t < T; t++) {
                double[] step = Arrays.copyOfRange(x, t * inputs, (t + 1) * inputs);
                h = network.forward(1, B, step, h, null, null).y();
                for (int k = 0; k < h.length; k++) {
                    h[k] = rounded(h[k], precision);
                }
                System.arraycopy(h, 0, y, t * h.length, h.length);
            }
            return Map.of("y", y, "hT", h);
        };
    }

    /** As without its small part: big alone is what tf32 makes of a number. */
    private static GruInputs weightsRounded(GruCase problem, GruInputs in, Precision precision) {
        float[] parameters = in.parameters().clone();
        for (Parameter p : GruParameters.of(problem.spec()).all()) {
            if (p.kind() == Kind.WEIGHT_IH || p.kind() == Kind.WEIGHT_HH) {
                round(parameters, (int) p.offset(), (int) (p.offset() + p.length()), precision);
            }
        }
        return new GruInputs(in.x(), in.h0(), in.lengths(), parameters, in.dy(), in.dhT(), in.base());
    }

    private static GruInputs inputRounded(GruInputs in, Precision precision) {
        float[] x = in.x().clone();
        round(x, 0, x.length, precision);
        return new GruInputs(x, in.h0(), in.lengths(), in.parameters(), in.dy(), in.dhT(), in.base());
    }

    private static GruInputs withoutBias(GruCase problem, GruInputs in) {
        float[] parameters = in.parameters().clone();
        Parameter bias = GruParameters.of(problem.spec()).get(0, 0, Kind.BIAS_HH);
        Arrays.fill(parameters, (int) bias.offset(), (int) (bias.offset() + bias.length()), 0);
        return new GruInputs(in.x(), in.h0(), in.lengths(), parameters, in.dy(), in.dhT(), in.base());
    }

    private static void round(float[] values, int from, int to, Precision precision) {
        for (int k = from; k < to; k++) {
            values[k] = (float) rounded(values[k], precision);
        }
    }

    /** What a precision makes of an operand. */
    private static double rounded(double value, Precision precision) {
        return precision.product(value, 1);
    }
}
