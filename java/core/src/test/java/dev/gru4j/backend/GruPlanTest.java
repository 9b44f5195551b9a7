package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.GruSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The checks at the edge of every backend, each with its message. */
class GruPlanTest {
    private static final GruSpec SPEC = GruSpec.of(2, 3).withLayers(2);
    private static final int PARAMETERS = 3 * 3 * (2 + 3 + 2) + 3 * 3 * (3 + 3 + 2);

    /** A plan that only records which calls its checks let through. */
    private static final class RecordingPlan extends GruPlan {
        final List<String> done = new ArrayList<>();

        RecordingPlan(int maxT, int maxB, Mode mode) {
            super(SPEC, maxT, maxB, mode);
        }

        @Override
        protected PlanReport.Builder explain() {
            return new PlanReport.Builder("recording");
        }

        @Override
        public long workspaceLength() {
            return 11;
        }

        @Override
        public long reserveLength() {
            return mode() == Mode.TRAINING ? 13 : 0;
        }

        @Override
        protected void doLoadParameters(FloatMemory flat) {
            done.add("load");
        }

        @Override
        protected void doForward(GruCall call) {
            done.add("forward");
        }

        @Override
        protected void doBackward(GruCall call) {
            done.add("backward");
        }

        @Override
        protected float[] doExportReserve(GruCall call, int layer, int direction) {
            done.add("export");
            return new float[0];
        }

        @Override
        protected void doClose() {
            done.add("close");
        }
    }

    private static FloatMemory floats(int length) {
        return HostFloatMemory.allocate(length);
    }

    /** T 5, B 2: x 20, y 30, states 12. Every tensor present, each exactly long enough. */
    private static GruCall call() {
        return new GruCall()
                .shape(5, 2)
                .x(floats(20))
                .h0(floats(12))
                .lengths(new int[] {5, 0})
                .y(floats(30))
                .hT(floats(12))
                .workspace(floats(11))
                .reserve(floats(13))
                .dy(floats(30))
                .dhT(floats(12))
                .dx(floats(20))
                .dh0(floats(12))
                .dParameters(floats(PARAMETERS));
    }

    private static RecordingPlan loaded(GruPlan.Mode mode) {
        RecordingPlan plan = new RecordingPlan(6, 3, mode);
        plan.loadParameters(floats(PARAMETERS));
        return plan;
    }

