package dev.gru4j.cuda;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A training plan with all its memory, called again and again: lengths and dropout masks change from call
 * to call, everything else stays where it is.
 */
final class CudaRun implements AutoCloseable {
    private static final long SEED = 97;
    private static final int T = 4;
    private static final int B = 3;
    private static final int I = 2;
    private static final int H = 5;
    /** Floats of x (T,B,I). */
    static final int X_LENGTH = T * B * I;

    private static final float DROPOUT = 0.4f;

    private final GruBackend backend;
    private final GruSpec spec;
    private final GruPlan plan;
    private final GruCall call = new GruCall();
    private final List<FloatMemory> memories = new ArrayList<>();
    private final List<FloatMemory> results = new ArrayList<>();

    /** Two layers with dropout between them. */
    CudaRun(GruBackend backend, GruVariant variant, Directions directions) {
        this.backend = backend;
        this.spec = new GruSpec(I, H, 2, directions, variant, BiasMode.BOTH, DROPOUT);
        this.plan = backend.plan(spec, T, B, GruPlan.Mode.TRAINING);
        int outputs = T * B * spec.outputSize();
        int states = spec.states() * B * H;
        plan.loadParameters(random(Math.toIntExact(plan.parameters().length())));
        call.shape(T, B)
                .x(random(X_LENGTH))
                .h0(random(states))
                .y(result(outputs))
                .hT(result(states))
                .workspace(memory(plan.workspaceLength()))
                .reserve(memory(plan.reserveLength()))
                .dy(random(outputs))
                .dhT(random(states))
                .dx(result(X_LENGTH))
                .dh0(result(states))
                .dParameters(result(Math.toIntExact(plan.parameters().length())));
    }

    GruPlan plan() {
        return plan;
    }

    GruCall call() {
        return call;
    }

    FloatMemory memory(long floats) {
        FloatMemory memory = backend.allocate(floats);
        memories.add(memory);
        return memory;
    }

    private FloatMemory result(int floats) {
        FloatMemory memory = memory(floats);
        results.add(memory);
        return memory;
    }

    /** Another dy, in memory of its own. */
    void newOutputGradient() {
        call.dy(random(T * B * spec.outputSize()));
    }

    /** The same numbers for every run. */
    private FloatMemory random(int floats) {
        SplittableRandom random = new SplittableRandom(SEED + memories.size());
        float[] values = new float[floats];
        for (int k = 0; k < floats; k++) {
            values[k] = (float) random.nextDouble(-1, 1);
        }
        FloatMemory memory = memory(floats);
        memory.upload(values);
        return memory;
    }

    /** Forward and backward of step k, whose lengths and masks are its own; does not wait. */
    void step(int k) {
        begin(k);
        plan.forward(call);
        plan.backward(call);
    }

    /** Lengths and masks of step k; the same rows are padded, or not, in all even ones. */
    void begin(int k) {
        int[] lengths = k % 2 == 1 ? null : new int[] {k % T, T, (k + 2) % T};
        call.lengths(lengths).dropout(SEED + ((long) k << 33), k).accumulate(k >= 4);
    }

    /** All that a step computes. */
    float[] results() {
        float[] all = new float[results.stream().mapToInt(m -> (int) m.length()).sum()];
        int at = 0;
        for (FloatMemory memory : results) {
            memory.download(0, all, at, (int) memory.length());
            at += (int) memory.length();
        }
        return all;
    }

    @Override
    public void close() {
        plan.close();
        memories.forEach(FloatMemory::close);
    }
}
