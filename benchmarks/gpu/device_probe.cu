// SPDX-License-Identifier: Apache-2.0
//
// What a GPU does, measured: the questions that the design of the kernels leaves to the device. Needs nvcc 12.8 or newer
// and one GPU, nothing of gru4j.
//
//   nvcc -std=c++17 -O3 -arch=native -o device_probe benchmarks/gpu/device_probe.cu && ./device_probe [KERNELS.ptx|KERNELS.cubin …]
//
// Prints lines `measure<TAB>kind=fact<TAB>name=…<TAB>value=…<TAB>unit=…` for benchmarks' RunReport, and as its last line
// how many probes passed, failed and were skipped. The files are loaded, as proof that this driver takes them.
// Times are medians of several runs, after a warm-up, by events.
#include <cooperative_groups.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cg = cooperative_groups;

namespace {

void check(cudaError_t code, const char* what) {
    if (code != cudaSuccess) {
        cudaGetLastError();
        throw std::runtime_error(std::string(what) + ": " + cudaGetErrorName(code));
    }
}
#define CHECK(call) check(call, #call)

void fact(const std::string& name, const std::string& value, const char* unit) {
    std::printf("measure\tkind=fact\tname=%s\tvalue=%s\tunit=%s\n", name.c_str(), value.c_str(), unit);
    std::fflush(stdout);
}

void fact(const std::string& name, double value, const char* unit) {
    char text[32];
    std::snprintf(text, sizeof text, std::fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
    fact(name, text, unit);
}

cudaDeviceProp device;
cudaStream_t stream;

/// Median of seven timed runs of `work`, in microseconds.
double microseconds(const std::function<void()>& work) {
    cudaEvent_t start, stop;
    CHECK(cudaEventCreate(&start));
    CHECK(cudaEventCreate(&stop));
    std::vector<float> times;
    for (int run = 0; run < 9; run++) {
        CHECK(cudaEventRecord(start, stream));
        work();
        CHECK(cudaEventRecord(stop, stream));
        CHECK(cudaEventSynchronize(stop));
        float milliseconds = 0;
        CHECK(cudaEventElapsedTime(&milliseconds, start, stop));
        if (run >= 2) {
            times.push_back(milliseconds);
        }
    }
    CHECK(cudaEventDestroy(start));
    CHECK(cudaEventDestroy(stop));
    std::sort(times.begin(), times.end());
    return 1e3 * times[times.size() / 2];
}

template <typename T> struct DeviceArray {
    T* data = nullptr;
    explicit DeviceArray(size_t n) {
        CHECK(cudaMalloc(&data, n * sizeof(T)));
        CHECK(cudaMemset(data, 0, n * sizeof(T)));
        // The default stream's work and the other stream's are not ordered otherwise.
        CHECK(cudaDeviceSynchronize());
    }
    ~DeviceArray() { cudaFree(data); }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;
};

// ---- launches ------------------------------------------------------------------------------------------------------

__global__ void nothing(int*) {}

void launches() {
    constexpr int n = 1000;
    fact("launch, back to back", microseconds([&] {
             for (int i = 0; i < n; i++) nothing<<<1, 32, 0, stream>>>(nullptr);
         }) / n, "us");
    fact("launch and wait", microseconds([&] {
             for (int i = 0; i < 100; i++) {
                 nothing<<<1, 32, 0, stream>>>(nullptr);
                 CHECK(cudaStreamSynchronize(stream));
             }
         }) / 100, "us");
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < n; i++) nothing<<<1, 32, 0, stream>>>(nullptr);
    CHECK(cudaStreamEndCapture(stream, &graph));
    CHECK(cudaGraphInstantiate(&executable, graph, 0));
    fact("kernel of a graph", microseconds([&] { CHECK(cudaGraphLaunch(executable, stream)); }) / n, "us");
    CHECK(cudaGraphExecDestroy(executable));
    CHECK(cudaGraphDestroy(graph));
}

// ---- barriers of the grid ------------------------------------------------------------------------------------------

constexpr int kBarriers = 1000;

__global__ void grid_barrier(unsigned*, int) {
    cg::grid_group grid = cg::this_grid();
    for (int i = 0; i < kBarriers; i++) grid.sync();
}

__device__ unsigned load_acquire(const unsigned* flag) {
    unsigned value;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(flag) : "memory");
    return value;
}

