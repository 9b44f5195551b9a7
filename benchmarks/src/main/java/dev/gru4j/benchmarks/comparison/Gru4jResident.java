package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruWeights;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.util.ArrayList;
import java.util.List;

/** A layer whose tensors stay in the backend's memory, as in a training run: no copies between host and device. */
final class Gru4jResident implements Prepared {
    private final GruBackend backend;
    private final GruPlan plan;
    private final GruCall call = new GruCall();
    private final List<FloatMemory> memories = new ArrayList<>();
    private final GruWeights layout;
    private final boolean trains;
    private final FloatMemory parameters;
    private final FloatMemory y;
    private final FloatMemory hT;
    private final FloatMemory dx;
    private final FloatMemory dh0;
    private final FloatMemory dParameters;

    Gru4jResident(String name, BackendOptions options, Cell cell, Problem problem) {
        int T = cell.shape().T();
        int B = cell.shape().B();
        trains = cell.mode() == Mode.TRAINING;
        layout = problem.weights(cell.variant());
        backend = Backends.open(name, options);
        plan = backend.plan(layout.spec(), T, B, trains ? GruPlan.Mode.TRAINING : GruPlan.Mode.INFERENCE);
        parameters = filled(layout.values());
        y = empty(problem.dy().length);
        hT = empty(problem.dhT().length);
        dx = empty(trains ? problem.x().length : 0);
        dh0 = empty(trains ? problem.h0().length : 0);
        dParameters = empty(trains ? layout.values().length : 0);
        call.shape(T, B).x(filled(problem.x())).h0(filled(problem.h0())).y(y).hT(hT);
        call.workspace(empty(plan.workspaceLength())).reserve(empty(plan.reserveLength()));
        if (trains) {
            call.dy(filled(problem.dy())).dhT(filled(problem.dhT()));
            call.dx(dx).dh0(dh0).dParameters(dParameters);
        }
        plan.loadParameters(parameters);
    }

    private FloatMemory empty(long floats) {
        FloatMemory memory = backend.allocate(floats);
        memories.add(memory);
        return memory;
    }

    private FloatMemory filled(float... values) {
        FloatMemory memory = empty(values.length);
        memory.upload(values);
        return memory;
    }

    @Override
    public void run() {
        if (trains) {
            plan.loadParameters(parameters);
        }
        plan.forward(call);
        if (trains) {
            plan.backward(call);
        }
        backend.synchronize();
    }

    @Override
    public Results results() {
        if (!trains) {
            return Results.ofInference(y.toArray(), hT.toArray());
        }
        GruWeights d = new GruWeights(layout.spec(), dParameters.toArray());
        return new Results(
                y.toArray(), hT.toArray(), dx.toArray(), dh0.toArray(), d.get("weight_ih_l0"), d.get("weight_hh_l0"),
                d.get("bias_ih_l0"), d.get("bias_hh_l0"));
    }

    @Override
    public void close() {
        plan.close();
        memories.forEach(FloatMemory::close);
        backend.close();
    }
}
