package dev.gru4j.parity;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One case on one backend: memory, plan, call, results; every guard checked. */
final class GruRun implements AutoCloseable {
    /** How much larger than the call a plan with room to spare is. */
    private static final int SPARE_STEPS = 3;

    private static final int SPARE_ROWS = 2;

    private final GruBackend backend;
    private final GruCase problem;
    private final GruInputs in;
    private final boolean spare;
    private final GruPlan plan;
    private final GruCall call = new GruCall();
    private final Map<String, GuardedMemory> memories = new LinkedHashMap<>();
    private final Map<String, float[]> inputs = new LinkedHashMap<>();

    private GruRun(GruBackend backend, GruCase problem, GruInputs in, GruPlan.Mode mode) {
        this.backend = backend;
        this.problem = problem;
        this.in = in;
        this.spare = problem.is(Factor.ROOM, "spare");
        int T = problem.shape().T();
        int B = problem.shape().B();
        this.plan = backend.plan(problem.spec(), T + (spare ? SPARE_STEPS : 0), B + (spare ? SPARE_ROWS : 0), mode);
        loadParameters();
        call.shape(T, B)
                .x(input("x", in.x()))
                .h0(optional("h0", in.h0()))
                .lengths(in.lengths())
                .workspace(output("workspace", plan.workspaceLength()))
                .dropout(GruReference.DROPOUT_SEED, GruReference.DROPOUT_ITERATION);
        if (asks("y")) {
            call.y(output("y", (long) T * B * problem.spec().outputSize()));
        }
        if (asks("hT")) {
            call.hT(output("hT", states()));
        }
        if (mode == GruPlan.Mode.TRAINING) {
            call.reserve(output("reserve", plan.reserveLength()));
        }
    }

    /** Runs one phase and returns the tensors that the case asks for, by name. */
    static Map<String, double[]> run(GruBackend backend, GruCase problem, GruInputs in, Phase phase) {
        return run(backend, problem, in, phase, 1);
    }

    /** The same, where every pass is called so many times with the same memory; returns the tensors of the last one. */
    static Map<String, double[]> run(
            GruBackend backend, GruCase problem, GruInputs in, Phase phase, int times) {
        GruPlan.Mode mode = phase == Phase.INFERENCE ? GruPlan.Mode.INFERENCE : GruPlan.Mode.TRAINING;
        try (GruRun run = new GruRun(backend, problem, in, mode)) {
            for (int time = 0; time < times; time++) {
                run.forward();
            }
            return switch (phase) {
                case INFERENCE -> run.results();
                case TRAINING -> run.resultsAndReserve();
                case BACKWARD -> run.backward(times);
            };
        }
    }

    /** Those tensors of a phase that the case asks for. */
    static List<Tensor> asked(GruCase problem, Phase phase) {
        return GruTensors.of(problem, phase).stream()
                .filter(t -> asks(problem, t.name()))
                .toList();
    }

    private static boolean asks(GruCase problem, String tensor) {
        boolean perStep = tensor.equals("y") || tensor.equals("dx");
        boolean reserve = tensor.contains("_l") && !tensor.startsWith("d");
        return switch (problem.value(Factor.OUTPUTS)) {
            case "all" -> true;
            case "last" -> !perStep;
            case "sequence" -> perStep || reserve;
            default -> throw new IllegalStateException(problem.value(Factor.OUTPUTS));
        };
    }

    private boolean asks(String tensor) {
        return asks(problem, tensor);
    }

    /** A plan does not keep the memory its parameters came from: it is gone before the first call. */
    private void loadParameters() {
        try (GuardedMemory parameters = GuardedMemory.of(backend, "parameters", in.parameters(), spare)) {
            plan.loadParameters(parameters.memory());
            parameters.checkUnchanged(in.parameters());
            parameters.memory().fill(Float.NaN);
        }
    }

    private void forward() {
        plan.forward(call);
    }

    private Map<String, double[]> results() {
        Map<String, double[]> results = new HashMap<>();
        memories.forEach((name, memory) -> {
            float[] content = inputs.get(name);
            if (content != null) {
                memory.checkUnchanged(content);
            } else {
                results.put(name, doubles(memory.read()));
            }
        });
        return results;
    }

    private Map<String, double[]> resultsAndReserve() {
        GruSpec spec = problem.spec();
        Map<String, double[]> results = results();
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int d = 0; d < spec.directions().count(); d++) {
                double[] reserve = doubles(plan.exportReserve(call, layer, d));
                results.putAll(GruReference.splitReserve(spec, layer, d, reserve));
            }
        }
        return results;
    }

    private Map<String, double[]> backward(int times) {
        call.dy(optional("dy", in.dy())).dhT(optional("dhT", in.dhT()));
        if (asks("dx")) {
            call.dx(output("dx", in.x().length));
        }
        if (asks("dh0")) {
            call.dh0(output("dh0", states()));
        }
        if (asks("dParameters")) {
            float[] base = in.base();
            call.accumulate(base != null)
                    .dParameters(base == null ? output("dParameters", in.parameters().length) : accumulator(base));
        }
        for (int time = 0; time < times; time++) {
            if (time > 0 && call.accumulate()) {
                Objects.requireNonNull(call.dParameters()).upload(Objects.requireNonNull(in.base()));
            }
            plan.backward(call);
        }
        Map<String, double[]> results = results();
        double[] flat = results.remove("dParameters");
        if (flat != null) {
            results.putAll(GruReference.splitParameters(problem.spec(), flat));
        }
        return results;
    }

    private long states() {
        return (long) problem.spec().states() * problem.shape().B() * problem.shape().H();
    }

    private FloatMemory input(String name, float[] content) {
        inputs.put(name, content);
        return put(name, GuardedMemory.of(backend, name, content, spare));
    }

    private @Nullable FloatMemory optional(String name, float @Nullable [] content) {
        return content == null ? null : input(name, content);
    }

    private FloatMemory output(String name, long length) {
        return put(name, GuardedMemory.ofNaN(backend, name, length, spare));
    }

    private FloatMemory accumulator(float[] base) {
        return put("dParameters", GuardedMemory.of(backend, "dParameters", base, spare));
    }

    private FloatMemory put(String name, GuardedMemory memory) {
        memories.put(name, memory);
        return memory.memory();
    }

    private static double[] doubles(float[] floats) {
        return GruReference.doubles(floats, floats.length);
    }

    @Override
    public void close() {
        plan.close();
        new ArrayList<>(memories.values()).forEach(GuardedMemory::close);
    }
}
