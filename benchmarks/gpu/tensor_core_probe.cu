// SPDX-License-Identifier: Apache-2.0
//
// Whether tensor cores do what the kernels take them to do: the operations of cuda/gru_device.cuh, the kernels' own, against
// plain C++ on the host. On a CPU the emulator stands for them; whatever it and the kernels agree upon by mistake shows
// here. Needs nvcc 12.8 or newer and one GPU of sm_80 or later.
//
//   nvcc -std=c++17 -O3 -arch=native -o tensor_core_probe benchmarks/gpu/tensor_core_probe.cu && ./tensor_core_probe
//
// Prints as device_probe.cu does.
#include "probe.cuh"

#include "../../cuda/gru_device.cuh"

#include <cstdint>
#include <cstring>
#include <random>

namespace {

enum Format { BF16, FP16, TF32 };

constexpr int kRows = 16, kColumns = 8;

/// Products of one element of D in one instruction.
template <Format format> constexpr int kDepth = format == TF32 ? 8 : 16;

const char* name(Format format) {
    return format == BF16 ? "bf16" : format == FP16 ? "fp16" : "tf32";
}

// ---- the operands' rounding, in plain C++ --------------------------------------------------------------------------

uint32_t bits_of(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

float of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// Nearest, ties away from zero: half of the last kept bit is added to the magnitude.
uint32_t host_tf32(float value) {
    return std::isinf(value) ? bits_of(value) : (bits_of(value) + 0x1000u) & ~0x1fffu;
}

/// Nearest, ties to even.
uint32_t host_bf16(float value) {
    const uint32_t bits = bits_of(value);
    return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}

/// Nearest, ties to even: the significand as an integer in units of its last bit.
uint32_t host_fp16(float value) {
    const uint32_t sign = bits_of(value) >> 16 & 0x8000u;
    const float magnitude = std::fabs(value);
    if (magnitude >= 65520)
        return sign | 0x7c00u;
    const int exponent = std::max(magnitude == 0 ? -14 : std::ilogb(magnitude), -14);
    const int units = static_cast<int>(std::nearbyint(std::ldexp(static_cast<double>(magnitude), 10 - exponent)));
    // A unit more than the significand holds carries into the exponent, as it should.
    return sign | static_cast<uint32_t>(((exponent + 14) << 10) + units);
}

float of_fp16(uint32_t bits) {
    const int exponent = bits >> 10 & 31, significand = bits & 1023;
    const double magnitude =
        exponent == 0 ? std::ldexp(significand, -24) : std::ldexp(1024 + significand, exponent - 25);
    return static_cast<float>(bits & 0x8000u ? -magnitude : magnitude);
}

float host_rounded(Format format, float value) {
    switch (format) {
    case BF16:
        return of_bits(host_bf16(value) << 16);
    case FP16:
        return of_fp16(host_fp16(value));
    default:
        return of_bits(host_tf32(value));
    }
}

// ---- kernels -------------------------------------------------------------------------------------------------------

// The host's pass and devices before sm_80 see no tensor cores.
#ifdef GRU4J_TENSOR_CORES

template <Format format> __device__ unsigned operand(float first, float second) {
    if constexpr (format == BF16)
        return gru4j::to_bf16x2(first, second);
    if constexpr (format == FP16)
        return gru4j::to_fp16x2(first, second);
    return gru4j::to_tf32(first);
}

template <Format format> __device__ void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    if constexpr (format == BF16)
        gru4j::mma_bf16(d, a, b);
    if constexpr (format == FP16)
        gru4j::mma_fp16(d, a, b);
    if constexpr (format == TF32)
        gru4j::mma_tf32(d, a, b);
}

#endif

/// One warp: d (16,8) = c + a (16,k) · b (k,8), all fp32 and row-major; fragments as gru_device.cuh says.
template <Format format> __global__ void multiply_once(const float* a, const float* b, const float* c, float* d) {
#ifdef GRU4J_TENSOR_CORES
    constexpr int k = kDepth<format>, step = format == TF32 ? 1 : 2, far = k / 2;
    const int g = threadIdx.x / 4, t = threadIdx.x % 4;
    unsigned fa[4], fb[2];
    for (int i = 0; i < 4; i++) {
        const float* at = a + (g + 8 * (i % 2)) * k + step * t + far * (i / 2);
        fa[i] = operand<format>(at[0], at[step - 1]);
    }
    for (int i = 0; i < 2; i++) {
        const float* at = b + (step * t + far * i) * kColumns + g;
        fb[i] = operand<format>(at[0], at[(step - 1) * kColumns]);
    }
    float sum[4];
    for (int i = 0; i < 4; i++)
        sum[i] = c[(g + 8 * (i / 2)) * kColumns + 2 * t + i % 2];
    mma<format>(sum, fa, fb);
    for (int i = 0; i < 4; i++)
        d[(g + 8 * (i / 2)) * kColumns + 2 * t + i % 2] = sum[i];
#endif
}

/// As above in 3xtf32: small·big, big·small, big·big, in that order, without c.
__global__ void multiply_split(const float* a, const float* b, const float*, float* d) {
#ifdef GRU4J_TENSOR_CORES
    const int g = threadIdx.x / 4, t = threadIdx.x % 4;
    unsigned big_a[4], small_a[4], big_b[2], small_b[2];
    for (int i = 0; i < 4; i++)
        gru4j::split_tf32(a[(g + 8 * (i % 2)) * 8 + t + 4 * (i / 2)], big_a[i], small_a[i]);
    for (int i = 0; i < 2; i++)
        gru4j::split_tf32(b[(t + 4 * i) * kColumns + g], big_b[i], small_b[i]);
    float sum[4] = {};
    gru4j::mma_tf32(sum, small_a, big_b);
    gru4j::mma_tf32(sum, big_a, small_b);
    gru4j::mma_tf32(sum, big_a, big_b);
    for (int i = 0; i < 4; i++)
        d[(g + 8 * (i / 2)) * kColumns + 2 * t + i % 2] = sum[i];
#endif
}

/// rounded[3·i …] = values[i] in tf32, bf16 and fp16.
__global__ void round_all(const float* values, unsigned* rounded, int n) {
#ifdef GRU4J_TENSOR_CORES
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        rounded[3 * i] = gru4j::to_tf32(values[i]);
        // Once as the first of a pair, once as the second.
        rounded[3 * i + 1] = i % 2 == 0 ? gru4j::to_bf16x2(values[i], 0.0f) : gru4j::to_bf16x2(0.0f, values[i]) >> 16;
        rounded[3 * i + 2] = i % 2 == 0 ? gru4j::to_fp16x2(values[i], 0.0f) : gru4j::to_fp16x2(0.0f, values[i]) >> 16;
    }
#endif
}

