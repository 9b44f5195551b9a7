package dev.gru4j.benchmarks.comparison;

import dev.gru4j.Gru;
import dev.gru4j.backend.BackendOptions;
import java.lang.foreign.MemorySegment;

/** Forward of a layer between the caller's own arrays, which the CPU backends use in place. */
final class Gru4jInference implements Prepared {
    private final Gru gru;
    private final Problem problem;
    private final float[] y;
    private final float[] hT;
    private final MemorySegment xSegment;
    private final MemorySegment h0Segment;
    private final MemorySegment ySegment;
    private final MemorySegment hTSegment;

    Gru4jInference(String backend, BackendOptions options, Cell cell, Problem problem) {
        this.problem = problem;
        gru = Gru.builder(problem.weights(cell.variant())).backend(backend).options(options).build();
        y = new float[problem.dy().length];
        hT = new float[problem.dhT().length];
        xSegment = MemorySegment.ofArray(problem.x());
        h0Segment = MemorySegment.ofArray(problem.h0());
        ySegment = MemorySegment.ofArray(y);
        hTSegment = MemorySegment.ofArray(hT);
    }

    @Override
    public void run() {
        gru.forward(xSegment, problem.shape().T(), problem.shape().B(), h0Segment, null, ySegment, hTSegment);
    }

    @Override
    public Results results() {
        return Results.ofInference(y, hT);
    }

    @Override
    public void close() {
        gru.close();
    }
}
