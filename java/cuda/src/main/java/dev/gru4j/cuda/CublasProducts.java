package dev.gru4j.cuda;

import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.cuda.driver.Cublas;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;

/**
 * Products by cuBLAS, in IEEE fp32.
 *
 * <p>The same bits on every run: one handle on the session's one stream, a workspace of its own (cuBLAS's shared
 * one would let streams disturb each other), no atomics, and pedantic math, which keeps TF32 and sums of smaller
 * types out whatever the device prefers. Which kernel cuBLAS takes is its own choice, so bits may differ between
 * kinds of GPU and between versions of cuBLAS, other than those of our kernels.
 */
final class CublasProducts implements Products {
    /** What NVIDIA recommends from compute capability 9.0 on, and before; less makes some products slower. */
    private static final long WORKSPACE_BYTES_SM_90 = 32L << 20;

    private static final long WORKSPACE_BYTES = 4L << 20;

    private final CudaSession session;
    private final Cublas cublas;
    private final String description;

    private CublasProducts(CudaSession session, Cublas cublas, String description) {
        this.session = session;
        this.cublas = cublas;
        this.description = description;
    }

    /** The library's products, or own kernels with the reason where cuBLAS does not work on this device. */
    static Products open(CudaSession session, CudaDriver driver, CublasLibrary library) {
        session.enter();
        try {
            Cublas cublas = JCudaLoader.loadCublas(driver);
            int status = cublas.create();
            if (status != Cublas.SUCCESS) {
                return refused("cublasCreate", cublas, status, library);
            }
            boolean complete = false;
            long workspace = 0;
            try {
                int[] version = new int[1];
                status = cublas.version(version);
                if (status == Cublas.SUCCESS) {
                    status = cublas.useStream(session.stream());
                }
                if (status == Cublas.SUCCESS) {
                    long bytes = session.device().capability() >= 90 ? WORKSPACE_BYTES_SM_90 : WORKSPACE_BYTES;
                    workspace = session.allocate(bytes);
                    status = cublas.useWorkspace(workspace, bytes);
                }
                if (status == Cublas.SUCCESS) {
                    status = cublas.forbidAtomics();
                }
                if (status == Cublas.SUCCESS) {
                    status = cublas.usePedanticMath();
                }
                complete = status == Cublas.SUCCESS;
                return complete
                        ? new CublasProducts(session, cublas, "large products by " + library.description(version[0]))
                        : refused("setting cuBLAS up", cublas, status, library);
            } finally {
                if (!complete) {
                    cublas.destroy();
                    if (workspace != 0) {
                        session.free(workspace);
                    }
                }
            }
        } catch (LinkageError e) {
            return new OwnProducts(library.path() + " does not suit JCublas2: " + e.getMessage());
        } finally {
            session.leave();
        }
    }

    private static Products refused(String what, Cublas cublas, int status, CublasLibrary library) {
        return new OwnProducts(what + " with " + library.path() + " answers " + cublas.statusName(status));
    }

    /** Row by row is column by column of the transposed matrices: Cᵀ(n,m) = Bᵀ·Aᵀ, so A and B change places. */
    @Override
    public boolean multiply(
            Form form, int m, int n, int k, long a, long lda, long b, long ldb, boolean accumulate, long c, long ldc) {
        if (Math.max(Math.max(lda, ldb), ldc) > Integer.MAX_VALUE) {
            return false;
        }
        int status = cublas.sgemm(
                form == Form.NT, form == Form.TN, n, m, k, b, (int) ldb, a, (int) lda, accumulate, c, (int) ldc);
        if (status != Cublas.SUCCESS) {
            throw new CudaException(
                    status,
                    "cublasSgemm: a product " + form + " with m = " + m + ", n = " + n + ", k = " + k + ": "
                            + cublas.statusName(status) + " on " + session.device().name());
        }
        return true;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int close() {
        // A status of cuBLAS's is not a code of the driver's; what went wrong on the device, the driver tells as well.
        return cublas.destroy() == Cublas.SUCCESS ? CudaDriver.SUCCESS : CudaDriver.UNKNOWN;
    }
}
