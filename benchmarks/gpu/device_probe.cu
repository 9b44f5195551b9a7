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
#include "probe.cuh"

#include <cooperative_groups.h>

#include <chrono>
#include <string>
#include <vector>

namespace cg = cooperative_groups;

namespace {

// ---- launches ------------------------------------------------------------------------------------------------------

__global__ void nothing(int*) {
}

void launches() {
    constexpr int n = 1000;
    fact("launch, back to back", microseconds([&] {
                                     for (int i = 0; i < n; i++)
                                         nothing<<<1, 32, 0, stream>>>(nullptr);
                                 }) / n,
         "us");
    fact("launch and wait", microseconds([&] {
                                for (int i = 0; i < 100; i++) {
                                    nothing<<<1, 32, 0, stream>>>(nullptr);
                                    CHECK(cudaStreamSynchronize(stream));
                                }
                            }) / 100,
         "us");
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < n; i++)
        nothing<<<1, 32, 0, stream>>>(nullptr);
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
    for (int i = 0; i < kBarriers; i++)
        grid.sync();
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
            while (load_acquire(flag) < i * gridDim.x) {
            }
        }
        if (pollers == 1)
            __syncthreads();
        else
            __syncwarp();
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
    if (device.multiProcessorCount >= 128)
        counts.push_back(128);
    counts.push_back(device.multiProcessorCount);
    for (int blocks : counts) {
        const std::string among = " among " + std::to_string(blocks) + " blocks";
        if (blocks > device.multiProcessorCount)
            continue;
        fact("grid.sync()" + among,
             microseconds([&] { cooperative((const void*)grid_barrier, blocks, 256, flag.data, 1); }) / kBarriers,
             "us");
        for (int pollers : {1, 8}) {
            fact("flag barrier" + among + ", " + std::to_string(pollers) + " polling",
                 microseconds([&] { cooperative((const void*)flag_barrier, blocks, 256, flag.data, pollers); }) /
                     kBarriers,
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
    fact("capture of a cooperative launch, replayed with its barriers",
         microseconds([&] { CHECK(cudaGraphLaunch(executable, stream)); }), "us");
    CHECK(cudaGraphExecDestroy(executable));
    CHECK(cudaGraphDestroy(graph));
}

// ---- clusters ------------------------------------------------------------------------------------------------------

__global__ void cluster_barrier(unsigned*, int) {
#if __CUDA_ARCH__ >= 900
    cg::cluster_group cluster = cg::this_cluster();
    for (int i = 0; i < kBarriers; i++)
        cluster.sync();
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
             microseconds([&] { CHECK(cudaLaunchKernelEx(&launch, cluster_barrier, flag.data, 1)); }) / kBarriers,
             "us");
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
    if (sum == 12345.678f)
        *out = sum;
}

void memory() {
    const size_t gigabyte = size_t{1} << 30;
    DeviceArray<float4> from(gigabyte / sizeof(float4)), to(gigabyte / sizeof(float4));
    DeviceArray<float> out(1);
    CHECK(cudaMemset(from.data, 0x3c, gigabyte));
    CHECK(cudaDeviceSynchronize());
    const double copy =
        microseconds([&] { CHECK(cudaMemcpyAsync(to.data, from.data, gigabyte, cudaMemcpyDeviceToDevice, stream)); });
    fact("HBM, copy, read and written", 2e-6 * gigabyte / copy, "TB/s");
    const int blocks = 8 * device.multiProcessorCount;
    const double read = microseconds(
        [&] { read_all<<<blocks, 256, 0, stream>>>(from.data, gigabyte / sizeof(float4), 1, false, out.data); });
    fact("HBM, read", 1e-6 * gigabyte / read, "TB/s");
    const size_t cached = size_t{16} << 20;
    const double l2 = microseconds(
        [&] { read_all<<<blocks, 256, 0, stream>>>(from.data, cached / sizeof(float4), 32, false, out.data); });
    fact("L2, 16 MiB, each byte by one block", 32e-6 * cached / l2, "TB/s");
    for (size_t bytes : {size_t{32} << 10, size_t{128} << 10, size_t{1} << 20}) {
        const double broadcast = microseconds([&] {
            read_all<<<device.multiProcessorCount, 512, 0, stream>>>(from.data, bytes / sizeof(float4), 64, true,
                                                                     out.data);
        });
        fact("L2, " + std::to_string(bytes >> 10) + " KiB, all of it by every multiprocessor",
             64e-6 * bytes * device.multiProcessorCount / broadcast, "TB/s");
    }
    CHECK(cudaGetLastError());
}

// ---- arithmetic ----------------------------------------------------------------------------------------------------

__global__ void fma_peak(float a, float b, int rounds, float* out) {
    float sum[8];
    for (int i = 0; i < 8; i++)
        sum[i] = a * i;
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++)
            sum[i] = fmaf(sum[i], b, a);
    }
    float total = 0;
    for (int i = 0; i < 8; i++)
        total += sum[i];
    if (total == 12345.678f)
        *out = total;
}

void arithmetic() {
    DeviceArray<float> out(1);
    const int blocks = 4 * device.multiProcessorCount, rounds = 4096;
    const double multiply_adds = double(blocks) * 512 * rounds * 8;
    fact("fp32 multiply-adds", 2e-6 * multiply_adds / microseconds([&] {
                                   fma_peak<<<blocks, 512, 0, stream>>>(0.5f, 0.25f, rounds, out.data);
                               }),
         "TFLOP/s");
    CHECK(cudaGetLastError());
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

/// Proof that this driver takes a file of kernels, and how long it takes: PTX is compiled then.
void load(const std::string& file) {
    const std::string name = "loading " + file.substr(file.find_last_of('/') + 1);
    probe(name.c_str(), true, [&] {
        const auto start = std::chrono::steady_clock::now();
        cudaLibrary_t library;
        unsigned kernels = 0;
        CHECK(cudaLibraryLoadFromFile(&library, file.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
        CHECK(cudaLibraryGetKernelCount(&kernels, library));
        std::vector<cudaKernel_t> all(kernels);
        CHECK(cudaLibraryEnumerateKernels(all.data(), kernels, library));
        for (cudaKernel_t kernel : all) {
            // Loading may be lazy; a function of the context is not.
            cudaFuncAttributes attributes;
            CHECK(cudaFuncGetAttributes(&attributes, (const void*)kernel));
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        CHECK(cudaLibraryUnload(library));
        fact(name, std::to_string(kernels) + " kernels", "");
        fact(name + ", time", 1e3 * seconds.count(), "ms");
    });
}

} // namespace

int main(int argc, char** argv) {
    return run_probes([&] {
        const bool hopper = device.major >= 9;
        probe("facts", true, facts);
        for (int i = 1; i < argc; i++) {
            load(argv[i]);
        }
        probe("launches", true, launches);
        probe("capture of a cooperative launch", true, cooperative_capture);
        probe("barriers", true, barriers);
        probe("clusters", hopper, clusters);
        probe("cooperative launch with compile-time clusters", hopper, cooperative_clusters);
        probe("memory", true, memory);
        probe("arithmetic", true, arithmetic);
    });
}
