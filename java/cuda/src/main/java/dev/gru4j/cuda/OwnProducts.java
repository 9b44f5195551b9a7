package dev.gru4j.cuda;

import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.cuda.driver.CudaDriver;

/**
 * No library: every product is left to the kernels of {@code cuda/gru_gemm.cu}, which need nothing but the driver.
 *
 * @param reason why there is none
 */
record OwnProducts(String reason) implements Products {
    @Override
    public boolean multiply(
            Form form, int m, int n, int k, long a, long lda, long b, long ldb, boolean accumulate, long c, long ldc) {
        return false;
    }

    @Override
    public void openSide() {
        // A kernel is launched on whichever stream is the current one.
    }

    @Override
    public String description() {
        return "large products by own kernels (" + reason + ")";
    }

    @Override
    public int close() {
        return CudaDriver.SUCCESS;
    }
}