/// Every block adds one to the flag and waits until all have; `pollers` warps of a block poll, one lane each.
__global__ void flag_barrier(unsigned* flag, int pollers) {
    for (unsigned i = 1; i <= kBarriers; i++) {
        __syncthreads();
        if (threadIdx.x == 0) {
            asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(flag) : "memory");
        }
        if (threadIdx.x % 32 == 0 && threadIdx.x / 32 < static_cast<unsigned>(pollers)) {
            while (load_acquire(flag) < i * gridDim.x) {}
        }
        if (pollers == 1) __syncthreads(); else __syncwarp();
    }
}

void cooperative(const void* kernel, int blocks, int threads, unsigned* flag, int pollers) {
    void* arguments[] = {&flag, &pollers};
    CHECK(cudaMemsetAsync(flag, 0, sizeof *flag, stream));
    CHECK(cudaLaunchCooperativeKernel(kernel, dim3(blocks), dim3(threads), arguments, 0, stream));
}

void barriers() {
    DeviceArray<unsigned> flag(1);
    std::vector<int> counts = {32, 64};
    if (device.multiProcessorCount >= 128) counts.push_back(128);
    counts.push_back(device.multiProcessorCount);
    for (int blocks : counts) {
        const std::string among = " among " + std::to_string(blocks) + " blocks";
        if (blocks > device.multiProcessorCount) continue;
        fact("grid.sync()" + among,
             microseconds([&] { cooperative((const void*)grid_barrier, blocks, 256, flag.data, 1); }) / kBarriers, "us");
        for (int pollers : {1, 8}) {
            fact("flag barrier" + among + ", " + std::to_string(pollers) + " polling",
                 microseconds([&] { cooperative((const void*)flag_barrier, blocks, 256, flag.data, pollers); }) / kBarriers,
                 "us");
        }
    }
}

void cooperative_capture() {
    DeviceArray<unsigned> flag(1);
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    cooperative((const void*)flag_barrier, 32, 256, flag.data, 1);
    CHECK(cudaStreamEndCapture(stream, &graph));
    CHECK(cudaGraphInstantiate(&executable, graph, 0));
    CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaStreamSynchronize(stream));
    CHECK(cudaGraphExecDestroy(executable));
    CHECK(cudaGraphDestroy(graph));
    fact("capture of a cooperative launch", "works", "");
}

// ---- clusters ------------------------------------------------------------------------------------------------------