template <Format format> __global__ void peak(unsigned seed, int rounds, float* out) {
#ifdef GRU4J_TENSOR_CORES
    float d[8][4] = {};
    unsigned a[4], b[2];
    for (int i = 0; i < 4; i++)
        a[i] = operand<format>(1.0f / (seed + threadIdx.x + i), 0.5f);
    for (int i = 0; i < 2; i++)
        b[i] = operand<format>(1.0f / (seed + threadIdx.x + i), 0.25f);
    for (int round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 8; i++)
            mma<format>(d[i], a, b);
    }
    float total = 0;
    for (auto& tile : d)
        for (float v : tile)
            total += v;
    if (total == 12345.678f)
        *out = total;
#endif
}

// ---- probes --------------------------------------------------------------------------------------------------------

using Multiply = void (*)(const float*, const float*, const float*, float*);

std::vector<float> on_device(Multiply kernel, const std::vector<float>& a, const std::vector<float>& b,
                             const std::vector<float>& c) {
    DeviceArray<float> da(a.size()), db(b.size()), dc(c.size()), dd(c.size());
    CHECK(cudaMemcpy(da.data, a.data(), a.size() * sizeof(float), cudaMemcpyHostToDevice));
    CHECK(cudaMemcpy(db.data, b.data(), b.size() * sizeof(float), cudaMemcpyHostToDevice));
    CHECK(cudaMemcpy(dc.data, c.data(), c.size() * sizeof(float), cudaMemcpyHostToDevice));
    kernel<<<1, 32, 0, stream>>>(da.data, db.data, dc.data, dd.data);
    CHECK(cudaGetLastError());
    CHECK(cudaStreamSynchronize(stream));
    std::vector<float> d(c.size());
    CHECK(cudaMemcpy(d.data(), dd.data, d.size() * sizeof(float), cudaMemcpyDeviceToHost));
    return d;
}

