package dev.gru4j.backend;

import java.util.Objects;

/**
 * What a caller may ask of a backend. 0 leaves a choice to the backend.
 *
 * @param threads number of CPU threads that work on one call, the caller's among them; 0: one per
 *     processor. No result depends on it.
 * @param vectorBits width of the simd backend's vectors, 128, 256 or 512; 0: the widest that the
 *     processor runs well
 * @param kernels family of the cuda backend's kernels
 * @param precision of matrix products; a backend that does not have it refuses to open
 * @param recurrentWeights form in which recurrent weights are kept: bf16 makes the simd backend faster at B = 1 and
 *     changes its results; a backend that does not have it refuses to open
 */
public record BackendOptions(
        int threads,
        int vectorBits,
        KernelFamily kernels,
        ProductPrecision precision,
        WeightStorage recurrentWeights) {
    /** Everything left to the backend. */
    public static final BackendOptions DEFAULT = new BackendOptions(0, 0);

    public BackendOptions {
        if (threads < 0) {
            throw new IllegalArgumentException("threads is " + threads + "; 0 or more expected");
        }
        if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
            throw new IllegalArgumentException("vectorBits is " + vectorBits + "; 0, 128, 256 or 512 expected");
        }
        Objects.requireNonNull(kernels, "kernels");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(recurrentWeights, "recurrentWeights");
    }

    /** In fp32, the family of kernels left to the backend. */
    public BackendOptions(int threads, int vectorBits) {
        this(threads, vectorBits, KernelFamily.AUTO, ProductPrecision.FP32, WeightStorage.FP32);
    }

    public BackendOptions withThreads(int newThreads) {
        return new BackendOptions(newThreads, vectorBits, kernels, precision, recurrentWeights);
    }

    public BackendOptions withVectorBits(int newVectorBits) {
        return new BackendOptions(threads, newVectorBits, kernels, precision, recurrentWeights);
    }

    public BackendOptions withKernels(KernelFamily newKernels) {
        return new BackendOptions(threads, vectorBits, newKernels, precision, recurrentWeights);
    }

    public BackendOptions withPrecision(ProductPrecision newPrecision) {
        return new BackendOptions(threads, vectorBits, kernels, newPrecision, recurrentWeights);
    }

    public BackendOptions withRecurrentWeights(WeightStorage newRecurrentWeights) {
        return new BackendOptions(threads, vectorBits, kernels, precision, newRecurrentWeights);
    }
}
