package dev.gru4j.cuda;

/** The CUDA driver refused or failed: what was asked, the driver's own name for the error, and the limits around it. */
public final class CudaException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /** The driver's {@code CUresult}, or cuBLAS's {@code cublasStatus_t} where the message names a function of it. */
    private final int code;

    CudaException(int code, String message) {
        super(message);
        this.code = code;
    }

    /** The driver's {@code CUresult}, or cuBLAS's {@code cublasStatus_t} where the message names a function of it. */
    public int code() {
        return code;
    }
}
