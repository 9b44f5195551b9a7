// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for cuBLAS on the emulated device: the functions that the cuda backend calls, as plain loops, so that the
// calls themselves (JCublas2's, unmodified) can be tested: sizes, order of arguments, strides, streams, workspace.
//
// Stricter than cuBLAS where a careless caller would not notice: every operand must lie in one allocation, results must
// be the same on every run (so a workspace, and no atomics), and cublasSgemm does nothing but IEEE fp32.
//
// cublasGemmEx takes fp32 matrices and rounds every operand to the type that the compute type names, where cuBLAS may.
#include "library.h"
#include "tensor_core.h"

#include <math.h>
#include <set>
#include <stdio.h>
#include <string>

namespace {

// The statuses of cuBLAS, as many as are returned here.
enum Status : int {
    SUCCESS = 0,
    NOT_INITIALIZED = 1,
    INVALID_VALUE = 7,
    EXECUTION_FAILED = 13,
    NOT_SUPPORTED = 15,
};

constexpr int kTranspose = 1;
constexpr int kDefaultMath = 0;
constexpr int kPedanticMath = 2;
constexpr int kFp32 = 0;             // CUDA_R_32F
constexpr int kDefaultAlgorithm = -1; // CUBLAS_GEMM_DEFAULT

// cublasComputeType_t, as many as are done here; IEEE fp32 is that of cublasSgemm.
enum ComputeType : int {
    COMPUTE_32F = 68,
    COMPUTE_32F_FAST_16F = 74,
    COMPUTE_32F_FAST_16BF = 75,
    COMPUTE_32F_FAST_TF32 = 77,
};

struct Handle {
    void* stream = nullptr;
    uint64_t workspace = 0;
    size_t workspace_bytes = 0;
    int math_mode = 0;
    int atomics = 0;
};

std::set<Handle*>& handles() {
    static std::set<Handle*> live;
    return live;
}

// An operand as the tensor cores multiply it.
float rounded(ComputeType type, float value) {
    using namespace gru4j::emulator;
    switch (type) {
    case COMPUTE_32F_FAST_16F: return from_fp16(round_to_fp16(value));
    case COMPUTE_32F_FAST_16BF: return from_bf16(round_to_bf16(value));
    case COMPUTE_32F_FAST_TF32: return float_of(round_to_tf32(value));
    case COMPUTE_32F: break;
    }
    return value;
}

struct Product {
    const char* function;
    ComputeType compute_type;
    const float* a;
    const float* b;
    float* c;
    size_t lda, ldb, ldc;
    int m, n, k;
    bool transpose_a, transpose_b;
    float alpha, beta;
};

// Bytes of `columns` columns of `rows` floats, `stride` apart.
size_t matrix_bytes(int rows, int columns, size_t stride) {
    return (static_cast<size_t>(columns - 1) * stride + static_cast<size_t>(rows)) * sizeof(float);
}

// The name of a function's operand, for messages.
std::string operand(const char* function, const char* name) {
    return std::string(function) + ": " + name;
}

int use(const Product& p, const char* name, const float* matrix, int rows, int columns, size_t stride) {
    return gru4j_emulator_use(operand(p.function, name).c_str(), reinterpret_cast<uint64_t>(matrix),
                              matrix_bytes(rows, columns, stride));
}

// Column by column, as cuBLAS has it. C is not read where beta is 0: it may hold anything then.
void run(const void* arguments) {
    const Product& p = *static_cast<const Product*>(arguments);
    if (use(p, "A", p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.lda) != 0 ||
        use(p, "B", p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.ldb) != 0 ||
        use(p, "C", p.c, p.m, p.n, p.ldc) != 0) {
        return;
    }
    for (int j = 0; j < p.n; j++) {
        float* column = p.c + j * p.ldc;
        for (int i = 0; i < p.m; i++) {
            float sum = 0;
            for (int l = 0; l < p.k; l++) {
                float a = p.transpose_a ? p.a[i * p.lda + l] : p.a[l * p.lda + i];
                float b = p.transpose_b ? p.b[l * p.ldb + j] : p.b[j * p.ldb + l];
                sum = fmaf(rounded(p.compute_type, a), rounded(p.compute_type, b), sum);
            }
            column[i] = p.beta == 0 ? p.alpha * sum : fmaf(p.beta, column[i], p.alpha * sum);
        }
        gru4j_emulator_wrote(reinterpret_cast<uint64_t>(column), p.m * sizeof(float));
    }
}

// True if `columns` columns of `rows` floats, `stride` apart, lie in one allocation.
bool is_there(const Product& p, const char* name, const float* matrix, int rows, int columns, size_t stride) {
    return gru4j_emulator_check(operand(p.function, name).c_str(), reinterpret_cast<uint64_t>(matrix),
                                matrix_bytes(rows, columns, stride)) == 0;
}

// Checks a product and enqueues it, if the handle is set up as `math_mode` and the library's rules want it.
int enqueue(Handle* handle, int math_mode, const Product& p) {
    const auto refuse = [&p](Status status, const char* why) {
        fprintf(stderr, "gru4j emulator: %s: %s\n", p.function, why);
        return status;
    };
    if (handle->math_mode != math_mode || handle->atomics != 0 || handle->workspace_bytes == 0) {
        return refuse(NOT_SUPPORTED, math_mode == kPedanticMath ? "pedantic math, no atomics and a workspace expected"
                                                                : "default math, no atomics and a workspace expected");
    }
    if (gru4j_emulator_check(operand(p.function, "the workspace").c_str(), handle->workspace,
                             handle->workspace_bytes) != 0) {
        return EXECUTION_FAILED;
    }
    const size_t rows_a = size_t(p.transpose_a ? p.k : p.m), rows_b = size_t(p.transpose_b ? p.n : p.k);
    if (p.m <= 0 || p.n <= 0 || p.k <= 0 || p.lda < rows_a || p.ldb < rows_b || p.ldc < size_t(p.m)) {
        return refuse(INVALID_VALUE, "sizes that are not positive, or strides less than a column");
    }
    if (!is_there(p, "A", p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.lda) ||
        !is_there(p, "B", p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.ldb) ||
        !is_there(p, "C", p.c, p.m, p.n, p.ldc)) {
        return INVALID_VALUE;
    }
    return gru4j_emulator_enqueue(p.function, handle->stream, run, &p, sizeof p) == 0 ? SUCCESS : EXECUTION_FAILED;
}

} // namespace

