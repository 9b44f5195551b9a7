// SPDX-License-Identifier: Apache-2.0
//
// Runs all tests, or those whose name contains the argument.
#include "kernel_test.h"

#include "block_runner.h"
#include "kernels.h"

#include <algorithm>
#include <math.h>
#include <stdexcept>
#include <stdio.h>
#include <string.h>

namespace {

struct Test {
    std::string name;
    void (*run)();
};

std::vector<Test>& tests() {
    static std::vector<Test> list;
    return list;
}

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

uint64_t shuffled_launches = 0;

/// "dgx[t=1, b=0, g=17]".
std::string place(const Axes& axes, size_t flat) {
    std::string inside;
    for (size_t i = axes.sizes.size(); i-- > 0;) {
        const size_t size = static_cast<size_t>(axes.sizes[i].second);
        inside = std::string(1, axes.sizes[i].first) + "=" + std::to_string(flat % size) +
                 (inside.empty() ? "" : ", ") + inside;
        flat /= size;
    }
    return axes.tensor + "[" + inside + "]";
}

std::string number(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    return text;
}

} // namespace

TestRegistration::TestRegistration(const char* name, void (*run)()) {
    tests().push_back({name, run});
}

void fail(const std::string& message) {
    throw Failure(message);
}

namespace {

void launch(const std::string& name, const void* args, size_t args_bytes, gru4j::emulator::Launch launch) {
    launch.kernel = gru4j::emulator::find_kernel(name);
    launch.args = args;
    if (launch.kernel == nullptr) {
        fail("no kernel is named " + name);
    }
    if (launch.kernel->args_bytes != args_bytes) {
        fail(name + " takes " + std::to_string(launch.kernel->args_bytes) + " bytes; " + std::to_string(args_bytes) +
             " given");
    }
    if (const auto failure = gru4j::emulator::run_launch(launch, shuffled_launches)) {
        fail(gru4j::emulator::describe(launch) + ": " + failure->text);
    }
    const std::string damage = gru4j::emulator::device_memory().damage();
    if (!damage.empty()) {
        fail(gru4j::emulator::describe(launch) + ": " + damage);
    }
}

} // namespace

void launch(const std::string& kernel, const void* args, size_t args_bytes, unsigned grid_x, unsigned grid_y,
            unsigned grid_z, unsigned threads, size_t shared_bytes) {
    launch(kernel, args, args_bytes, {nullptr, nullptr, grid_x, grid_y, grid_z, threads, shared_bytes, false});
}

void launch_cooperative(const std::string& kernel, const void* args, size_t args_bytes, unsigned grid_x,
                        unsigned grid_y, unsigned threads, size_t shared_bytes) {
    launch(kernel, args, args_bytes, {nullptr, nullptr, grid_x, grid_y, 1, threads, shared_bytes, true});
}

std::string failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.what();
    }
    return "";
}

std::vector<float> in_any_order(const std::function<std::vector<float>()>& body, bool all_at_once) {
    shuffled_launches = 0;
    const std::vector<float> usual = body();
    if (kUnderThreadSanitizer && all_at_once) {
        return usual;
    }
    for (uint64_t seed : {1, 2}) {
        shuffled_launches = seed;
        const std::vector<float> found = body();
        shuffled_launches = 0;
        expect_same_bits(
            {"results with threads in order " + std::to_string(seed), {{'i', static_cast<int>(usual.size())}}}, found,
            usual);
    }
    return usual;
}

void expect_close(const Axes& axes, const std::vector<float>& found, const std::vector<double>& expected,
                  const std::vector<double>& bound) {
    if (found.size() != expected.size() || found.size() != bound.size()) {
        fail(axes.tensor + " has " + std::to_string(found.size()) + " elements; " + std::to_string(expected.size()) +
             " expected");
    }
    for (size_t i = 0; i < found.size(); i++) {
        const bool same = static_cast<double>(found[i]) == expected[i] || (isnan(found[i]) && isnan(expected[i]));
        if (!same && !(fabs(found[i] - expected[i]) <= bound[i])) {
            fail(place(axes, i) + " is " + number(found[i]) + "; " + number(expected[i]) + " expected, bound " +
                 number(bound[i]));
        }
    }
}

void expect_close(const Axes& axes, const std::vector<float>& found, const std::vector<double>& expected,
                  const std::vector<float>& in_float) {
    double error = 0;
    double largest = 1;
    for (size_t i = 0; i < expected.size(); i++) {
        if (isfinite(expected[i])) {
            error = std::max(error, fabs(in_float[i] - expected[i]));
            largest = std::max(largest, fabs(expected[i]));
        }
    }
    expect_close(axes, found, expected, std::vector<double>(expected.size(), 8 * error + 4 * 0x1p-24 * largest));
}

void expect_same_bits(const Axes& axes, const std::vector<float>& found, const std::vector<float>& expected) {
    if (found.size() != expected.size()) {
        fail(axes.tensor + " has " + std::to_string(found.size()) + " elements; " + std::to_string(expected.size()) +
             " expected");
    }
    for (size_t i = 0; i < found.size(); i++) {
        if (memcmp(&found[i], &expected[i], sizeof(float)) != 0) {
            fail(place(axes, i) + " is " + number(found[i]) + "; the very bits of " + number(expected[i]) +
                 " expected");
        }
    }
}

int main(int count, char** arguments) {
    const std::string part = count > 1 ? arguments[1] : "";
    int passed = 0;
    int failed = 0;
    for (const Test& test : tests()) {
        if (test.name.find(part) == std::string::npos) {
            continue;
        }
        try {
            test.run();
            passed++;
        } catch (const Failure& failure) {
            failed++;
            printf("%s: %s\n  repeat: cuda/test/run %s\n", test.name.c_str(), failure.what(), test.name.c_str());
            shuffled_launches = 0;
        }
        fflush(stdout);
    }
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
