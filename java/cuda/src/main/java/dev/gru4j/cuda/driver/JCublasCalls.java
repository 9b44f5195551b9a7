package dev.gru4j.cuda.driver;

import static jcuda.jcublas.JCublas2.*;

import dev.gru4j.backend.ProductPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.LogLevel;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUdeviceptr;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasAtomicsMode;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/** {@link Cublas} on JCublas2. Its native library finds the cuBLAS that was loaded before under the name libcublas.so.12. */
final class JCublasCalls implements Cublas {
    private static final CUdeviceptr ZERO_ADDRESS = new CUdeviceptr();

    private final cublasHandle handle = new cublasHandle();
    private final JCudaDriverCalls driver;

    /** Factors in host memory, which a handle reads unless told otherwise. */
    private final Pointer zero = factor(0);

    private final Pointer one = factor(1);

    JCublasCalls(JCudaDriverCalls driver) {
        JCublas2.setLogLevel(LogLevel.LOG_QUIET); // every status is reported by its caller
        this.driver = driver;
    }

    private static Pointer factor(float value) {
        return Pointer.to(ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, value));
    }

    @Override
    public String statusName(int status) {
        // Not cublasGetStatusName: an older cuBLAS does not have it.
        return cublasStatus.stringFor(status);
    }

    @Override
    public int create() {
        return cublasCreate(handle);
    }

    @Override
    public int destroy() {
        return cublasDestroy(handle);
    }

    @Override
    public int version(int[] version) {
        return cublasGetVersion(handle, version);
    }

    @Override
    public int useStream(int stream) {
        return cublasSetStream(handle, new cudaStream_t(driver.stream(stream)));
    }

    @Override
    public int useWorkspace(long address, long bytes) {
        return cublasSetWorkspace(handle, device(address), bytes);
    }

    @Override
    public int usePedanticMath() {
        return cublasSetMathMode(handle, cublasMath.CUBLAS_PEDANTIC_MATH);
    }

    @Override
    public int forbidAtomics() {
        return cublasSetAtomicsMode(handle, cublasAtomicsMode.CUBLAS_ATOMICS_NOT_ALLOWED);
    }

    @Override
    public int sgemm(
            boolean transposeA, boolean transposeB, int m, int n, int k, long a, int lda, long b, int ldb,
            boolean accumulate, long c, int ldc) {
        return cublasSgemm(
                handle,
                operation(transposeA),
                operation(transposeB),
                m,
                n,
                k,
                one,
                device(a),
                lda,
                device(b),
                ldb,
                accumulate ? one : zero,
                device(c),
                ldc);
    }

    /** Not cublasGemmEx, whose native function JCublas2's library does not export under the name that the JVM looks for. */
    @Override
    public int gemm(
            ProductPrecision precision, boolean transposeA, boolean transposeB, int m, int n, int k, long a, int lda,
            long b, int ldb, boolean accumulate, long c, int ldc) {
        return cublasGemmEx_new(
                handle,
                operation(transposeA),
                operation(transposeB),
                m,
                n,
                k,
                one,
                device(a),
                cudaDataType.CUDA_R_32F,
                lda,
                device(b),
                cudaDataType.CUDA_R_32F,
                ldb,
                accumulate ? one : zero,
                device(c),
                cudaDataType.CUDA_R_32F,
                ldc,
                computeType(precision),
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
    }

    private static int computeType(ProductPrecision precision) {
        return switch (precision) {
            case TF32 -> cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32;
            case BF16 -> cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16BF;
            case FP16 -> cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16F;
            case FP32, TF32X3 -> throw new IllegalArgumentException(
                    "a product of cuBLAS's in " + precision + "; tf32, bf16 or fp16 expected");
        };
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    private static CUdeviceptr device(long address) {
        return ZERO_ADDRESS.withByteOffset(address);
    }
}
