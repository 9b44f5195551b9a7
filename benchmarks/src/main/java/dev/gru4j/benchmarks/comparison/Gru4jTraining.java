package dev.gru4j.benchmarks.comparison;

import dev.gru4j.Gru;
import dev.gru4j.GruGradients;
import dev.gru4j.GruInput;
import dev.gru4j.GruOutput;
import dev.gru4j.GruTraining;
import dev.gru4j.GruWeights;
import dev.gru4j.backend.BackendOptions;
import org.jspecify.annotations.Nullable;

/** A training step of a layer, the optimizer left out: weights set anew, forward, backward. */
final class Gru4jTraining implements Prepared {
    private final Gru gru;
    private final GruTraining training;
    private final Problem problem;
    private final GruWeights weights;
    private final GruInput input;
    private long step;
    private @Nullable GruOutput output;
    private @Nullable GruGradients gradients;

    Gru4jTraining(String backend, BackendOptions options, Cell cell, Problem problem) {
        this.problem = problem;
        weights = problem.weights(cell.variant());
        input = new GruInput(problem.x(), problem.shape().T(), problem.shape().B()).withH0(problem.h0());
        gru = Gru.builder(weights).backend(backend).options(options).build();
        training = gru.training();
    }

    @Override
    public void run() {
        gru.setWeights(weights);
        output = training.forward(input, step++);
        gradients = training.backward(problem.dy(), problem.dhT());
    }

    @Override
    public Results results() {
        GruOutput out = output;
        GruGradients g = gradients;
        if (out == null || g == null) {
            throw new IllegalStateException("no step was run yet");
        }
        GruWeights d = g.dParameters();
        return new Results(
                out.y(), out.hT(), g.dx(), g.dh0(), d.get("weight_ih_l0"), d.get("weight_hh_l0"), d.get("bias_ih_l0"),
                d.get("bias_hh_l0"));
    }

    @Override
    public void close() {
        gru.close();
    }
}