[[noreturn]] void differs(const std::string& what, double found, double expected) {
    throw std::runtime_error(what + " is " + std::to_string(found) + "; " + std::to_string(expected) + " expected");
}

/// Small integers: exact in every format, so the product is exact, and a wrong place shows.
template <Format format> void layout() {
    constexpr int k = kDepth<format>;
    std::vector<float> a(kRows * k), b(k * kColumns), c(kRows * kColumns);
    for (size_t i = 0; i < a.size(); i++)
        a[i] = static_cast<float>(i * 7 % 13) - 6;
    for (size_t i = 0; i < b.size(); i++)
        b[i] = static_cast<float>(i * 5 % 11) - 5;
    for (size_t i = 0; i < c.size(); i++)
        c[i] = static_cast<float>(i);
    const std::vector<float> found = on_device(multiply_once<format>, a, b, c);
    for (int m = 0; m < kRows; m++) {
        for (int n = 0; n < kColumns; n++) {
            float expected = c[m * kColumns + n];
            for (int i = 0; i < k; i++)
                expected += a[m * k + i] * b[i * kColumns + n];
            if (found[m * kColumns + n] != expected) {
                differs("D[" + std::to_string(m) + "," + std::to_string(n) + "]", found[m * kColumns + n], expected);
            }
        }
    }
    fact(std::string("mma fragments, ") + name(format), "exact", "");
}

/// How sums are rounded. Operands are those of `rounded`; the worst error, as a share of the sum of all magnitudes.
void accuracy(const std::string& what, Multiply kernel, int k, bool with_c, const std::function<float(float)>& rounded,
              double bound) {
    std::mt19937 random(42);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    double worst = 0;
    int elements = 0, truncated = 0;
    for (int repetition = 0; repetition < 20; repetition++) {
        std::vector<float> a(kRows * k), b(k * kColumns), c(kRows * kColumns);
        for (auto* matrix : {&a, &b, &c})
            for (float& value : *matrix)
                value = uniform(random);
        if (!with_c)
            std::fill(c.begin(), c.end(), 0.0f);
        const std::vector<float> found = on_device(kernel, a, b, c);
        for (int m = 0; m < kRows; m++) {
            for (int n = 0; n < kColumns; n++) {
                double exact = c[m * kColumns + n], magnitude = std::fabs(exact);
                for (int i = 0; i < k; i++) {
                    const double term = static_cast<double>(rounded(a[m * k + i])) * rounded(b[i * kColumns + n]);
                    exact += term;
                    magnitude += std::fabs(term);
                }
                const float value = found[m * kColumns + n];
                worst = std::max(worst, std::fabs(value - exact) / magnitude);
                float towards_zero = static_cast<float>(exact);
                if (std::fabs(towards_zero) > std::fabs(exact))
                    towards_zero = std::nextafter(towards_zero, 0.0f);
                truncated += value == towards_zero;
                elements++;
            }
        }
    }
    fact("mma sums, " + what + ", worst error by the sum of magnitudes, in 2^-24", std::ldexp(worst, 24), "");
    fact("mma sums, " + what + ", equal to the exact sum truncated", 100.0 * truncated / elements, "%");
    if (!(worst <= bound))
        differs("the worst error", worst, bound);
}

template <Format format> void sums() {
    // Each term truncated to fp32's resolution of the largest one; what sums in 16 bits is far beyond.
    accuracy(
        name(format), multiply_once<format>, kDepth<format>, true, [](float v) { return host_rounded(format, v); },
        (kDepth<format> + 2) * std::ldexp(1.0, -23));
}

