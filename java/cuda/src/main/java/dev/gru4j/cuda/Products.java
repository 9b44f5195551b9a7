package dev.gru4j.cuda;

import dev.gru4j.cuda.CudaProduct.Form;

/** A library for the large products of a session: projections of whole sequences, gradients of weights, dense layers. */
sealed interface Products permits OwnProducts, CublasProducts {
    /**
     * Enqueues C = A·B in one of the forms of {@link CudaProduct}, or C += it; m, n, k &gt; 0, strides in floats from
     * one row to the next, on the session's current stream. To be called by a thread that has entered the session.
     *
     * @return false if the library cannot, and nothing was enqueued
     */
    boolean multiply(
            Form form, int m, int n, int k, long a, long lda, long b, long ldb, boolean accumulate, long c, long ldc);

    /** Makes ready for products of the side stream; to be called by a thread that has entered the session. */
    void openSide();

    /** Who it is, and why: {@code large products by …}. */
    String description();

    /** Releases everything of the library but device memory, by a thread that has entered; returns a driver's code. */
    int close();
}
