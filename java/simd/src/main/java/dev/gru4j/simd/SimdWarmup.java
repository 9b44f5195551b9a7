package dev.gru4j.simd;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.WeightStorage;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Has the kernels compiled before the first large call. Until C2 has seen to a kernel, each of its vectors is an
 * object and it runs some hundred times slower than after; and a kernel becomes due for C2 by being called, so that a
 * large first call runs slowly for long. A tiny GRU, run again and again through the ordinary passes, calls the same
 * kernels as often in a fraction of the time. Its results are thrown away.
 *
 * <p>Once per JVM, width of vectors, variant and mode; plans for one row have kernels of their own, for each form of
 * weights, and so a warm-up of their own. By the thread that makes the plan, for at most {@link #INFERENCE_NANOS} or
 * {@link #TRAINING_NANOS}, and only for a plan whose first call would take longer than that.
 * {@code -Dgru4j.simd.warmup=false} switches it off.
 */
final class SimdWarmup {
    /** System property: {@code false} switches the warm-up off. */
    static final String PROPERTY = "gru4j.simd.warmup";

    /** Multiply-adds of a call, in vectors, from which it pays: about a second of uncompiled kernels. */
    static final long LARGE = 1_000_000;

    static final long INFERENCE_NANOS = 800_000_000L;
    static final long TRAINING_NANOS = 1_200_000_000L;

    /** A compiled kernel needs about a nanosecond for a multiply-add of vectors, one that is not hundreds. */
    private static final double COMPILED_NANOS = 8;

    /** Rows of the largest tile. */
    private static final int ROWS = 8;

    /** Few steps suffice: what counts is the number of calls of each kernel. */
    private static final int STEPS = 4;

    private static final Set<Kernels> DONE = ConcurrentHashMap.newKeySet();

    /** What is compiled together. */
    private record Kernels(
            Class<?> width,
            SimdShape shape,
            int rows,
            WeightStorage recurrentWeights,
            GruVariant variant,
            GruPlan.Mode mode) {}

    private SimdWarmup() {}

    /**
     * Warms what a plan for these sizes will run, if that pays and was not begun before.
     *
     * @return whether it did
     */
    static boolean run(
            SimdKernels kernels, GruSpec spec, int maxT, int maxB, GruPlan.Mode mode, WeightStorage recurrentWeights) {
        // A plan for one row has kernels of its own, others for bf16.
        int rows = maxB == 1 ? 1 : ROWS;
        WeightStorage weights = rows == 1 ? recurrentWeights : WeightStorage.FP32;
        if (!pays(kernels, spec, maxT, maxB)
                || System.getProperty(PROPERTY, "").equals("false")
                || !DONE.add(new Kernels(kernels.getClass(), kernels.shape, rows, weights, spec.variant(), mode))) {
            return false;
        }
        repeat(
                kernels, rows, weights, spec.variant(), mode,
                mode == GruPlan.Mode.INFERENCE ? INFERENCE_NANOS : TRAINING_NANOS);
        return true;
    }

    /** Whether one call runs for longer than the warm-up while nothing is compiled. */
    static boolean pays(SimdKernels kernels, GruSpec spec, int maxT, int maxB) {
        double forward = (double) maxT * maxB * GruParameters.of(spec).length();
        return forward / kernels.lanes >= LARGE;
    }

    /**
     * Runs tiny calls until they are as fast as compiled ones, at most for that many nanoseconds.
     *
     * @return the number of calls
     */
    static int repeat(
            SimdKernels kernels, int rows, WeightStorage recurrentWeights, GruVariant variant, GruPlan.Mode mode,
            long nanos) {
        long deadline = System.nanoTime() + nanos;
        // Whole panels; one row takes two at a time.
        int H = (rows == 1 ? 2 : 1) * kernels.shape.generalVectors() * kernels.lanes;
        GruSpec tiny = GruSpec.of(kernels.lanes, H).withVariant(variant);
        try (SimdPool alone = new SimdPool(1);
                SimdScratch.Pool scratches = new SimdScratch.Pool();
                SimdPlan plan = new SimdPlan(
                        tiny, STEPS, rows, mode, recurrentWeights, kernels, alone, new SimdDivision(false),
                        scratches)) {
            HostFloatMemory parameters = HostFloatMemory.allocate(plan.parameters().length());
            GruCall call = call(plan, tiny, rows);
            double vectors = (double) STEPS * rows * plan.parameters().length() / kernels.lanes;
            boolean trains = mode == GruPlan.Mode.TRAINING;
            double expected = (trains ? 3 : 1) * vectors * COMPILED_NANOS;
            int calls = 0;
            int fast = 0;
            long start = System.nanoTime();
            while (fast < 3 && start < deadline) {
                plan.loadParameters(parameters);
                plan.forward(call);
                if (trains) {
                    plan.backward(call);
                }
                long end = System.nanoTime();
                fast = end - start < expected ? fast + 1 : 0;
                start = end;
                calls++;
            }
            return calls;
        }
    }

    private static GruCall call(SimdPlan plan, GruSpec tiny, int rows) {
        int states = rows * tiny.hiddenSize();
        GruCall call = new GruCall().shape(STEPS, rows);
        call.x(HostFloatMemory.allocate((long) STEPS * rows * tiny.inputSize()));
        call.y(HostFloatMemory.allocate((long) STEPS * states)).hT(HostFloatMemory.allocate(states));
        call.workspace(HostFloatMemory.allocate(plan.workspaceLength()));
        if (plan.mode() == GruPlan.Mode.TRAINING) {
            call.reserve(HostFloatMemory.allocate(plan.reserveLength()));
            call.dy(HostFloatMemory.allocate((long) STEPS * states));
            call.dx(HostFloatMemory.allocate((long) STEPS * rows * tiny.inputSize()));
            call.dh0(HostFloatMemory.allocate(states));
            call.dParameters(HostFloatMemory.allocate(plan.parameters().length()));
        }
        return call;
    }
}
