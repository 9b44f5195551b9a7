// SPDX-License-Identifier: Apache-2.0
//
// What the probes of this folder share: error codes that become exceptions, facts for benchmarks' RunReport, a clock on the
// device, and the count of probes. Included by one source file each.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

inline void check(cudaError_t code, const char* what) {
    if (code != cudaSuccess) {
        cudaGetLastError();
        throw std::runtime_error(std::string(what) + ": " + cudaGetErrorName(code));
    }
}
#define CHECK(call) check(call, #call)

inline void fact(const std::string& name, const std::string& value, const char* unit) {
    std::printf("measure\tkind=fact\tname=%s\tvalue=%s\tunit=%s\n", name.c_str(), value.c_str(), unit);
    std::fflush(stdout);
}

inline void fact(const std::string& name, double value, const char* unit) {
    char text[32];
    std::snprintf(text, sizeof text, std::fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
    fact(name, text, unit);
}

inline cudaDeviceProp device;
inline cudaStream_t stream;

/// Median of seven timed runs of `work`, in microseconds.
inline double microseconds(const std::function<void()>& work) {
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

inline int passed, failed, skipped;

/// Runs one probe; one that fails does not keep the others from running.
inline void probe(const char* name, bool possible, const std::function<void()>& body) {
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

/// The whole program: the first device, then the probes.
inline int run_probes(const std::function<void()>& probes) {
    try {
        CHECK(cudaSetDevice(0));
        CHECK(cudaGetDeviceProperties(&device, 0));
        CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    } catch (const std::exception& e) {
        std::printf("no device: %s\n0 passed, 1 failed, 0 skipped\n", e.what());
        return 1;
    }
    probes();
    std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
