package dev.gru4j.simd;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.HostIntMemory;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.backend.WeightStorage;

/** The simd backend: one vector width, one pool of threads. */
final class SimdBackend implements GruBackend {
    /** System property with the width in bits that options of 0 mean: 128, 256 or 512. */
    static final String BITS_PROPERTY = "gru4j.simd.bits";

    /** System property: fp32 or bf16, the form of recurrent weights that options of fp32 leave open. */
    static final String WEIGHTS_PROPERTY = "gru4j.simd.recurrent-weights";

    private final SimdKernels kernels;
    private final SimdPool pool;
    private final WeightStorage recurrentWeights;
    private final SimdDivision division = SimdDivision.ofProperty();
    private final SimdScratch.Pool scratches = new SimdScratch.Pool();
    private final TrainingKernels trainingKernels;
    private boolean closed;

    SimdBackend(SimdKernels kernels, int threads, WeightStorage recurrentWeights) {
        this.kernels = kernels;
        this.recurrentWeights = recurrentWeights;
        this.pool = new SimdPool(threads);
        this.trainingKernels = new SimdTrainingKernels(kernels, pool, scratches);
    }

    static SimdBackend open(BackendOptions options) {
        int bits = options.vectorBits() == 0 ? defaultBits() : options.vectorBits();
        int threads =
                options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
        return new SimdBackend(SimdKernels.of(bits), threads, recurrentWeights(options));
    }

    private static WeightStorage recurrentWeights(BackendOptions options) {
        String named = System.getProperty(WEIGHTS_PROPERTY, "");
        if (options.recurrentWeights() != WeightStorage.FP32 || named.isEmpty()) {
            return options.recurrentWeights();
        }
        try {
            return WeightStorage.of(named);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(WEIGHTS_PROPERTY + ": " + e.getMessage(), e);
        }
    }

    private static int defaultBits() {
        String text = System.getProperty(BITS_PROPERTY, "");
        return switch (text) {
            case "" -> 0;
            case "128", "256", "512" -> Integer.parseInt(text);
            default -> throw new IllegalArgumentException(
                    BITS_PROPERTY + " is '" + text + "'; 128, 256 or 512 expected");
        };
    }

    @Override
    public String name() {
        return "simd";
    }

    @Override
    public String description() {
        return "simd: " + kernels.bits + "-bit vectors (" + kernels.lanes + " floats), " + pool.threads()
                + (pool.threads() == 1 ? " thread" : " threads")
                + (recurrentWeights == WeightStorage.FP32 ? "" : ", recurrent weights in " + recurrentWeights);
    }

    @Override
    public ProductPrecision precision() {
        return ProductPrecision.FP32;
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
        SimdWarmup.run(kernels, spec, maxT, maxB, mode, recurrentWeights);
        return new SimdPlan(spec, maxT, maxB, mode, recurrentWeights, kernels, pool, division, scratches);
    }

    @Override
    public TrainingKernels trainingKernels() {
        checkOpen();
        return trainingKernels;
    }

    /** Every call is complete when it returns. */
    @Override
    public void synchronize() {}

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            pool.close();
            scratches.close();
        }
    }

    private synchronized void checkOpen() {
        if (closed) {
            throw new IllegalStateException("simd backend was closed");
        }
    }
}
