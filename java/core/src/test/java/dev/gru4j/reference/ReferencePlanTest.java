package dev.gru4j.reference;

import static dev.gru4j.reference.KernelMemory.doubles;
import static dev.gru4j.reference.KernelMemory.floats;
import static dev.gru4j.reference.KernelMemory.zeros;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.reference.Problem.Arriving;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The reference behind the backend interface: the network's numbers, and nothing kept outside the memories. */
final class ReferencePlanTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferencePlanTest.class);
    private static final int T = 7;
    private static final int B = 3;
    private static final GruSpec SPEC = GruSpec.of(5, 4)
            .withLayers(2)
            .withDirections(Directions.BIDIRECTIONAL)
            .withDropout(0.3f);

    @AutoClose
    private final GruBackend backend = Backends.open("reference", BackendOptions.DEFAULT);

    /** A call of a training plan that is larger than the call, with every memory set. */
    private final class Run {
        final Problem problem;
        final GruPlan plan;
        final GruCall call = new GruCall();
        final FloatMemory y;
        final FloatMemory hT;
        final FloatMemory dx;
        final FloatMemory dh0;
        final FloatMemory dParameters;

        Run(GruSpec spec, long seed) {
            problem = Problem.of(
                    spec, T, B, List.of(4, 0, 6), new ReferenceNetwork.Dropout(1, 2), Arriving.DY_AND_DHT, seed);
            plan = trainingPlan(problem);
            Problem.Tensors all = problem.tensors();
            y = zeros(all.dy.length);
            hT = zeros(all.h0.length);
            dx = zeros(all.x.length);
            dh0 = zeros(all.h0.length);
            dParameters = zeros(all.parameters.length);
            call.shape(T, B)
                    .x(floats(all.x))
                    .h0(floats(all.h0))
                    .lengths(problem.lengths())
                    .dropout(1, 2)
                    .workspace(backend.allocate(plan.workspaceLength()))
                    .reserve(backend.allocate(plan.reserveLength()))
                    .y(y)
                    .hT(hT)
                    .dy(floats(all.dy))
                    .dhT(floats(all.dhT))
                    .dx(dx)
                    .dh0(dh0)
                    .dParameters(dParameters);
        }

        ReferenceNetwork network() {
            return new ReferenceNetwork(problem.spec(), Precision.FLOAT, problem.tensors().parameters);
        }

        ReferenceNetwork.Forward expected() {
            Problem.Tensors all = problem.tensors();
            return network().forward(T, B, all.x, all.h0, problem.lengths(), problem.dropout());
        }

        ReferenceNetwork.Gradients expectedGradients() {
            return network().backward(expected(), problem.tensors().dy, problem.tensors().dhT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePlanReturnsTheBitsOfTheFloatNetwork(GruVariant variant) {
        Run run = new Run(SPEC.withVariant(variant), 1);
        run.plan.forward(run.call);
        run.plan.backward(run.call);
        CHECK.sameBits("y", run.expected().y(), doubles(run.y));
        CHECK.sameBits("hT", run.expected().hT(), doubles(run.hT));
        CHECK.sameBits("dx", run.expectedGradients().dx(), doubles(run.dx));
        CHECK.sameBits("dh0", run.expectedGradients().dh0(), doubles(run.dh0));
        CHECK.sameBits("dParameters", run.expectedGradients().dParameters(), doubles(run.dParameters));
        for (int layer = 0; layer < 2; layer++) {
            for (int d = 0; d < 2; d++) {
                CHECK.sameBits(
                        "reserve of layer " + layer + " direction " + d,
                        run.expected().reserve(layer, d),
                        doubles(floats(run.plan.exportReserve(run.call, layer, d))));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void allThatBackwardNeedsLiesInTheReserve(GruVariant variant) {
        Run run = new Run(SPEC.withVariant(variant), 2);
        run.plan.forward(run.call);
        trainingPlan(run.problem).backward(run.call); // another plan, which never saw the forward
        CHECK.sameBits("dParameters", run.expectedGradients().dParameters(), doubles(run.dParameters));
        CHECK.sameBits("dh0", run.expectedGradients().dh0(), doubles(run.dh0));
    }

    @Test
    void gradientsAccumulateOnlyWhenAsked() {
        Run run = new Run(SPEC, 3);
        run.plan.forward(run.call);
        run.dParameters.fill(9);
        run.plan.backward(run.call);
        double[] once = doubles(run.dParameters);
        CHECK.sameBits("dParameters overwritten", run.expectedGradients().dParameters(), once);
        run.call.accumulate(true);
        run.plan.backward(run.call);
        CHECK.sameBits("dParameters added to", Tensors.sum(once, once), doubles(run.dParameters));
    }

    @Test
    void absentOutputsAndGradientsAreLeftOut() {
        Run run = new Run(SPEC, 4);
        run.plan.forward(run.call);
        run.call.y(null).hT(null).dy(null).dx(null).dh0(null);
        run.plan.forward(run.call);
        run.plan.backward(run.call);
        double[] expected = run.network()
                .backward(run.expected(), null, run.problem.tensors().dhT)
                .dParameters();
        CHECK.sameBits("dParameters", expected, doubles(run.dParameters));
    }

    @Test
    void anInferencePlanDropsNothingAndKeepsNoReserve() {
        Run run = new Run(SPEC, 5);
        GruPlan plan = backend.plan(SPEC, T, B, GruPlan.Mode.INFERENCE);
        plan.loadParameters(floats(run.problem.tensors().parameters));
        assertEquals(0, plan.reserveLength());
        run.call.reserve(null);
        plan.forward(run.call);
        Problem.Tensors all = run.problem.tensors();
        double[] expected = run.network()
                .forward(T, B, all.x, all.h0, run.problem.lengths(), null)
                .y();
        CHECK.sameBits("y", expected, doubles(run.y));
        assertThrows(IllegalStateException.class, () -> plan.backward(run.call));
    }

    @Test
    void callsOnSeveralThreadsShareAPlan() {
        Run first = new Run(SPEC, 6);
        float[][] results = IntStream.range(0, 8)
                .parallel()
                .mapToObj(k -> {
                    Run run = new Run(SPEC, 6);
                    first.plan.forward(run.call);
                    first.plan.backward(run.call);
                    return run.dParameters.toArray();
                })
                .toArray(float[][]::new);
        for (float[] result : results) {
            assertArrayEquals(results[0], result);
        }
        CHECK.sameBits("dParameters", first.expectedGradients().dParameters(), doubles(floats(results[0])));
    }

    @Test
    void aReserveOneFloatShortIsRefused() {
        Run run = new Run(SPEC, 7);
        run.call.reserve(backend.allocate(run.plan.reserveLength() - 1));
        // (8·5 positions)·(2 layers·2 directions)·(4 gates + 1 state)·H
        String expected = "reserve has 3199 floats; 3200 expected";
        assertEquals(
                expected,
                assertThrows(IllegalArgumentException.class, () -> run.plan.forward(run.call))
                        .getMessage());
    }

    @Test
    void closedThingsRefuseTheirUse() {
        Run run = new Run(SPEC, 8);
        run.plan.close();
        assertThrows(IllegalStateException.class, () -> run.plan.forward(run.call));
        GruBackend another = Backends.open("reference", BackendOptions.DEFAULT);
        another.close();
        String message = assertThrows(IllegalStateException.class, () -> another.allocate(1))
                .getMessage();
        assertEquals("backend 'reference' was closed", message);
    }

    @Test
    void theReferenceIsFoundAndAlwaysAvailable() {
        assertTrue(Backends.named("reference").availability().isAvailable());
        assertEquals("reference", backend.name());
    }

    private GruPlan trainingPlan(Problem problem) {
        GruPlan plan = backend.plan(problem.spec(), T + 1, B + 2, GruPlan.Mode.TRAINING);
        plan.loadParameters(floats(problem.tensors().parameters));
        return plan;
    }
}