__global__ void cluster_barrier(unsigned*, int) {
#if __CUDA_ARCH__ >= 900
    cg::cluster_group cluster = cg::this_cluster();
    for (int i = 0; i < kBarriers; i++) cluster.sync();
#endif
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define CLUSTER_OF_8 __cluster_dims__(8, 1, 1)
#else
#define CLUSTER_OF_8
#endif

__global__ void CLUSTER_OF_8 cluster_of_8(unsigned*, int) {
#if __CUDA_ARCH__ >= 900
    cg::this_cluster().sync();
    cg::this_grid().sync();
#endif
}

void clusters() {
    CHECK(cudaFuncSetAttribute(cluster_barrier, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
    DeviceArray<unsigned> flag(1);
    for (unsigned size : {2u, 4u, 8u, 16u}) {
        cudaLaunchAttribute attribute = {};
        attribute.id = cudaLaunchAttributeClusterDimension;
        attribute.val.clusterDim.x = size;
        attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
        cudaLaunchConfig_t launch = {};
        launch.gridDim = dim3(size);
        launch.blockDim = dim3(256);
        launch.stream = stream;
        launch.attrs = &attribute;
        launch.numAttrs = 1;
        int active = 0;
        CHECK(cudaOccupancyMaxActiveClusters(&active, cluster_barrier, &launch));
        const std::string of = "cluster of " + std::to_string(size);
        fact(of + ", clusters at once", active, "");
        fact(of + ", barrier",
             microseconds([&] { CHECK(cudaLaunchKernelEx(&launch, cluster_barrier, flag.data, 1)); }) / kBarriers, "us");
    }
}

void cooperative_clusters() {
    DeviceArray<unsigned> flag(1);
    cooperative((const void*)cluster_of_8, 64, 256, flag.data, 1);
    CHECK(cudaStreamSynchronize(stream));
    fact("cooperative launch with compile-time clusters", "works", "");
}

// ---- memory --------------------------------------------------------------------------------------------------------

/// Every block reads `n` vectors, `rounds` times: its own share of them, or all of them.
__global__ void read_all(const float4* data, size_t n, int rounds, bool shared, float* out) {
    const size_t first = shared ? threadIdx.x : blockIdx.x * size_t{blockDim.x} + threadIdx.x;
    const size_t stride = shared ? blockDim.x : gridDim.x * size_t{blockDim.x};
    float sum = 0;
    for (int round = 0; round < rounds; round++) {
#pragma unroll 8
        for (size_t i = first; i < n; i += stride) {
            // Past the first-level cache: that is the question.
            const float4 v = __ldcg(data + i);
            sum += v.x + v.y + v.z + v.w;
        }
    }
    if (sum == 12345.678f) *out = sum;
}

void memory() {
    const size_t gigabyte = size_t{1} << 30;
    DeviceArray<float4> from(gigabyte / sizeof(float4)), to(gigabyte / sizeof(float4));
    DeviceArray<float> out(1);
    CHECK(cudaMemset(from.data, 0x3c, gigabyte));
    CHECK(cudaDeviceSynchronize());
    const double copy = microseconds([&] {
        CHECK(cudaMemcpyAsync(to.data, from.data, gigabyte, cudaMemcpyDeviceToDevice, stream));
    });
    fact("HBM, copy, read and written", 2e-6 * gigabyte / copy, "TB/s");
    const int blocks = 8 * device.multiProcessorCount;
    const double read = microseconds([&] {
        read_all<<<blocks, 256, 0, stream>>>(from.data, gigabyte / sizeof(float4), 1, false, out.data);
    });
    fact("HBM, read", 1e-6 * gigabyte / read, "TB/s");
    const size_t cached = size_t{16} << 20;
    const double l2 = microseconds([&] {
        read_all<<<blocks, 256, 0, stream>>>(from.data, cached / sizeof(float4), 32, false, out.data);
    });
    fact("L2, 16 MiB, each byte by one block", 32e-6 * cached / l2, "TB/s");
    for (size_t bytes : {size_t{32} << 10, size_t{128} << 10, size_t{1} << 20}) {
        const double broadcast = microseconds([&] {
            read_all<<<device.multiProcessorCount, 512, 0, stream>>>(from.data, bytes / sizeof(float4), 64, true, out.data);
        });
        fact("L2, " + std::to_string(bytes >> 10) + " KiB, all of it by every multiprocessor",
             64e-6 * bytes * device.multiProcessorCount / broadcast, "TB/s");
    }
    CHECK(cudaGetLastError());
}

// ---- arithmetic ----------------------------------------------------------------------------------------------------

__global__ void fma_peak(float a, float b, int rounds, float* out) {
    float sum[8];
    for (int i = 0; i < 8; i++) sum[i] = a * i;
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++) sum[i] = fmaf(sum[i], b, a);
    }
    float total = 0;
    for (int i = 0; i < 8; i++) total += sum[i];
    if (total == 12345.678f) *out = total;
}

__device__ void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

__device__ void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

template <bool kBf16> __global__ void mma_peak(uint32_t seed, int rounds, float* out) {
    float d[8][4] = {};
    uint32_t a[4], b[2];
    // Bits of small numbers of both formats.
    for (int i = 0; i < 4; i++) a[i] = 0x3f803f80u + ((seed + threadIdx.x * 4 + i) & 0x000f000fu);
    for (int i = 0; i < 2; i++) b[i] = 0x3f803f80u + ((seed + threadIdx.x * 2 + i) & 0x000f000fu);
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            if (kBf16) mma_bf16(d[i], a, b); else mma_tf32(d[i], a, b);
        }
    }
    float total = 0;
    for (auto& tile : d) for (float v : tile) total += v;
    if (total == 12345.678f) *out = total;
}