/// Every step of the split is truncated too, but nothing of the operands' first 22 bits is lost.
void split_sums() {
    accuracy("3xtf32", multiply_split, 8, false, [](float v) { return v; }, 40 * std::ldexp(1.0, -24));
}

void rounding() {
    std::mt19937 random(7);
    std::vector<float> values = {0.0f,          -0.0f,         INFINITY,      -INFINITY,     65504.0f,
                                 65519.0f,      65520.0f,      -65520.0f,     3.4028235e38f, 5.9604645e-8f,
                                 2.9802322e-8f, 2.9802326e-8f, 6.1035156e-5f, 6.097555e-5f,  1.17549435e-38f};
    // Ties of each format, beside both neighbours.
    for (uint32_t half : {0x1000u, 0x8000u}) {
        for (uint32_t odd : {0u, 2 * half}) {
            for (uint32_t nearby : {half - 1, half, half + 1})
                values.push_back(of_bits(0x3f800000u + odd + nearby));
        }
    }
    while (values.size() < 1u << 20) {
        const float value = of_bits(random());
        if (!std::isnan(value))
            values.push_back(value);
    }
    const int n = static_cast<int>(values.size());
    DeviceArray<float> from(n);
    DeviceArray<unsigned> to(3 * static_cast<size_t>(n));
    CHECK(cudaMemcpy(from.data, values.data(), n * sizeof(float), cudaMemcpyHostToDevice));
    round_all<<<256, 256, 0, stream>>>(from.data, to.data, n);
    CHECK(cudaStreamSynchronize(stream));
    std::vector<unsigned> found(3 * static_cast<size_t>(n));
    CHECK(cudaMemcpy(found.data(), to.data, found.size() * sizeof(unsigned), cudaMemcpyDeviceToHost));
    for (int i = 0; i < n; i++) {
        const uint32_t expected[] = {host_tf32(values[i]), host_bf16(values[i]), host_fp16(values[i])};
        for (int f = 0; f < 3; f++) {
            const unsigned bits = found[3 * static_cast<size_t>(i) + f];
            if ((f == 0 ? bits : bits & 0xffffu) != expected[f]) {
                char text[128];
                std::snprintf(text, sizeof text, "%s of %a is %#x; %#x expected",
                              f == 0   ? "tf32"
                              : f == 1 ? "bf16"
                                       : "fp16",
                              values[i], bits, expected[f]);
                throw std::runtime_error(text);
            }
        }
    }
    fact("rounding to tf32, bf16, fp16", "as on the host", "");
}

template <Format format> void rate() {
    DeviceArray<float> out(1);
    const int blocks = 4 * device.multiProcessorCount, rounds = 4096;
    const double instructions = double(blocks) * 16 * rounds * 8;
    fact(std::string(name(format)) + " mma.sync",
         2e-6 * instructions * kRows * kColumns * kDepth<format> /
             microseconds([&] { peak<format><<<blocks, 512, 0, stream>>>(1, rounds, out.data); }),
         "TFLOP/s");
    CHECK(cudaGetLastError());
}

} // namespace

int main() {
    return run_probes([] {
        const bool ampere = device.major >= 8;
        probe("rounding of operands", ampere, rounding);
        probe("mma fragments, bf16", ampere, layout<BF16>);
        probe("mma fragments, fp16", ampere, layout<FP16>);
        probe("mma fragments, tf32", ampere, layout<TF32>);
        probe("mma sums, bf16", ampere, sums<BF16>);
        probe("mma sums, fp16", ampere, sums<FP16>);
        probe("mma sums, tf32", ampere, sums<TF32>);
        probe("mma sums, 3xtf32", ampere, split_sums);
        probe("mma rate, bf16", ampere, rate<BF16>);
        probe("mma rate, fp16", ampere, rate<FP16>);
        probe("mma rate, tf32", ampere, rate<TF32>);
    });
}
