// SPDX-License-Identifier: Apache-2.0
//
// What the kernels' tests are made of: tensors in the emulated device's memory, launches, comparisons. Every tensor
// begins poisoned with NaN, ends at a guarded page, and a launch that leaves its memory fails.
#pragma once

#include "device_memory.h"
#include "gru_kernels.h"

#include <functional>
#include <random>
#include <stdint.h>
#include <string>
#include <vector>

/// A test, run by name in the order of the files. Name is a sentence in words.
#define TEST(name)                                                                                                     \
    static void name();                                                                                                \
    static const TestRegistration name##_registration(#name, name);                                                    \
    static void name()

struct TestRegistration {
    TestRegistration(const char* name, void (*run)());
};

/// Ends the test that runs with this message.
[[noreturn]] void fail(const std::string& message);

/// Memory of the emulated device. Not initialised: poison, as cuMemAlloc leaves it.
template <typename T> class Tensor {
public:
    explicit Tensor(size_t count) : count_(count) {
        address_ = gru4j::emulator::device_memory().allocate((count == 0 ? 1 : count) * sizeof(T));
    }
    explicit Tensor(const std::vector<T>& values) : Tensor(values.size()) { set(values); }
    ~Tensor() { gru4j::emulator::device_memory().release(address_); }
    Tensor(const Tensor&) = delete;
    Tensor& operator=(const Tensor&) = delete;

    T* at(size_t offset = 0) const { return reinterpret_cast<T*>(address_) + offset; }
    size_t count() const { return count_; }
    void set(const std::vector<T>& values, size_t offset = 0) {
        for (size_t i = 0; i < values.size(); i++) {
            at(offset)[i] = values[i];
        }
    }
    std::vector<T> values() const { return std::vector<T>(at(), at() + count_); }

private:
    uint64_t address_;
    size_t count_;
};

/// Launches with the seed of `shuffled_launches`; a launch that fails ends the test.
void launch(const std::string& kernel, const void* args, size_t args_bytes, unsigned grid_x, unsigned grid_y,
            unsigned grid_z, unsigned threads, size_t shared_bytes);

/// The same with all blocks at once.
void launch_cooperative(const std::string& kernel, const void* args, size_t args_bytes, unsigned grid_x,
                        unsigned grid_y, unsigned threads, size_t shared_bytes);

/// The message with which body ends the test; empty if it does not.
std::string failure_of(const std::function<void()>& body);

template <typename Args>
void launch(const std::string& kernel, const Args& args, unsigned grid_x, unsigned threads, size_t shared_bytes = 0) {
    launch(kernel, &args, sizeof args, grid_x, 1, 1, threads, shared_bytes);
}

/// Kernels "by row" and "by element" of gru_kernels.h.
template <typename Args> void launch_by_row(const std::string& kernel, const Args& args, int rows, int width) {
    const int blocks = (width + GRU_ROW_THREADS - 1) / GRU_ROW_THREADS;
    launch(kernel, args, static_cast<unsigned>(rows * blocks), GRU_ROW_THREADS);
}

template <typename Args>
void launch_by_element(const std::string& kernel, const Args& args, unsigned grid, size_t shared_bytes = 0) {
    launch(kernel, args, grid, GRU_ELEMENT_THREADS, shared_bytes);
}

#ifdef GRU4J_TSAN
constexpr bool kUnderThreadSanitizer = true;
#else
constexpr bool kUnderThreadSanitizer = false;
#endif

/// Runs `body` with blocks and threads in the usual order and in two shuffled ones; the values it returns must not
/// differ by a bit. Returns them. all_at_once: its blocks are those of cooperative launches, in which ThreadSanitizer
/// sees a race in any order, so that it is given the usual one alone.
std::vector<float> in_any_order(const std::function<std::vector<float>()>& body, bool all_at_once = false);

/// One tensor of a comparison, for the message: its name and the sizes and letters of its axes, "T4 B3 H7".
struct Axes {
    std::string tensor;
    std::vector<std::pair<char, int>> sizes;
};

/// |found − expected| ≤ bound[i] for every element; NaN and infinity only where expected has them.
void expect_close(const Axes& axes, const std::vector<float>& found, const std::vector<double>& expected,
                  const std::vector<double>& bound);

/**
 * With the bound from the same formula in float: 8·max|float − double| + 4·2^−24·max(1, |double|), over the tensor. A
 * kernel adds in another order, so it gets some draws of the rounding error, not one; and since all inputs are of order
 * 1, an element that cancels is a difference of such numbers.
 */
void expect_close(const Axes& axes, const std::vector<float>& found, const std::vector<double>& expected,
                  const std::vector<float>& in_float);

void expect_same_bits(const Axes& axes, const std::vector<float>& found, const std::vector<float>& expected);

/// Seeded numbers.
class Random {
public:
    explicit Random(uint64_t seed) : engine_(seed) {}
    float normal() { return std::normal_distribution<float>()(engine_); }
    int below(int bound) { return static_cast<int>(engine_() % static_cast<uint64_t>(bound)); }
    std::vector<float> normals(size_t count, float scale = 1) {
        std::vector<float> values(count);
        for (float& value : values) {
            value = scale * normal();
        }
        return values;
    }

private:
    std::mt19937_64 engine_;
};