void arithmetic() {
    DeviceArray<float> out(1);
    const int blocks = 4 * device.multiProcessorCount, rounds = 4096;
    const double multiply_adds = double(blocks) * 512 * rounds * 8;
    fact("fp32 multiply-adds", 2e-6 * multiply_adds / microseconds([&] {
             fma_peak<<<blocks, 512, 0, stream>>>(0.5f, 0.25f, rounds, out.data);
         }), "TFLOP/s");
    if (device.major < 8) return;
    const double tiles = double(blocks) * 16 * rounds * 8;
    fact("bf16 mma.sync", 2e-6 * tiles * 16 * 8 * 16 / microseconds([&] {
             mma_peak<true><<<blocks, 512, 0, stream>>>(1, rounds, out.data);
         }), "TFLOP/s");
    fact("tf32 mma.sync", 2e-6 * tiles * 16 * 8 * 8 / microseconds([&] {
             mma_peak<false><<<blocks, 512, 0, stream>>>(1, rounds, out.data);
         }), "TFLOP/s");
    CHECK(cudaGetLastError());
}

// ---- the layout of mma fragments -----------------------------------------------------------------------------------

/// One warp multiplies a (16,K) by b (K,8): K = 16 in bf16, 8 in tf32. Both are given in fp32, row-major.
template <int K> __global__ void mma_once(const float* a, const float* b, float* d) {
    const int group = threadIdx.x / 4, lane = threadIdx.x % 4;
    float sum[4] = {};
    uint32_t fa[4], fb[2];
    if (K == 16) {
        const auto pair = [](float low, float high) {
            const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
            uint32_t bits;
            memcpy(&bits, &both, sizeof bits);
            return bits;
        };
        for (int i = 0; i < 4; i++) {
            const float* at = a + (group + 8 * (i % 2)) * K + 2 * lane + 8 * (i / 2);
            fa[i] = pair(at[0], at[1]);
        }
        for (int i = 0; i < 2; i++) {
            const float* at = b + (2 * lane + 8 * i) * 8 + group;
            fb[i] = pair(at[0], at[8]);
        }
        mma_bf16(sum, fa, fb);
    } else {
        for (int i = 0; i < 4; i++) fa[i] = __float_as_uint(a[(group + 8 * (i % 2)) * K + lane + 4 * (i / 2)]);
        for (int i = 0; i < 2; i++) fb[i] = __float_as_uint(b[(lane + 4 * i) * 8 + group]);
        mma_tf32(sum, fa, fb);
    }
    for (int i = 0; i < 4; i++) d[(group + 8 * (i / 2)) * 8 + 2 * lane + i % 2] = sum[i];
}

template <int K> void mma_self_test(const char* name) {
    // Small integers: exact in every format, so the result is exact too.
    float a[16 * K], b[K * 8], expected[16 * 8] = {}, found[16 * 8];
    for (int i = 0; i < 16 * K; i++) a[i] = static_cast<float>(i * 7 % 13 - 6);
    for (int i = 0; i < K * 8; i++) b[i] = static_cast<float>(i * 5 % 11 - 5);
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 8; n++)
            for (int k = 0; k < K; k++) expected[m * 8 + n] += a[m * K + k] * b[k * 8 + n];
    DeviceArray<float> da(16 * K), db(K * 8), dd(16 * 8);
    CHECK(cudaMemcpy(da.data, a, sizeof a, cudaMemcpyHostToDevice));
    CHECK(cudaMemcpy(db.data, b, sizeof b, cudaMemcpyHostToDevice));
    mma_once<K><<<1, 32, 0, stream>>>(da.data, db.data, dd.data);
    CHECK(cudaStreamSynchronize(stream));
    CHECK(cudaMemcpy(found, dd.data, sizeof found, cudaMemcpyDeviceToHost));
    for (int i = 0; i < 16 * 8; i++) {
        if (found[i] != expected[i]) {
            throw std::runtime_error("element " + std::to_string(i) + " is " + std::to_string(found[i]) + "; " +
                                     std::to_string(expected[i]) + " expected");
        }
    }
    fact(name, "exact", "");
}

