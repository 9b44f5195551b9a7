package dev.gru4j.benchmarks.comparison;

import dev.gru4j.Gru;
import dev.gru4j.GruGradients;
import dev.gru4j.GruInput;
import dev.gru4j.GruOutput;
import dev.gru4j.GruTraining;
import dev.gru4j.GruWeights;
import dev.gru4j.backend.BackendOptions;

/** A training step of a layer, the optimizer left out: weights set anew, forward, backward, into the same arrays. */
final class Gru4jTraining implements Prepared {
    private final Gru gru;
    private final GruTraining training;
    private final Problem problem;
    private final GruWeights weights;
    private final GruInput input;
    private final GruOutput output;
    private final GruGradients gradients;
    private long step;

    Gru4jTraining(String backend, BackendOptions options, Cell cell, Problem problem) {
        this.problem = problem;
        weights = problem.weights(cell.variant());
        input = new GruInput(problem.x(), problem.shape().T(), problem.shape().B()).withH0(problem.h0());
        gru = Gru.builder(weights).backend(backend).options(options).build();
        training = gru.training();
        output = GruOutput.of(gru.spec(), input.T(), input.B());
        gradients = GruGradients.of(gru.spec(), input.T(), input.B());
    }

    @Override
    public void run() {
        gru.setWeights(weights);
        training.forward(input, step++, output);
        training.backward(problem.dy(), problem.dhT(), gradients);
    }

    @Override
    public Results results() {
        GruWeights d = gradients.dParameters();
        return new Results(
                output.y(), output.hT(), gradients.dx(), gradients.dh0(), d.get("weight_ih_l0"),
                d.get("weight_hh_l0"), d.get("bias_ih_l0"), d.get("bias_hh_l0"));
    }

    @Override
    public void close() {
        gru.close();
    }
}
