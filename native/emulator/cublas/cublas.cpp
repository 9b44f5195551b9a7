// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for cuBLAS on the emulated device: the functions that the cuda backend calls, as plain loops, so that the
// calls themselves (JCublas2's, unmodified) can be tested: sizes, order of arguments, strides, streams, workspace.
//
// Stricter than cuBLAS where a careless caller would not notice: every operand must lie in one allocation, results must
// be the same on every run (so a workspace, and no atomics), and only IEEE fp32 is done.
#include "library.h"

#include <math.h>
#include <set>
#include <stdio.h>

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
constexpr int kPedanticMath = 2;

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

int refuse(Status status, const char* why) {
    fprintf(stderr, "gru4j emulator: cublasSgemm: %s\n", why);
    return status;
}

struct Product {
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

int use(const char* what, const float* matrix, int rows, int columns, size_t stride) {
    return gru4j_emulator_use(what, reinterpret_cast<uint64_t>(matrix), matrix_bytes(rows, columns, stride));
}

// Column by column, as cuBLAS has it. C is not read where beta is 0: it may hold anything then.
void run(const void* arguments) {
    const Product& p = *static_cast<const Product*>(arguments);
    if (use("cublasSgemm: A", p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.lda) != 0 ||
        use("cublasSgemm: B", p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.ldb) != 0 ||
        use("cublasSgemm: C", p.c, p.m, p.n, p.ldc) != 0) {
        return;
    }
    for (int j = 0; j < p.n; j++) {
        float* column = p.c + j * p.ldc;
        for (int i = 0; i < p.m; i++) {
            float sum = 0;
            for (int l = 0; l < p.k; l++) {
                float a = p.transpose_a ? p.a[i * p.lda + l] : p.a[l * p.lda + i];
                float b = p.transpose_b ? p.b[l * p.ldb + j] : p.b[j * p.ldb + l];
                sum = fmaf(a, b, sum);
            }
            column[i] = p.beta == 0 ? p.alpha * sum : fmaf(p.beta, column[i], p.alpha * sum);
        }
        gru4j_emulator_wrote(reinterpret_cast<uint64_t>(column), p.m * sizeof(float));
    }
}

// True if `columns` columns of `rows` floats, `stride` apart, lie in one allocation.
bool is_there(const char* what, const float* matrix, int rows, int columns, int stride) {
    size_t bytes = matrix_bytes(rows, columns, static_cast<size_t>(stride));
    return gru4j_emulator_check(what, reinterpret_cast<uint64_t>(matrix), bytes) == 0;
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
    if (handle->math_mode != kPedanticMath || handle->atomics != 0 || handle->workspace_bytes == 0) {
        return refuse(NOT_SUPPORTED, "pedantic math, no atomics and a workspace expected");
    }
    if (gru4j_emulator_check("cublasSgemm: the workspace", handle->workspace, handle->workspace_bytes) != 0) {
        return EXECUTION_FAILED;
    }
    bool transpose_a = operation_a == kTranspose, transpose_b = operation_b == kTranspose;
    int rows_a = transpose_a ? k : m, rows_b = transpose_b ? n : k;
    if (m <= 0 || n <= 0 || k <= 0 || lda < rows_a || ldb < rows_b || ldc < m) {
        return refuse(INVALID_VALUE, "sizes that are not positive, or strides less than a column");
    }
    if (!is_there("cublasSgemm: A", a, rows_a, transpose_a ? m : k, lda) ||
        !is_there("cublasSgemm: B", b, rows_b, transpose_b ? k : n, ldb) ||
        !is_there("cublasSgemm: C", c, m, n, ldc)) {
        return INVALID_VALUE;
    }
    Product product{a, b, c, size_t(lda), size_t(ldb), size_t(ldc), m, n, k, transpose_a, transpose_b, *alpha, *beta};
    return gru4j_emulator_enqueue("cublasSgemm", handle->stream, run, &product, sizeof product) == 0 ? SUCCESS
                                                                                                  : EXECUTION_FAILED;
}