// Opens every function; a handle that was destroyed, or that is none, is NOT_INITIALIZED, as with cuBLAS.
#define GRU4J_CUBLAS_CALL(function, handle)                                                                            \
    if (int code = gru4j_emulator_begin(#function)) {                                                                  \
        return code;                                                                                                   \
    }                                                                                                                  \
    if (handles().count(handle) == 0) {                                                                                \
        return NOT_INITIALIZED;                                                                                        \
    }

// By this name a stand-in is told from cuBLAS.
GRU4J_EXPORT const int gru4j_cublas_stand_in = 1;

GRU4J_EXPORT int cublasCreate_v2(Handle** handle) {
    if (int code = gru4j_emulator_begin("cublasCreate_v2")) {
        return code;
    }
    *handle = *handles().insert(new Handle).first;
    return SUCCESS;
}

GRU4J_EXPORT int cublasDestroy_v2(Handle* handle) {
    GRU4J_CUBLAS_CALL(cublasDestroy_v2, handle)
    gru4j_emulator_synchronize("cublasDestroy"); // as cuBLAS does
    handles().erase(handle);
    delete handle;
    return SUCCESS;
}

GRU4J_EXPORT int cublasGetVersion_v2(Handle* handle, int* version) {
    GRU4J_CUBLAS_CALL(cublasGetVersion_v2, handle)
    *version = GRU4J_CUBLAS_VERSION;
    return SUCCESS;
}

GRU4J_EXPORT int cublasSetStream_v2(Handle* handle, void* stream) {
    GRU4J_CUBLAS_CALL(cublasSetStream_v2, handle)
    handle->stream = stream;
    handle->workspace_bytes = 0; // back to cuBLAS's own
    return SUCCESS;
}

GRU4J_EXPORT int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
    GRU4J_CUBLAS_CALL(cublasSetWorkspace_v2, handle)
    if (gru4j_emulator_check("cublasSetWorkspace", reinterpret_cast<uint64_t>(workspace), bytes) != 0 ||
        reinterpret_cast<uint64_t>(workspace) % 256 != 0) {
        return INVALID_VALUE;
    }
    handle->workspace = reinterpret_cast<uint64_t>(workspace);
    handle->workspace_bytes = bytes;
    return SUCCESS;
}

GRU4J_EXPORT int cublasSetMathMode(Handle* handle, int mode) {
    GRU4J_CUBLAS_CALL(cublasSetMathMode, handle)
    handle->math_mode = mode;
    return SUCCESS;
}

GRU4J_EXPORT int cublasSetAtomicsMode(Handle* handle, int mode) {
    GRU4J_CUBLAS_CALL(cublasSetAtomicsMode, handle)
    handle->atomics = mode;
    return SUCCESS;
}

GRU4J_EXPORT int cublasSgemm_v2(Handle* handle, int operation_a, int operation_b, int m, int n, int k,
                                const float* alpha, const float* a, int lda, const float* b, int ldb,
                                const float* beta, float* c, int ldc) {
    GRU4J_CUBLAS_CALL(cublasSgemm_v2, handle)
    return enqueue(handle, kPedanticMath,
                   {"cublasSgemm", COMPUTE_32F, a, b, c, size_t(lda), size_t(ldb), size_t(ldc), m, n, k,
                    operation_a == kTranspose, operation_b == kTranspose, *alpha, *beta});
}

GRU4J_EXPORT int cublasGemmEx(Handle* handle, int operation_a, int operation_b, int m, int n, int k, const void* alpha,
                              const void* a, int type_a, int lda, const void* b, int type_b, int ldb, const void* beta,
                              void* c, int type_c, int ldc, int compute_type, int algorithm) {
    GRU4J_CUBLAS_CALL(cublasGemmEx, handle)
    if (type_a != kFp32 || type_b != kFp32 || type_c != kFp32 || algorithm != kDefaultAlgorithm ||
        (compute_type != COMPUTE_32F_FAST_16F && compute_type != COMPUTE_32F_FAST_16BF &&
         compute_type != COMPUTE_32F_FAST_TF32)) {
        fprintf(stderr, "gru4j emulator: cublasGemmEx: fp32 matrices, the default algorithm and a fast compute type "
                        "expected\n");
        return NOT_SUPPORTED;
    }
    return enqueue(handle, kDefaultMath,
                   {"cublasGemmEx", static_cast<ComputeType>(compute_type), static_cast<const float*>(a),
                    static_cast<const float*>(b), static_cast<float*>(c), size_t(lda), size_t(ldb), size_t(ldc), m, n,
                    k, operation_a == kTranspose, operation_b == kTranspose, *static_cast<const float*>(alpha),
                    *static_cast<const float*>(beta)});
}
