package dev.gru4j.reference;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.HostIntMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.backend.WeightStorage;

/**
 * The reference as a backend: correct everywhere, fast nowhere. It works on the caller's thread and
 * of all options its results depend on the precision and on the form of the recurrent weights alone.
 */
final class ReferenceBackend implements GruBackend {
    static final String NAME = "reference";

    private final ProductPrecision precision;
    private final WeightStorage recurrentWeights;
    private final TrainingKernels kernels;
    private volatile boolean closed;

    ReferenceBackend(ProductPrecision precision, WeightStorage recurrentWeights) {
        this.precision = precision;
        this.recurrentWeights = recurrentWeights;
        this.kernels = new ReferenceTrainingKernels(Precision.of(precision));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String description() {
        return "reference: scalar loops in float, products in " + precision + ", one thread"
                + (recurrentWeights == WeightStorage.FP32 ? "" : ", recurrent weights in " + recurrentWeights);
    }

    @Override
    public ProductPrecision precision() {
        return precision;
    }

    @Override
    public FloatMemory allocate(long floats) {
        checkOpen();
        return HostFloatMemory.allocate(floats);
    }

    @Override
    public IntMemory allocateInts(long integers) {
        checkOpen();
        return HostIntMemory.allocate(integers);
    }

    @Override
    public GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        checkOpen();
        return new ReferencePlan(spec, maxT, maxB, mode, precision, recurrentWeights);
    }

    @Override
    public TrainingKernels trainingKernels() {
        checkOpen();
        return kernels;
    }

    @Override
    public void synchronize() {
        // Work is done when its call returns.
    }

    @Override
    public void close() {
        closed = true;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("backend '" + NAME + "' was closed");
        }
    }
}
