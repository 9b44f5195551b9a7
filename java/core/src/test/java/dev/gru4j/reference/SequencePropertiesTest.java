package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.reference.Problem.Arriving;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What lengths, directions and NaN do to a batch, and what they do not; in double, for both variants. */
final class SequencePropertiesTest {
    private static final TensorAssert CHECK = new TensorAssert(SequencePropertiesTest.class);

    private static final int T = 7;
    private static final int B = 3;
    private static final int I = 5;
    private static final int H = 4;

    @ParameterizedTest
    @EnumSource
    void aMaskedRowEqualsTheShorterRow(GruVariant variant) {
        int b = 1;
        int length = 4;
        Problem batch = withLengths(stackedBidirectional(variant), List.of(T, length, 0));
        Problem.Tensors all = batch.tensors();
        int width = batch.spec().outputSize();
        ReferenceNetwork network = batch.network();
        double[] x = Tensors.steps(Tensors.row(all.x, b, B, I), 0, length, 1, I);
        double[] dy = Tensors.steps(Tensors.row(all.dy, b, B, width), 0, length, 1, width);
        ReferenceNetwork.Forward alone =
                network.forward(length, 1, x, Tensors.row(all.h0, b, B, H), null, null);
        ReferenceNetwork.Gradients gradients = network.backward(alone, dy, Tensors.row(all.dhT, b, B, H));

        checkRow(batch, b, Tensors.padded(alone.y(), T * width), alone.hT());
        checkRowGradients(batch, b, Tensors.padded(gradients.dx(), T * I), gradients.dh0());
    }

    @ParameterizedTest
    @EnumSource
    void aRowOfLengthZeroKeepsItsState(GruVariant variant) {
        int b = 2;
        Problem batch = withLengths(stackedBidirectional(variant), List.of(T, 4, 0));
        int width = batch.spec().outputSize();
        checkRow(batch, b, new double[T * width], Tensors.row(batch.tensors().h0, b, B, H));
        checkRowGradients(batch, b, new double[T * I], Tensors.row(batch.tensors().dhT, b, B, H));
    }

    @ParameterizedTest
    @EnumSource
    void aSequenceWithoutStepsKeepsItsState(GruVariant variant) {
        Problem problem = Problem.of(stackedBidirectional(variant), 0, B, 1);
        CHECK.sameBits("hT", problem.tensors().h0, problem.forward().hT());
        CHECK.sameBits("dh0", problem.tensors().dhT, problem.backward().dh0());
        CHECK.sameBits(
                "dParameters",
                new double[problem.tensors().parameters.length],
                problem.backward().dParameters());
    }

    @ParameterizedTest
    @EnumSource
    void reverseEqualsForwardOnTheReversedInput(GruVariant variant) {
        GruSpec spec = GruSpec.of(I, H).withVariant(variant);
        Problem forward = Problem.of(spec, T, B, 2);
        Problem.Tensors all = forward.tensors();
        ReferenceNetwork network =
                new ReferenceNetwork(spec.withDirections(Directions.REVERSE), Precision.DOUBLE, all.parameters);
        ReferenceNetwork.Forward reverse =
                network.forward(T, B, Tensors.reversed(all.x, B, I), all.h0, null, null);
        ReferenceNetwork.Gradients gradients =
                network.backward(reverse, Tensors.reversed(all.dy, B, H), all.dhT);

        CHECK.sameBits("y", Tensors.reversed(forward.forward().y(), B, H), reverse.y());
        CHECK.sameBits("hT", forward.forward().hT(), reverse.hT());
        CHECK.sameBits("dx", Tensors.reversed(forward.backward().dx(), B, I), gradients.dx());
        CHECK.sameBits("dh0", forward.backward().dh0(), gradients.dh0());
        CHECK.sameBits("dParameters", forward.backward().dParameters(), gradients.dParameters());
    }