    private static void forwardRefused(String message, Consumer<GruCall> change) {
        RecordingPlan plan = loaded(GruPlan.Mode.TRAINING);
        GruCall call = call();
        change.accept(call);
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, () -> plan.forward(call)).getMessage());
        assertEquals(List.of("load"), plan.done);
    }

    private static void backwardRefused(String message, Consumer<GruCall> change) {
        RecordingPlan plan = loaded(GruPlan.Mode.TRAINING);
        GruCall call = call();
        change.accept(call);
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, () -> plan.backward(call)).getMessage());
        assertEquals(List.of("load"), plan.done);
    }

    @Test
    void aCallWhoseTensorsAreJustLongEnoughRuns() {
        RecordingPlan plan = loaded(GruPlan.Mode.TRAINING);
        plan.forward(call());
        plan.backward(call());
        plan.exportReserve(call(), 1, 0);
        assertEquals(List.of("load", "forward", "backward", "export"), plan.done);
    }

    @Test
    void whatIsNotWantedMayBeAbsent() {
        RecordingPlan training = loaded(GruPlan.Mode.TRAINING);
        GruCall call = call().h0(null).lengths(null).y(null).hT(null).dy(null).dhT(null).dx(null).dh0(null)
                .dParameters(null);
        training.forward(call);
        training.backward(call);
        RecordingPlan inference = loaded(GruPlan.Mode.INFERENCE);
        inference.forward(call.reserve(null));
        assertEquals(List.of("load", "forward"), inference.done);
    }

    @Test
    void sizesBeyondThePlanAreRefused() {
        forwardRefused("T is 7; 0 to 6 expected by this plan", c -> c.shape(7, 2));
        forwardRefused("T is -1; 0 to 6 expected by this plan", c -> c.shape(-1, 2));
        forwardRefused("B is 4; 1 to 3 expected by this plan", c -> c.shape(5, 4));
        forwardRefused("B is 0; 1 to 3 expected by this plan", c -> c.shape(5, 0));
    }

    @Test
    void sizesWhoseBytesOverflowAreRefused() {
        int max = Integer.MAX_VALUE;
        RecordingPlan plan = new RecordingPlan(max, max, GruPlan.Mode.INFERENCE);
        plan.loadParameters(floats(PARAMETERS));
        assertEquals(
                "x (T,B,I) has 2147483647·2147483647·2 floats; their bytes overflow a 64-bit size",
                assertThrows(IllegalArgumentException.class, () -> plan.forward(call().shape(max, max)))
                        .getMessage());
    }

    @Test
    void shortTensorsOfAForwardAreRefused() {
        forwardRefused("x has 19 floats; 20 expected", c -> c.x(floats(19)));
        forwardRefused("h0 has 11 floats; 12 expected", c -> c.h0(floats(11)));
        forwardRefused("y has 29 floats; 30 expected", c -> c.y(floats(29)));
        forwardRefused("hT has 11 floats; 12 expected", c -> c.hT(floats(11)));
        forwardRefused("workspace has 10 floats; 11 expected", c -> c.workspace(floats(10)));
        forwardRefused("reserve has 12 floats; 13 expected", c -> c.reserve(floats(12)));
        forwardRefused("reserve is absent; it is needed by this call", c -> c.reserve(null));
    }

    @Test
    void whatEveryCallNeedsMayNotBeAbsent() {
        RecordingPlan plan = loaded(GruPlan.Mode.INFERENCE);
        GruCall withoutX = new GruCall().shape(1, 1).workspace(floats(11));
        assertEquals(
                "x is absent; it is needed by this call",
                assertThrows(IllegalArgumentException.class, () -> plan.forward(withoutX)).getMessage());
        GruCall withoutWorkspace = new GruCall().shape(1, 1).x(floats(2));
        assertEquals(
                "workspace is absent; it is needed by this call",
                assertThrows(IllegalArgumentException.class, () -> plan.forward(withoutWorkspace)).getMessage());
    }

    @Test
    void impossibleRowLengthsAreRefused() {
        forwardRefused("lengths has 3 entries; one per row, B = 2, expected", c -> c.lengths(new int[3]));
        forwardRefused("lengths[1] is 6; 0 to T = 5 expected", c -> c.lengths(new int[] {5, 6}));
        forwardRefused("lengths[0] is -1; 0 to T = 5 expected", c -> c.lengths(new int[] {-1, 5}));
    }

    @Test
    void shortTensorsOfABackwardAreRefused() {
        backwardRefused("x has 19 floats; 20 expected", c -> c.x(floats(19)));
        backwardRefused("dy has 29 floats; 30 expected", c -> c.dy(floats(29)));
        backwardRefused("dhT has 11 floats; 12 expected", c -> c.dhT(floats(11)));
        backwardRefused("dx has 19 floats; 20 expected", c -> c.dx(floats(19)));
        backwardRefused("dh0 has 11 floats; 12 expected", c -> c.dh0(floats(11)));
        backwardRefused(
                "dParameters has " + (PARAMETERS - 1) + " floats; " + PARAMETERS + " expected",
                c -> c.dParameters(floats(PARAMETERS - 1)));
    }

    @Test
    void shortParametersAreRefused() {
        RecordingPlan plan = new RecordingPlan(1, 1, GruPlan.Mode.INFERENCE);
        assertEquals(
                "parameters has 3 floats; " + PARAMETERS + " expected",
                assertThrows(IllegalArgumentException.class, () -> plan.loadParameters(floats(3))).getMessage());
    }

    @Test
    void withoutParametersNothingRuns() {
        RecordingPlan plan = new RecordingPlan(6, 3, GruPlan.Mode.TRAINING);
        assertEquals(
                "no parameters yet; call loadParameters first",
                assertThrows(IllegalStateException.class, () -> plan.forward(call())).getMessage());
    }

    @Test
    void anInferencePlanHasNeitherBackwardNorReserve() {
        RecordingPlan plan = loaded(GruPlan.Mode.INFERENCE);
        assertEquals(
                "backward needs a plan of mode TRAINING; this one is INFERENCE",
                assertThrows(IllegalStateException.class, () -> plan.backward(call())).getMessage());
        assertEquals(
                "a plan of mode INFERENCE keeps no reserve",
                assertThrows(IllegalStateException.class, () -> plan.exportReserve(call(), 0, 0)).getMessage());
    }

    @Test
    void aReserveOfALayerThatIsNotThereIsRefused() {
        RecordingPlan plan = loaded(GruPlan.Mode.TRAINING);
        assertThrows(IndexOutOfBoundsException.class, () -> plan.exportReserve(call(), 2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> plan.exportReserve(call(), 0, 1));
    }

    @Test
    void aClosedPlanSaysSoAndClosesOnce() {
        RecordingPlan plan = loaded(GruPlan.Mode.TRAINING);
        plan.close();
        plan.close();
        assertEquals(List.of("load", "close"), plan.done);
        for (Runnable use : List.<Runnable>of(
                () -> plan.forward(call()), () -> plan.backward(call()),
                () -> plan.loadParameters(floats(PARAMETERS)))) {
            assertEquals(
                    "plan for " + SPEC + " was closed",
                    assertThrows(IllegalStateException.class, use::run).getMessage());
        }
    }

    @Test
    void impossiblePlansAreRefused() {
        assertEquals(
                "maxT is -1; 0 or more expected",
                assertThrows(IllegalArgumentException.class, () -> new RecordingPlan(-1, 1, GruPlan.Mode.INFERENCE))
                        .getMessage());
        assertEquals(
                "maxB is 0; at least 1 expected",
                assertThrows(IllegalArgumentException.class, () -> new RecordingPlan(1, 0, GruPlan.Mode.INFERENCE))
                        .getMessage());
    }
}
