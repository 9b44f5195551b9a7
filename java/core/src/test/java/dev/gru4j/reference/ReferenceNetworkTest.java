package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.Philox;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Precision, dropout and refusals of the network; its numbers are tested by their properties. */
final class ReferenceNetworkTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferenceNetworkTest.class);
    private static final int T = 7;
    private static final int B = 3;
    private static final GruSpec SPEC = GruSpec.of(5, 4).withLayers(2).withDirections(Directions.BIDIRECTIONAL);

    @ParameterizedTest
    @EnumSource
    void everyNumberOfAFloatNetworkIsAFloat(GruVariant variant) {
        Problem problem = Problem.of(SPEC.withVariant(variant), T, B, 1);
        Problem.Tensors all = problem.tensors();
        ReferenceNetwork network = new ReferenceNetwork(problem.spec(), Precision.FLOAT, all.parameters);
        ReferenceNetwork.Forward forward = network.forward(T, B, all.x, all.h0, null, null);
        ReferenceNetwork.Gradients gradients = network.backward(forward, all.dy, all.dhT);
        assertAllFloats("y", forward.y());
        assertAllFloats("hT", forward.hT());
        assertAllFloats("reserve", forward.reserve(1, 1));
        assertAllFloats("dx", gradients.dx());
        assertAllFloats("dh0", gradients.dh0());
        assertAllFloats("dParameters", gradients.dParameters());
        // Far apart enough to show that it does round, close enough to be the same network.
        CHECK.within("y", problem.forward().y(), forward.y(), 1e-5);
        assertTrue(!Arrays.equals(problem.forward().y(), forward.y()), "float and double gave the same y");
    }

    @Test
    void anAbsentInitialStateIsZero() {
        Problem problem = Problem.of(SPEC, T, B, 2);
        double[] zero = new double[problem.tensors().h0.length];
        double[] given = problem.network()
                .forward(T, B, problem.tensors().x, zero, null, null)
                .y();
        double[] absent = problem.network()
                .forward(T, B, problem.tensors().x, null, null, null)
                .y();
        CHECK.sameBits("y", given, absent);
    }

    /** Layer 1 run by hand on the masked output of layer 0. */
    @Test
    void dropoutMasksTheFeaturesBetweenTheLayersAndNothingElse() {
        ReferenceNetwork.Dropout dropout = new ReferenceNetwork.Dropout(77, 5);
        GruSpec spec = GruSpec.of(5, 4).withLayers(2).withDropout(0.4f);
        Problem problem = Problem.of(spec, T, B, 3);
        Problem.Tensors all = problem.tensors();
        double[] found = problem.network()
                .forward(T, B, all.x, null, null, dropout)
                .y();

        GruSpec first = GruSpec.of(5, 4);
        GruSpec second = GruSpec.of(4, 4);
        int split = 3 * 4 * (5 + 4 + 2);
        double[] lower = new ReferenceNetwork(first, Precision.DOUBLE, Arrays.copyOf(all.parameters, split))
                .forward(T, B, all.x, null, null, null)
                .y();
        float[] scales = new float[4];
        for (int at = 0; at < T * B; at++) {
            Philox.dropoutScales(0.4f, 77, 5, 0, at / B, at % B, scales);
            for (int j = 0; j < scales.length; j++) {
                lower[at * scales.length + j] *= scales[j];
            }
        }
        double[] upper = Arrays.copyOfRange(all.parameters, split, all.parameters.length);
        double[] expected = new ReferenceNetwork(second, Precision.DOUBLE, upper)
                .forward(T, B, lower, null, null, null)
                .y();
        CHECK.sameBits("y", expected, found);
    }

    @Test
    void inferenceDropsNothing() {
        Problem with = Problem.of(SPEC.withDropout(0.4f), T, B, 4);
        Problem without = Problem.of(SPEC, T, B, 4);
        CHECK.sameBits("y", without.forward().y(), with.forward().y());
    }

    @Test
    void wrongArgumentsAreRefusedWithWhatWasExpected() {
        Problem problem = Problem.of(GruSpec.of(5, 4), T, B, 5);
        ReferenceNetwork network = problem.network();
        double[] x = problem.tensors().x;
        assertRefused("parameters has 131 numbers; 132 expected", () -> new ReferenceNetwork(
                problem.spec(), Precision.DOUBLE, new double[131]));
        assertRefused("x has 105 numbers; 90 expected", () -> network.forward(6, B, x, null, null, null));
        assertRefused("h0 has 11 numbers; 12 expected", () -> network.forward(T, B, x, new double[11], null, null));
        assertRefused("lengths has 2 entries; one per row, B = 3, expected", () -> network.forward(
                T, B, x, null, new int[] {1, 2}, null));
        assertRefused("lengths[1] is 8; 0 to T = 7 expected", () -> network.forward(
                T, B, x, null, new int[] {7, 8, 0}, null));
        assertRefused("lengths[2] is -1; 0 to T = 7 expected", () -> network.forward(
                T, B, x, null, new int[] {7, 0, -1}, null));
        assertRefused("T is -1 and B is 3; T >= 0 and B >= 1 expected", () -> network.forward(
                -1, B, x, null, null, null));
        assertRefused("dy has 1 numbers; 84 expected", () -> network.backward(
                problem.forward(), new double[1], null));
        assertRefused("dhT has 1 numbers; 12 expected", () -> network.backward(
                problem.forward(), null, new double[1]));
        assertRefused(
                "forward is of I5 H4 L2 BIDIRECTIONAL RESET_AFTER bias BOTH;"
                        + " one of I5 H4 L1 FORWARD RESET_AFTER bias BOTH expected",
                () -> network.backward(Problem.of(SPEC, T, B, 5).forward(), null, null));
        IllegalArgumentException tooLarge = assertThrows(
                IllegalArgumentException.class,
                () -> network.forward(Integer.MAX_VALUE, Integer.MAX_VALUE, x, null, null, null));
        assertTrue(String.valueOf(tooLarge.getMessage()).contains("needs an array of more than"), tooLarge::toString);
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    private static void assertAllFloats(String tensor, double[] values) {
        for (int k = 0; k < values.length; k++) {
            assertEquals((double) (float) values[k], values[k], tensor + "[" + k + "]");
        }
    }
}
