package dev.gru4j.cuda;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.cuda.driver.Cublas;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;

/**
 * Products by cuBLAS, in the session's precision: in IEEE fp32 by cublasSgemm, in tf32, bf16 and fp16 by cublasGemmEx,
 * which reads fp32, rounds what it multiplies and adds in fp32.
 *
 * <p>The same bits on every run: one handle that changes between the session's streams, a workspace for each of them
 * (shared, they would disturb each other), no atomics, and for fp32 pedantic math, which keeps TF32 and sums of
 * smaller types out whatever the device prefers. Which kernel cuBLAS takes is its own choice, so bits may differ between
 * kinds of GPU and between versions of cuBLAS, other than those of our kernels.
 */
final class CublasProducts implements Products {
    /** What NVIDIA recommends from compute capability 9.0 on, and before; less makes some products slower. */
    private static final long WORKSPACE_BYTES_SM_90 = 32L << 20;

    private static final long WORKSPACE_BYTES = 4L << 20;

    private static final int NO_STREAM = -1;

    private final CudaSession session;
    private final Cublas cublas;
    private final String description;

    /** For messages. */
    private final String function;

    private final long workspace;

    /** 0 until somebody needs the side stream. */
    private long sideWorkspace;

    /** The handle's stream. */
    private int stream;

    private CublasProducts(CudaSession session, Cublas cublas, long workspace, String description) {
        this.session = session;
        this.cublas = cublas;
        this.workspace = workspace;
        this.stream = session.streams().main();
        this.description = description;
        this.function = session.precision() == ProductPrecision.FP32
                ? "cublasSgemm"
                : "cublasGemmEx in " + session.precision();
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
                    status = cublas.useStream(session.streams().main());
                }
                if (status == Cublas.SUCCESS) {
                    workspace = session.allocate(workspaceBytes(session));
                    status = cublas.useWorkspace(workspace, workspaceBytes(session));
                }
                if (status == Cublas.SUCCESS) {
                    status = cublas.forbidAtomics();
                }
                if (status == Cublas.SUCCESS && session.precision() == ProductPrecision.FP32) {
                    status = cublas.usePedanticMath();
                }
                complete = status == Cublas.SUCCESS;
                return complete
                        ? new CublasProducts(
                                session, cublas, workspace, "large products by " + library.description(version[0]))
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

    private static long workspaceBytes(CudaSession session) {
        return session.device().capability() >= 90 ? WORKSPACE_BYTES_SM_90 : WORKSPACE_BYTES;
    }

    private static Products refused(String what, Cublas cublas, int status, CublasLibrary library) {
        return new OwnProducts(what + " with " + library.path() + " answers " + cublas.statusName(status));
    }

    @Override
    public void openSide() {
        if (sideWorkspace == 0) {
            sideWorkspace = session.allocate(workspaceBytes(session));
        }
    }

    /** Lets the handle follow the session to its current stream. */
    private void followStream() {
        int current = session.streams().current();
        if (stream != current) {
            stream = NO_STREAM; // until both calls have succeeded
            check("cublasSetStream", cublas.useStream(current));
            long address = session.streams().isOnSide() ? sideWorkspace : workspace;
            check("cublasSetWorkspace", cublas.useWorkspace(address, workspaceBytes(session)));
            stream = current;
        }
    }

    /** Row by row is column by column of the transposed matrices: Cᵀ(n,m) = Bᵀ·Aᵀ, so A and B change places. */
    @Override
    public boolean multiply(
            Form form, int m, int n, int k, long a, long lda, long b, long ldb, boolean accumulate, long c, long ldc) {
        if (Math.max(Math.max(lda, ldb), ldc) > Integer.MAX_VALUE) {
            return false;
        }
        followStream();
        boolean transposeB = form == Form.NT;
        boolean transposeA = form == Form.TN;
        ProductPrecision precision = session.precision();
        int status = precision == ProductPrecision.FP32
                ? cublas.sgemm(
                        transposeB, transposeA, n, m, k, b, (int) ldb, a, (int) lda, accumulate, c, (int) ldc)
                : cublas.gemm(
                        precision, transposeB, transposeA, n, m, k, b, (int) ldb, a, (int) lda, accumulate, c,
                        (int) ldc);
        if (status != Cublas.SUCCESS) {
            throw failure(function + ": a product " + form + " with m = " + m + ", n = " + n + ", k = " + k, status);
        }
        session.recorder().note(function);
        return true;
    }

    private void check(String what, int status) {
        if (status != Cublas.SUCCESS) {
            throw failure(what, status);
        }
    }

    private CudaException failure(String what, int status) {
        return new CudaException(status, what + ": " + cublas.statusName(status) + " on " + session.device().name());
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
