package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.reference.Problem.Arriving;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every gradient that the reference returns against finite differences of its own forward, in double.
 *
 * <p>With the central difference D(s) = (loss(v + s) − loss(v − s)) / 2s, Richardson's R(s) = (4·D(s/2) −
 * D(s)) / 3 misses the derivative by c·s⁴. Halving s divides that by 16, so R(s) and R(s/2) differ by 15
 * times what R(s/2) misses. The bound is their whole difference, plus what rounding of the loss does to
 * R(s/2).
 */
final class ReferenceGradientTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferenceGradientTest.class);

    /** s: where truncation, about s⁴, and rounding, about 2^−53/s, are both small. */
    private static final double STEP = 0x1p-7;

    /** ULPs of 1 by which one product dy·y may be off: a step adds a few, T and L multiply them. */
    private static final double ULPS_PER_TERM = 64;

    /** A bound above this would prove nothing: the gradients are of the order of 1. */
    private static final double LARGEST_USEFUL_BOUND = 1e-6;

    private static final int T = 5;
    private static final int B = 4;
    private static final GruSpec SPEC = GruSpec.of(2, 3);

    /** A full row, an empty one, and two between. */
    private static final List<Integer> LENGTHS = List.of(5, 0, 3, 1);

    static List<Problem> everyVariantBiasAndDirection() {
        List<Problem> problems = new ArrayList<>();
        for (GruVariant variant : GruVariant.values()) {
            for (Directions directions : Directions.values()) {
                for (BiasMode bias : BiasMode.values()) {
                    GruSpec spec = SPEC.withVariant(variant).withDirections(directions).withBias(bias);
                    addWithAndWithoutLengths(problems, spec, null, Arriving.DY_AND_DHT);
                }
            }
        }
        return problems;
    }

    static List<Problem> everyStackedNetwork() {
        List<Problem> problems = new ArrayList<>();
        for (GruVariant variant : GruVariant.values()) {
            for (Directions directions : Directions.values()) {
                for (int layers = 2; layers <= 3; layers++) {
                    GruSpec spec = SPEC.withVariant(variant).withDirections(directions).withLayers(layers);
                    addWithAndWithoutLengths(problems, spec, null, Arriving.DY_AND_DHT);
                }
            }
        }
        return problems;
    }

    static List<Problem> everyNetworkWithDropout() {
        List<Problem> problems = new ArrayList<>();
        for (GruVariant variant : GruVariant.values()) {
            for (int layers = 2; layers <= 3; layers++) {
                GruSpec spec = SPEC.withVariant(variant)
                        .withDirections(Directions.BIDIRECTIONAL)
                        .withLayers(layers)
                        .withDropout(0.4f);
                addWithAndWithoutLengths(
                        problems, spec, new ReferenceNetwork.Dropout(20, 3), Arriving.DY_AND_DHT);
            }
        }
        return problems;
    }

    static List<Problem> everyAbsentGradient() {
        List<Problem> problems = new ArrayList<>();
        for (GruVariant variant : GruVariant.values()) {
            for (Arriving arriving : new Arriving[] {Arriving.DY, Arriving.DHT}) {
                GruSpec spec = SPEC.withVariant(variant)
                        .withDirections(Directions.BIDIRECTIONAL)
                        .withLayers(2);
                addWithAndWithoutLengths(problems, spec, null, arriving);
            }
        }
        return problems;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({
        "everyVariantBiasAndDirection",
        "everyStackedNetwork",
        "everyNetworkWithDropout",
        "everyAbsentGradient"
    })
    void everyGradientEqualsTheFiniteDifference(Problem problem) {
        ReferenceNetwork.Gradients gradients = problem.backward();
        for (Parameter parameter : GruParameters.of(problem.spec()).all()) {
            int offset = Math.toIntExact(parameter.offset());
            int length = Math.toIntExact(parameter.length());
            String name = "d " + parameter.name();
            checkAll(problem, name, problem.tensors().parameters, gradients.dParameters(), offset, length);
        }
        checkAll(problem, "dh0", problem.tensors().h0, gradients.dh0(), 0, gradients.dh0().length);
        checkAll(problem, "dx", problem.tensors().x, gradients.dx(), 0, gradients.dx().length);
    }

    private static void addWithAndWithoutLengths(
            List<Problem> problems,
            GruSpec spec,
            ReferenceNetwork.@Nullable Dropout dropout,
            Arriving arriving) {
        problems.add(Problem.of(spec, T, B, null, dropout, arriving, problems.size()));
        problems.add(Problem.of(spec, T, B, LENGTHS, dropout, arriving, problems.size()));
    }

    /** The numbers {@code [from, from + count)} of the gradient are one tensor. */
    private static void checkAll(
            Problem problem, String tensor, double[] variables, double[] gradient, int from, int count) {
        String name = tensor + " of " + problem;
        for (int k = from; k < from + count; k++) {
            if (Double.isNaN(variables[k])) { // padding of x
                CHECK.within(name, k - from, 0, gradient[k], 0);
                continue;
            }
            double d1 = centralDifference(problem, variables, k, STEP);
            double d2 = centralDifference(problem, variables, k, STEP / 2);
            double d4 = centralDifference(problem, variables, k, STEP / 4);
            double coarse = (4 * d2 - d1) / 3;
            double fine = (4 * d4 - d2) / 3;
            // fine = (4·d4 − d2)/3: each loss is off by at most δ, so d4 by 4δ/s and d2 by 2δ/s.
            double delta = ULPS_PER_TERM * Math.ulp(1.0) * problem.lossTerms();
            double rounding = (4 * 4 + 2) / 3.0 * delta / STEP;
            double bound = Math.abs(coarse - fine) + rounding;
            assertTrue(bound < LARGEST_USEFUL_BOUND, name + ": bound " + bound + " is too wide to prove anything");
            CHECK.within(name, k - from, fine, gradient[k], bound);
        }
    }

    private static double centralDifference(Problem problem, double[] variables, int k, double step) {
        double value = variables[k];
        variables[k] = value + step;
        double above = problem.loss();
        variables[k] = value - step;
        double below = problem.loss();
        variables[k] = value;
        return (above - below) / (2 * step);
    }
}