// ---- the device ----------------------------------------------------------------------------------------------------

int attribute(cudaDeviceAttr which) {
    int value = 0;
    CHECK(cudaDeviceGetAttribute(&value, which, 0));
    return value;
}

void facts() {
    int driver = 0, runtime = 0;
    CHECK(cudaDriverGetVersion(&driver));
    CHECK(cudaRuntimeGetVersion(&runtime));
    fact("device", device.name, "");
    fact("compute capability", std::to_string(device.major) + "." + std::to_string(device.minor), "");
    fact("CUDA of the driver", std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10), "");
    fact("CUDA of the compiler", std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10), "");
    fact("memory", device.totalGlobalMem / 1073741824.0, "GiB");
    fact("multiprocessors", device.multiProcessorCount, "");
    fact("highest clock", attribute(cudaDevAttrClockRate) / 1e3, "MHz");
    fact("L2", device.l2CacheSize / 1048576.0, "MiB");
    fact("shared memory of a multiprocessor", device.sharedMemPerMultiprocessor / 1024.0, "KiB");
    fact("shared memory of a block, at most", device.sharedMemPerBlockOptin / 1024.0, "KiB");
    fact("registers of a multiprocessor", device.regsPerMultiprocessor, "");
    fact("cooperative launch", attribute(cudaDevAttrCooperativeLaunch) != 0 ? "yes" : "no", "");
    fact("cluster launch", attribute(cudaDevAttrClusterLaunch) != 0 ? "yes" : "no", "");
}

int passed, failed, skipped;

void probe(const char* name, bool possible, const std::function<void()>& body) {
    if (!possible) {
        skipped++;
        std::printf("skipped  %s: this device has compute capability %d.%d\n", name, device.major, device.minor);
        return;
    }
    try {
        body();
        CHECK(cudaDeviceSynchronize());
        passed++;
    } catch (const std::exception& e) {
        failed++;
        std::printf("FAILED   %s: %s\n", name, e.what());
        fact(name, std::string("failed: ") + e.what(), "");
    }
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    try {
        CHECK(cudaSetDevice(0));
        CHECK(cudaGetDeviceProperties(&device, 0));
        CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    } catch (const std::exception& e) {
        std::printf("no device: %s\n0 passed, 1 failed, 0 skipped\n", e.what());
        return 1;
    }
    const bool ampere = device.major >= 8, hopper = device.major >= 9;
    probe("facts", true, facts);
    probe("mma fragments, bf16", ampere, [] { mma_self_test<16>("mma fragments, bf16"); });
    probe("mma fragments, tf32", ampere, [] { mma_self_test<8>("mma fragments, tf32"); });
    for (int i = 1; i < argc; i++) {
        const std::string file = argv[i], name = "loading " + file.substr(file.find_last_of('/') + 1);
        probe(name.c_str(), true, [&] {
            cudaLibrary_t library;
            unsigned kernels = 0;
            CHECK(cudaLibraryLoadFromFile(&library, file.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
            CHECK(cudaLibraryGetKernelCount(&kernels, library));
            CHECK(cudaLibraryUnload(library));
            fact(name, std::to_string(kernels) + " kernels", "");
        });
    }
    probe("launches", true, launches);
    probe("capture of a cooperative launch", true, cooperative_capture);
    probe("barriers", true, barriers);
    probe("clusters", hopper, clusters);
    probe("cooperative launch with compile-time clusters", hopper, cooperative_clusters);
    probe("memory", true, memory);
    probe("arithmetic", true, arithmetic);
    std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
