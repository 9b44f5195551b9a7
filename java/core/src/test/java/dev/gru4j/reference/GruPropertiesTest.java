package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a GRU is known for, each property a test of its name; in double, for both variants. */
final class GruPropertiesTest {
    private static final TensorAssert CHECK = new TensorAssert(GruPropertiesTest.class);

    /** As a bias this makes σ exactly 1; negated, exactly 0. */
    private static final double SATURATED = 1000;

    /** Equal formulas in another association: a few ULP a step, grown by a map of norm about H for T steps. */
    private static final double REORDERED = 1e-11;

    private static final int T = 7;
    private static final int B = 3;
    private static final int I = 5;
    private static final int H = 4;

    @ParameterizedTest
    @EnumSource
    void anUpdateGateOfOneCopiesTheStateBitForBit(GruVariant variant) {
        Problem problem = Problem.of(spec(variant), T, B, 1);
        setBias(problem, Gates.UPDATE, SATURATED);
        double[] y = problem.forward().y();
        for (int t = 0; t < T; t++) {
            CHECK.sameBits("y at t = " + t, problem.tensors().h0, Tensors.steps(y, t, t + 1, B, H));
        }
        CHECK.sameBits("hT", problem.tensors().h0, problem.forward().hT());
    }

    @ParameterizedTest
    @EnumSource
    void anUpdateGateOfOneCopiesTheGradientBitForBit(GruVariant variant) {
        Problem problem = Problem.of(spec(variant), T, B, 2);
        setBias(problem, Gates.UPDATE, SATURATED);
        double[] dhT = problem.tensors().dhT;
        CHECK.sameBits("dh0", dhT, problem.network().backward(problem.forward(), null, dhT).dh0());
    }

    @ParameterizedTest
    @EnumSource
    void resetOneAndUpdateZeroIsThePlainTanhRnn(GruVariant variant) {
        Problem problem = Problem.of(spec(variant), T, B, 3);
        makePlainRnn(problem);
        CHECK.within("y", new PlainCells(problem).tanhRnn(), problem.forward().y(), REORDERED);
    }

    /**
     * The other convention's h' = (1 − u) ⊙ h + u ⊙ n has u = 1 − z. As σ(−a) = 1 − σ(a), negating the update
     * gate's rows of all parameters turns a network of the one into a network of the other.
     */
    @ParameterizedTest
    @EnumSource
    void negatingTheUpdateRowsConvertsTheOtherConvention(GruVariant variant) {
        Problem problem = Problem.of(spec(variant), T, B, 4);
        double[] expected = new PlainCells(problem).textbookGru();
        for (Parameter parameter : GruParameters.of(problem.spec()).all()) {
            int block = H * parameter.columns();
            int from = (int) parameter.offset() + Gates.UPDATE * block;
            for (int k = from; k < from + block; k++) {
                problem.tensors().parameters[k] *= -1;
            }
        }
        CHECK.within("y", expected, problem.forward().y(), REORDERED);
    }

    @ParameterizedTest
    @EnumSource
    void aSequenceCutInTwoWithTheStateCarriedEqualsTheWhole(GruVariant variant) {
        int cut = 3;
        Problem whole = Problem.of(spec(variant).withLayers(2), T, B, 5);
        Problem.Tensors all = whole.tensors();
        ReferenceNetwork network = whole.network();
        ReferenceNetwork.Forward first =
                network.forward(cut, B, Tensors.steps(all.x, 0, cut, B, I), all.h0, null, null);
        ReferenceNetwork.Forward second =
                network.forward(T - cut, B, Tensors.steps(all.x, cut, T, B, I), first.hT(), null, null);
        CHECK.sameBits("y", whole.forward().y(), Tensors.concatenated(first.y(), second.y()));
        CHECK.sameBits("hT", whole.forward().hT(), second.hT());

        ReferenceNetwork.Gradients late =
                network.backward(second, Tensors.steps(all.dy, cut, T, B, H), all.dhT);
        ReferenceNetwork.Gradients early =
                network.backward(first, Tensors.steps(all.dy, 0, cut, B, H), late.dh0());
        ReferenceNetwork.Gradients expected = whole.backward();
        CHECK.sameBits("dx", expected.dx(), Tensors.concatenated(early.dx(), late.dx()));
        CHECK.sameBits("dh0", expected.dh0(), early.dh0());
        // The same T·B terms, their partial sums below 64, in another order.
        CHECK.within(
                "dParameters",
                expected.dParameters(),
                Tensors.sum(early.dParameters(), late.dParameters()),
                T * B * Math.ulp(64.0));
    }

    /** |dh0| / |dhT| over 1,000 steps: what the GRU was made for. */
    @ParameterizedTest
    @EnumSource
    void overAThousandStepsTheGradientSurvivesWhereThatOfThePlainRnnVanishes(GruVariant variant) {
        int steps = 1000;
        double survived = gradientRatio(openGru(variant, steps));
        double vanished = gradientRatio(plainRnn(variant, steps));
        String report = String.format(
                Locale.ROOT,
                "|dh0| / |dhT| over %d steps, %s: GRU with an open update gate %.3g, plain tanh RNN %.3g"
                        + " (over %d steps %.3g, then below the smallest double)",
                steps,
                variant,
                survived,
                vanished,
                steps / 10,
                gradientRatio(plainRnn(variant, steps / 10)));
        System.out.println(report);
        assertTrue(survived > 0.1 && survived < 10, report);
        assertTrue(vanished < 1e-100, report);
    }

    /** 1 − z is about 1/(4·T), so about e^(−1/4) of the first state is still there at the end. */
    private static Problem openGru(GruVariant variant, int steps) {
        Problem problem = Problem.of(spec(variant), steps, 1, 6);
        setBias(problem, Gates.UPDATE, Math.log(4 * steps));
        return problem;
    }

    private static Problem plainRnn(GruVariant variant, int steps) {
        Problem problem = Problem.of(spec(variant), steps, 1, 6);
        makePlainRnn(problem);
        return problem;
    }

    private static GruSpec spec(GruVariant variant) {
        return GruSpec.of(I, H).withVariant(variant);
    }

    private static double gradientRatio(Problem problem) {
        double[] dhT = problem.tensors().dhT;
        return Tensors.norm(problem.network().backward(problem.forward(), null, dhT).dh0()) / Tensors.norm(dhT);
    }

    /** Reset gate 1, update gate 0. */
    private static void makePlainRnn(Problem problem) {
        setBias(problem, Gates.RESET, SATURATED);
        setBias(problem, Gates.UPDATE, -SATURATED);
    }

    /** Sets the input bias of one gate of the only layer. */
    private static void setBias(Problem problem, int gate, double value) {
        int from = (int) GruParameters.of(problem.spec()).get(0, 0, Kind.BIAS_IH).offset() + gate * H;
        Arrays.fill(problem.tensors().parameters, from, from + H, value);
    }
}
