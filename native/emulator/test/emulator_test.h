// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the emulator are made of.
#pragma once

#include "driver_api.h"

#include "driver.h"

#include <stdexcept>
#include <stdint.h>
#include <string>
#include <vector>

namespace gru4j::emulator {

extern const char kKernelsHash[];

inline void expect(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

inline void expect_code(int expected, int found, const char* call) {
    expect(expected == found, std::string(call) + " returned " + std::to_string(found) + "; " +
                                  std::to_string(expected) + " expected; last report: " + last_report());
}

inline void expect_report(const std::string& part) {
    expect(last_report().find(part) != std::string::npos,
           "the report is '" + last_report() + "'; a part '" + part + "' expected");
}

#define EXPECT_CODE(expected, call) expect_code(expected, call, #call)
#define OK(call) expect_code(SUCCESS, call, #call)

// What planted.cu takes.
struct Vector {
    uint64_t x;
    uint64_t y;
    long long n;
};

// A context of its own for every test, with one stream, the kernels, and an x of 0, 1, 2, … beside a y.
struct Device {
    void* context = nullptr;
    void* stream = nullptr;
    void* module = nullptr;
    Vector vector{};

    // registers: lines of the image about them.
    explicit Device(int n, const std::string& registers = "") {
        OK(cuInit(0));
        OK(cuDevicePrimaryCtxRetain(&context, 0));
        OK(cuCtxPushCurrent_v2(context));
        constexpr int kNonBlocking = 1;
        OK(cuStreamCreate(&stream, kNonBlocking));
        std::string image = std::string("gru4j kernels\n") + kKernelsHash + "\n" + registers;
        OK(cuModuleLoadData(&module, image.c_str()));
        vector.n = n;
        OK(cuMemAlloc_v2(&vector.x, bytes()));
        OK(cuMemAlloc_v2(&vector.y, bytes()));
        std::vector<float> x(static_cast<size_t>(n));
        for (int i = 0; i < n; i++) {
            x[static_cast<size_t>(i)] = static_cast<float>(i);
        }
        OK(cuMemcpyHtoD_v2(vector.x, x.data(), bytes()));
    }

    // Whatever failed, the context goes, and with it all that is left.
    ~Device() {
        cuCtxPopCurrent_v2(&context);
        cuDevicePrimaryCtxRelease_v2(0);
        gru4j_emulator_reset();
    }

    size_t bytes() const { return static_cast<size_t>(vector.n) * sizeof(float); }

    int launch(const char* kernel, unsigned blocks, unsigned threads, unsigned shared_bytes = 0) {
        void* function = nullptr;
        OK(cuModuleGetFunction(&function, module, kernel));
        void* parameters[] = {&vector};
        return cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared_bytes, stream, parameters, nullptr);
    }

    // After all of y was set to 0.
    int launch_cooperative(const char* kernel, unsigned blocks, unsigned threads) {
        void* function = nullptr;
        OK(cuModuleGetFunction(&function, module, kernel));
        OK(cuMemsetD32Async(vector.y, 0, static_cast<size_t>(vector.n), stream));
        void* parameters[] = {&vector};
        return cuLaunchCooperativeKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters);
    }

    // Waits for the launch and expects that it failed.
    void expect_failure(int code, const std::string& part) {
        EXPECT_CODE(code, cuStreamSynchronize(stream));
        expect_report(part);
    }

    std::vector<float> y() {
        std::vector<float> y(static_cast<size_t>(vector.n));
        OK(cuMemcpyDtoHAsync_v2(y.data(), vector.y, bytes(), stream));
        return y;
    }
};

} // namespace gru4j::emulator
