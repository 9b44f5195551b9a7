package dev.gru4j.cuda.driver;

import dev.gru4j.backend.ProductPrecision;

/**
 * The calls of cuBLAS that the backend makes, with one handle. Every one of them
 * returns cuBLAS's {@code cublasStatus_t}, 0 for success.
 *
 * <p>Not thread-safe. All calls need the driver's context to be current on the thread.
 */
public interface Cublas {
    /** {@code CUBLAS_STATUS_SUCCESS}. */
    int SUCCESS = 0;

    /** cuBLAS's name for a status, such as {@code CUBLAS_STATUS_ARCH_MISMATCH}. */
    String statusName(int status);

    int create();

    int destroy();

    /** 10000·major + 100·minor + patch. */
    int version(int[] version);

    /** Lets the handle work on one of the driver's streams. */
    int useStream(int stream);

    /** Device memory to work in, instead of cuBLAS's own; to be given after {@link #useStream}, which takes it back. */
    int useWorkspace(long address, long bytes);

    /**
     * For {@link #sgemm}: IEEE fp32 in every phase, no TF32, no split into smaller types, whatever the device prefers.
     * {@link #gemm} says itself what it computes in, and wants the handle as it is made.
     */
    int usePedanticMath();

    /** No sum whose order is left to chance. */
    int forbidAtomics();

    /**
     * Enqueues C = op(A)·op(B), or C += it, all column by column: op(A) is (m,k), op(B) (k,n), C (m,n), and lda,
     * ldb, ldc are floats from one column to the next.
     */
    int sgemm(
            boolean transposeA, boolean transposeB, int m, int n, int k, long a, int lda, long b, int ldb,
            boolean accumulate, long c, int ldc);

    /**
     * {@link #sgemm} on tensor cores: matrices in memory are fp32, the library rounds what it multiplies to
     * {@code precision}, sums are fp32. Not for 3xtf32, which cuBLAS does not have.
     *
     * @throws IllegalArgumentException if cuBLAS has no such product
     */
    int gemm(
            ProductPrecision precision, boolean transposeA, boolean transposeB, int m, int n, int k, long a, int lda,
            long b, int ldb, boolean accumulate, long c, int ldc);
}
