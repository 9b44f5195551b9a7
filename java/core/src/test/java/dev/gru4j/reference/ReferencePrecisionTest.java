package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.reference.Problem.Arriving;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The reference backend in every precision: the network's bits, and products worked by hand. */
class ReferencePrecisionTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferencePrecisionTest.class);
    private static final int T = 4;
    private static final int B = 2;

    @ParameterizedTest
    @EnumSource
    void aPlanReturnsTheBitsOfTheNetworkInItsPrecision(ProductPrecision precision) {
        GruSpec spec = GruSpec.of(3, 5).withLayers(2).withVariant(GruVariant.RESET_BEFORE);
        Problem problem = Problem.of(spec, T, B, List.of(4, 3), null, Arriving.DY_AND_DHT, 9);
        Problem.Tensors all = problem.tensors();
        ReferenceNetwork network = new ReferenceNetwork(spec, Precision.of(precision), all.parameters);
        ReferenceNetwork.Forward forward =
                network.forward(T, B, all.x, all.h0, problem.lengths(), new ReferenceNetwork.Dropout(0, 0));
        ReferenceNetwork.Gradients gradients = network.backward(forward, all.dy, all.dhT);
        try (GruBackend backend = Backends.open("reference", BackendOptions.DEFAULT.withPrecision(precision));
                GruPlan plan = backend.plan(spec, T, B, GruPlan.Mode.TRAINING);
                FloatMemory reserve = backend.allocate(plan.reserveLength())) {
            plan.loadParameters(floats(all.parameters));
            FloatMemory y = HostFloatMemory.allocate(all.dy.length);
            FloatMemory dx = HostFloatMemory.allocate(all.x.length);
            FloatMemory dParameters = HostFloatMemory.allocate(all.parameters.length);
            GruCall call = new GruCall()
                    .shape(T, B)
                    .x(floats(all.x))
                    .h0(floats(all.h0))
                    .lengths(problem.lengths())
                    .workspace(backend.allocate(plan.workspaceLength()))
                    .reserve(reserve)
                    .y(y)
                    .dy(floats(all.dy))
                    .dhT(floats(all.dhT))
                    .dx(dx)
                    .dParameters(dParameters);
            plan.forward(call);
            plan.backward(call);
            CHECK.sameBits("y", forward.y(), doubles(y));
            CHECK.sameBits("dx", gradients.dx(), doubles(dx));
            CHECK.sameBits("dParameters", gradients.dParameters(), doubles(dParameters));
        }
    }

    /**
     * A dense layer of one input and one output, x = 1 + 3·2^−9, weight = 3, bias = 2^−9: what x is rounded to shows
     * in y, bias is not rounded. The nearest numbers of bf16 are 1 and 1 + 2^−7; 10 fraction bits hold x.
     */
    @ParameterizedTest
    @CsvSource({
        "fp32, 0x1.018p0, 0x1.018p0",
        "tf32, 0x1.018p0, 0x1.018p0",
        "3xtf32, 0x1.018p0, 0x1.018p0",
        "bf16, 0x1.018p0, 0x1.02p0",
        "fp16, 0x1.018p0, 0x1.018p0",
        // 1 + 2^−11 + 2^−23 lies beyond the tie of tf32 and fp16.
        "fp32, 0x1.002002p0, 0x1.002002p0",
        "tf32, 0x1.002002p0, 0x1.004p0",
        "3xtf32, 0x1.002002p0, 0x1.002p0", // what is small, 2^−11 − 2^−23, has twelve bits
        "bf16, 0x1.002002p0, 0x1.0p0",
        "fp16, 0x1.002002p0, 0x1.004p0"
    })
    void theDenseKernelsRoundTheOperandsOfProductsAndNothingElse(String name, String given, String rounded) {
        float x = Float.parseFloat(given);
        double operand = Double.parseDouble(rounded);
        BackendOptions options = BackendOptions.DEFAULT.withPrecision(ProductPrecision.of(name));
        try (GruBackend backend = Backends.open("reference", options)) {
            FloatMemory y = HostFloatMemory.allocate(1);
            FloatMemory three = HostFloatMemory.wrap(new float[] {3});
            FloatMemory held = HostFloatMemory.wrap(new float[] {x});
            backend.trainingKernels().denseForward(held, three, HostFloatMemory.wrap(new float[] {0x1p-9f}), 1, 1, 1,
                    y);
            assertEquals((float) (3 * operand + 0x1p-9), y.toArray()[0], "y");

            // The same number as gradient: rounded in dx and dWeight, not in dBias.
            FloatMemory dx = HostFloatMemory.allocate(1);
            FloatMemory dWeight = HostFloatMemory.allocate(1);
            FloatMemory dBias = HostFloatMemory.allocate(1);
            backend.trainingKernels().denseBackward(three, three, held, 1, 1, 1, dx, dWeight, dBias, false);
            assertEquals((float) (3 * operand), dx.toArray()[0], "dx");
            assertEquals((float) (3 * operand), dWeight.toArray()[0], "dWeight");
            assertArrayEquals(new float[] {x}, dBias.toArray(), "dBias");
        }
    }

    private static FloatMemory floats(double[] values) {
        float[] floats = new float[values.length];
        for (int k = 0; k < floats.length; k++) {
            floats[k] = (float) values[k];
        }
        return HostFloatMemory.wrap(floats);
    }

    private static double[] doubles(FloatMemory memory) {
        float[] floats = memory.toArray();
        double[] values = new double[floats.length];
        for (int k = 0; k < floats.length; k++) {
            values[k] = floats[k];
        }
        return values;
    }
}
