package dev.gru4j.cuda;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;

/** The cuda backend on one device: one session, shared by everything made from it. */
final class CudaBackend implements GruBackend {
    private final CudaSession session;
    private final TrainingKernels kernels;
    private final KernelFamily family;
    private final boolean isWithGraphs;
    private final String description;

    CudaBackend(CudaSession session, KernelFamily family, boolean isWithGraphs, String description) {
        this.session = session;
        this.kernels = new CudaTrainingKernels(session);
        this.family = family;
        this.isWithGraphs = isWithGraphs;
        this.description = description;
    }

    CudaSession session() {
        return session;
    }

    @Override
    public String name() {
        return CudaBackendProvider.NAME;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public ProductPrecision precision() {
        return session.precision();
    }

    @Override
    public FloatMemory allocate(long floats) {
        return CudaFloatMemory.allocate(session, floats);
    }

    @Override
    public IntMemory allocateInts(long integers) {
        return CudaIntMemory.allocate(session, integers);
    }

    @Override
    public FloatReadback allocateReadback(int floats) {
        session.enter();
        try {
            return session.downloads().readback(floats);
        } finally {
            session.leave();
        }
    }

    @Override
    public GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        return new CudaPlan(spec, maxT, maxB, mode, session, family, isWithGraphs);
    }

    @Override
    public TrainingKernels trainingKernels() {
        return kernels;
    }

    @Override
    public void synchronize() {
        session.synchronize();
    }

    @Override
    public void close() {
        session.close();
    }
}