    @ParameterizedTest
    @EnumSource
    void theTwoDirectionsLieSideBySideInY(GruVariant variant) {
        GruSpec both = GruSpec.of(I, H).withVariant(variant).withDirections(Directions.BIDIRECTIONAL);
        Problem problem = withLengths(both, List.of(T, 4, 1));
        Problem.Tensors all = problem.tensors();
        for (int d = 0; d < 2; d++) {
            GruSpec one = both.withDirections(d == 0 ? Directions.FORWARD : Directions.REVERSE);
            double[] parameters = Tensors.steps(all.parameters, d, d + 1, 1, all.parameters.length / 2);
            double[] h0 = Tensors.steps(all.h0, d, d + 1, B, H);
            double[] alone = new ReferenceNetwork(one, Precision.DOUBLE, parameters)
                    .forward(T, B, all.x, h0, problem.lengths(), null)
                    .y();
            // (T,B,2,H) seen as 2 rows of H per position.
            CHECK.sameBits("y of direction " + d, alone, Tensors.row(problem.forward().y(), d, 2, H));
        }
    }

    @ParameterizedTest
    @EnumSource
    void nanStaysInItsRow(GruVariant variant) {
        int poisoned = 1;
        int t = 2;
        Problem clean = Problem.of(stackedBidirectional(variant), T, B, 3);
        Problem dirty = Problem.of(stackedBidirectional(variant), T, B, 3);
        Problem.fillPosition(dirty.tensors().x, t * B + poisoned, I, Double.NaN);
        int width = clean.spec().outputSize();
        assertTrue(Double.isNaN(dirty.forward().y()[(t * B + poisoned) * width]), "NaN of x not seen in its own row");
        for (int b = 0; b < B; b++) {
            if (b != poisoned) {
                checkRow(
                        dirty,
                        b,
                        Tensors.row(clean.forward().y(), b, B, width),
                        Tensors.row(clean.forward().hT(), b, B, H));
                checkRowGradients(
                        dirty,
                        b,
                        Tensors.row(clean.backward().dx(), b, B, I),
                        Tensors.row(clean.backward().dh0(), b, B, H));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void nanInPaddingNeverLeaks(GruVariant variant) {
        GruSpec spec = stackedBidirectional(variant).withDropout(0.3f);
        List<Integer> lengths = List.of(4, 0, 6);
        ReferenceNetwork.Dropout dropout = new ReferenceNetwork.Dropout(1, 2);
        Problem withNan = Problem.of(spec, T, B, lengths, dropout, Arriving.DY_AND_DHT, 4);
        Problem withZero = Problem.of(spec, T, B, lengths, dropout, Arriving.DY_AND_DHT, 4);
        assertTrue(Double.isNaN(withNan.tensors().x[(4 * B) * I]), "a problem has NaN in padding");
        Tensors.replaceNan(withZero.tensors().x, 0);
        Tensors.replaceNan(withZero.tensors().dy, 0);

        CHECK.finite("y", withNan.forward().y());
        CHECK.sameBits("y", withZero.forward().y(), withNan.forward().y());
        CHECK.sameBits("hT", withZero.forward().hT(), withNan.forward().hT());
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < 2; d++) {
                CHECK.sameBits(
                        "reserve of layer " + layer + " direction " + d,
                        withZero.forward().reserve(layer, d),
                        withNan.forward().reserve(layer, d));
            }
        }
        CHECK.finite("dParameters", withNan.backward().dParameters());
        CHECK.sameBits("dx", withZero.backward().dx(), withNan.backward().dx());
        CHECK.sameBits("dh0", withZero.backward().dh0(), withNan.backward().dh0());
        CHECK.sameBits("dParameters", withZero.backward().dParameters(), withNan.backward().dParameters());
    }

    private static GruSpec stackedBidirectional(GruVariant variant) {
        return GruSpec.of(I, H)
                .withVariant(variant)
                .withLayers(2)
                .withDirections(Directions.BIDIRECTIONAL);
    }

    private static Problem withLengths(GruSpec spec, List<Integer> lengths) {
        return Problem.of(spec, T, B, lengths, null, Arriving.DY_AND_DHT, 5);
    }

    private static void checkRow(Problem problem, int b, double[] y, double[] hT) {
        int width = problem.spec().outputSize();
        CHECK.sameBits("y of row " + b, y, Tensors.row(problem.forward().y(), b, B, width));
        CHECK.sameBits("hT of row " + b, hT, Tensors.row(problem.forward().hT(), b, B, H));
    }

    private static void checkRowGradients(Problem problem, int b, double[] dx, double[] dh0) {
        CHECK.sameBits("dx of row " + b, dx, Tensors.row(problem.backward().dx(), b, B, I));
        CHECK.sameBits("dh0 of row " + b, dh0, Tensors.row(problem.backward().dh0(), b, B, H));
    }
}
