// SPDX-License-Identifier: Apache-2.0
//
// The device operations of the kernels: the one header through which everything goes that is not plain C++.
//
// Compiled by nvcc it is CUDA. Compiled by a C++ compiler with -DGRU4J_EMULATOR it is the emulator of native/emulator,
// which runs the same kernel text on a CPU. Both sides below declare the same names in the same order.
//
//   GRU4J_KERNEL(name, threads, Args, args) { … }
//       defines the kernel `name`, which takes one struct by value and is launched with 1-D blocks of at most `threads`
//       threads; the grid may have three dimensions. One struct, because a launch then fills one parameter slot.
//   GRU4J_KERNEL_ALONE(name, threads, Args, args) { … }
//       the same for a kernel of which a multiprocessor holds one block: it may use all registers.
//   GRU4J_SHARED(type, s_name);
//       a pointer to the dynamic shared memory of the block, aligned to 16 bytes; its size is the launch's.
//   block_x() … threads_x() … grid_x() …
//       indices and sizes; global_thread() and global_threads() serve loops that stride over the whole grid.
//   block_sync()
//       all threads of the block, at the same place in the text. The emulator fails the launch where a thread has ended
//       or waits elsewhere.
//   warp_shuffle_xor(value, mask)
//       the value of the lane whose number differs by mask, of which each lane may have its own; all 32 lanes of the
//       warp take part. Types of 4 and 8 bytes.
//   signal(flag), wait_at_least(flag, count)
//       adds 1 to a counter in global memory; waits until it holds count or more, modulo 2^32. Who comes back sees all
//       that was written before the signals, by their threads or by threads that these met at a block_sync(). Between
//       blocks this needs a cooperative launch, whose blocks all run at once.
//   load_l2(from), load_l2(pair, from), load_l2(quad, from)
//       one float, or two or four at an address aligned to all of them, that another block may have written during this
//       launch: read past the first-level cache, which would not see it.
//
//   AsyncCopies<GROUPS> copies; copies.quad(s_to, from, count, wide); copies.commit(); copies.wait();
//       copies to shared memory that go on while the thread does, otherwise as load_l2: four floats, of which `count` exist
//       and the others become 0; wide: both addresses are aligned to 16 bytes. A group of them ends with commit(). wait()
//       returns when at most GROUPS − 2 groups of this thread are on their way. Before sm_80 they take place at once.
//
// Tensor cores, of sm_80 and later. What uses them stands between #if GRU4J_TENSOR_CORES and #endif, so that a module
// for older devices is compiled without:
//
//   mma_bf16(d, a, b), mma_fp16(d, a, b), mma_tf32(d, a, b)
//       D += A·B for a warp, whose 32 lanes all take part; A (16,k), B (k,8), D (16,8), k = 16, 16 and 8. Each lane has a
//       fragment of each, where PTX has them for mma.m16n8k16 and mma.m16n8k8; with g = lane / 4 and t = lane % 4:
//
//         d[0], d[1], d[2], d[3]   D[g,2t], D[g,2t+1], D[g+8,2t], D[g+8,2t+1]
//         tf32          a[0..3]    A[g,t], A[g+8,t], A[g,t+4], A[g+8,t+4]
//                       b[0..1]    B[t,g], B[t+4,g]
//         bf16, fp16    a[0..3]    the pairs A[g,2t..], A[g+8,2t..], A[g,2t+8..], A[g+8,2t+8..]
//                       b[0..1]    the pairs B[2t..,g], B[2t+8..,g]
//
//       A pair is of two neighbouring k, the first in the low half. Products are exact; the sum of an element of D and
//       its products is truncated to fp32, on the GPU from terms truncated to about its precision.
//   to_tf32(value), to_bf16x2(first, second), to_fp16x2(first, second)
//       operands: value as tf32, nearest, ties away from zero; first and second as a pair, nearest, ties to even. A NaN
//       gives a NaN; what is too large gives infinity, in fp16 from 65520 on.
//   split_tf32(value, big, small)
//       big = tf32(value), small = tf32(value − big): together about 22 significant bits. With an infinite big, small is 0.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)

#define GRU4J_HOST_DEVICE __host__ __device__ __forceinline__
#define GRU4J_DEVICE __device__ __forceinline__
#define GRU4J_KERNEL(name, threads, Args, args)                                                                        \
    extern "C" __global__ void __launch_bounds__(threads) name(const Args args)
#define GRU4J_KERNEL_ALONE(name, threads, Args, args)                                                                  \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const Args args)
#define GRU4J_SHARED(type, s_name)                                                                                     \
    extern __shared__ __align__(16) unsigned char gru4j_shared[];                                                      \
    type* const s_name = reinterpret_cast<type*>(gru4j_shared)
#define GRU4J_UNROLL _Pragma("unroll")
#define GRU4J_ROLL _Pragma("unroll 1")
#define GRU4J_ROLL _Pragma("unroll 1")

namespace gru4j {

GRU4J_DEVICE unsigned fresh(unsigned value) {
    asm volatile("" : "+r"(value));
    return value;
}

GRU4J_DEVICE int thread_x() {
    return static_cast<int>(threadIdx.x);
}
GRU4J_DEVICE int threads_x() {
    return static_cast<int>(blockDim.x);
}
GRU4J_DEVICE int block_x() {
    return static_cast<int>(blockIdx.x);
}
GRU4J_DEVICE int block_y() {
    return static_cast<int>(blockIdx.y);
}
GRU4J_DEVICE int block_z() {
    return static_cast<int>(blockIdx.z);
}
GRU4J_DEVICE int grid_x() {
    return static_cast<int>(gridDim.x);
}
GRU4J_DEVICE int grid_y() {
    return static_cast<int>(gridDim.y);
}
GRU4J_DEVICE int grid_z() {
    return static_cast<int>(gridDim.z);
}

GRU4J_DEVICE void block_sync() {
    __syncthreads();
}

template <typename T> GRU4J_DEVICE T warp_shuffle_xor(T value, int mask) {
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

GRU4J_DEVICE void signal(unsigned* flag) {
    asm volatile("red.release.gpu.add.u32 [%0], 1;" ::"l"(flag) : "memory");
}

GRU4J_DEVICE void wait_at_least(const unsigned* flag, unsigned count) {
    unsigned found;
    do {
        asm volatile("ld.acquire.gpu.u32 %0, [%1];" : "=r"(found) : "l"(flag) : "memory");
    } while (static_cast<int>(found - count) < 0);
}

GRU4J_DEVICE float load_l2(const float* from) {
    return __ldcg(from);
}

GRU4J_DEVICE void load_l2(float (&pair)[2], const float* from) {
    const float2 value = __ldcg(reinterpret_cast<const float2*>(from));
    pair[0] = value.x;
    pair[1] = value.y;
}

GRU4J_DEVICE void load_l2(float (&quad)[4], const float* from) {
    const float4 value = __ldcg(reinterpret_cast<const float4*>(from));
    quad[0] = value.x;
    quad[1] = value.y;
    quad[2] = value.z;
    quad[3] = value.w;
}

template <int GROUPS> class AsyncCopies {
public:
    GRU4J_DEVICE void quad(float* s_to, const float* from, int count, bool wide) {
#if __CUDA_ARCH__ >= 800
        const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(s_to));
        if (wide) {
            const int bytes = count >= 4 ? 16 : count <= 0 ? 0 : 4 * count;
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
            return;
        }
        // Offsets in the text of the instruction: registers are what kernels with such copies are short of.
        asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from), "r"(count > 0 ? 4 : 0)
                     : "memory");
        asm volatile("cp.async.ca.shared.global [%0+4], [%1+4], 4, %2;" ::"r"(to), "l"(from), "r"(count > 1 ? 4 : 0)
                     : "memory");
        asm volatile("cp.async.ca.shared.global [%0+8], [%1+8], 4, %2;" ::"r"(to), "l"(from), "r"(count > 2 ? 4 : 0)
                     : "memory");
        asm volatile("cp.async.ca.shared.global [%0+12], [%1+12], 4, %2;" ::"r"(to), "l"(from), "r"(count > 3 ? 4 : 0)
                     : "memory");
#else
        GRU4J_UNROLL
        for (int i = 0; i < 4; i++) {
            s_to[i] = i < count ? load_l2(from + i) : 0.0f;
        }
#endif
    }

    GRU4J_DEVICE void commit() {
#if __CUDA_ARCH__ >= 800
        asm volatile("cp.async.commit_group;" ::: "memory");
#endif
    }

    GRU4J_DEVICE void wait() {
#if __CUDA_ARCH__ >= 800
        asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS - 2) : "memory");
#endif
    }
};

// The pass for the host, which has no architecture, compiles no kernel but declares them all.
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define GRU4J_TENSOR_CORES 1

#define GRU4J_MMA(name, instruction)                                                                                   \
    GRU4J_DEVICE void name(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {                            \
        asm volatile("mma.sync.aligned." instruction                                                                   \
                     " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                                \
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                  \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                              \
    }
GRU4J_MMA(mma_bf16, "m16n8k16.row.col.f32.bf16.bf16.f32")
GRU4J_MMA(mma_fp16, "m16n8k16.row.col.f32.f16.f16.f32")
GRU4J_MMA(mma_tf32, "m16n8k8.row.col.f32.tf32.tf32.f32")
#undef GRU4J_MMA

// The instruction may leave anything in the low 13 bits, which are no part of a tf32 number.
GRU4J_DEVICE unsigned to_tf32(float value) {
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits & 0xffffe000u;
}

// The instruction's first operand becomes the high half.
GRU4J_DEVICE unsigned to_bf16x2(float first, float second) {
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

GRU4J_DEVICE unsigned to_fp16x2(float first, float second) {
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}
#endif

GRU4J_DEVICE float float_of(unsigned bits) {
    return __uint_as_float(bits);
}

GRU4J_DEVICE unsigned bits_of(float value) {
    return __float_as_uint(value);
}

} // namespace gru4j

#elif defined(GRU4J_EMULATOR)

#include "emulator.h"

#define GRU4J_HOST_DEVICE inline __attribute__((always_inline))
#define GRU4J_DEVICE inline __attribute__((always_inline))
#define GRU4J_KERNEL(name, threads, Args, args)                                                                        \
    static void name(const Args& args);                                                                                \
    static const ::gru4j::emulator::Registration name##_registration(                                                  \
        #name, threads, sizeof(Args),                                                                                  \
        [](const void* args_of_launch) { name(*static_cast<const Args*>(args_of_launch)); });                          \
    static void name(const Args& args)
#define GRU4J_KERNEL_ALONE GRU4J_KERNEL
#define GRU4J_SHARED(type, s_name) type* const s_name = reinterpret_cast<type*>(::gru4j::emulator::current->shared)
#define GRU4J_UNROLL
#define GRU4J_ROLL
#define GRU4J_ROLL

namespace gru4j {

GRU4J_DEVICE unsigned fresh(unsigned value) {
    return value;
}

GRU4J_DEVICE int thread_x() {
    return emulator::current->thread_x;
}
GRU4J_DEVICE int threads_x() {
    return emulator::current->threads_x;
}
GRU4J_DEVICE int block_x() {
    return emulator::current->block_x;
}
GRU4J_DEVICE int block_y() {
    return emulator::current->block_y;
}
GRU4J_DEVICE int block_z() {
    return emulator::current->block_z;
}
GRU4J_DEVICE int grid_x() {
    return emulator::current->grid_x;
}
GRU4J_DEVICE int grid_y() {
    return emulator::current->grid_y;
}
GRU4J_DEVICE int grid_z() {
    return emulator::current->grid_z;
}

// The place of the call is what a report of a deadlock names.
GRU4J_DEVICE void block_sync(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    emulator::block_sync(file, line);
}

template <typename T>
GRU4J_DEVICE T warp_shuffle_xor(T value, int mask, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "the hardware moves 4 bytes, and 8 as two of them");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = emulator::warp_shuffle_xor(bits, mask, file, line);
    memcpy(&value, &bits, sizeof(T));
    return value;
}

GRU4J_DEVICE void signal(unsigned* flag) {
    emulator::signal(flag);
}

GRU4J_DEVICE void wait_at_least(const unsigned* flag, unsigned count, const char* file = __builtin_FILE(),
                                int line = __builtin_LINE()) {
    emulator::wait_at_least(flag, count, file, line);
}

GRU4J_DEVICE float load_l2(const float* from) {
    return *from;
}

GRU4J_DEVICE void load_l2(float (&pair)[2], const float* from) {
    for (int i = 0; i < 2; i++) {
        pair[i] = from[i];
    }
}

GRU4J_DEVICE void load_l2(float (&quad)[4], const float* from) {
    for (int i = 0; i < 4; i++) {
        quad[i] = from[i];
    }
}

// A copy takes place when it is waited for, as late as hardware may do it.
template <int GROUPS> class AsyncCopies {
public:
    GRU4J_DEVICE void quad(float* s_to, const float* from, int count, bool) {
        Group& group = groups_[committed_ % GROUPS];
        group.copies[group.count++] = {s_to, from, count};
    }

    GRU4J_DEVICE void commit() {
        committed_++;
        groups_[committed_ % GROUPS].count = 0;
    }

    GRU4J_DEVICE void wait() {
        for (; done_ < committed_ - (GROUPS - 2); done_++) {
            const Group& group = groups_[done_ % GROUPS];
            for (int c = 0; c < group.count; c++) {
                for (int i = 0; i < 4; i++) {
                    group.copies[c].s_to[i] = i < group.copies[c].count ? group.copies[c].from[i] : 0.0f;
                }
            }
        }
    }

private:
    struct Copy {
        float* s_to;
        const float* from;
        int count;
    };
    struct Group {
        Copy copies[4];
        int count = 0;
    };
    Group groups_[GROUPS];
    int committed_ = 0; // groups; the next is being filled
    int done_ = 0;
};

#define GRU4J_TENSOR_CORES 1

#define GRU4J_MMA(name, format)                                                                                        \
    GRU4J_DEVICE void name(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],                              \
                           const char* file = __builtin_FILE(), int line = __builtin_LINE()) {                         \
        emulator::warp_mma(emulator::MmaFormat::format, d, a, b, file, line);                                          \
    }
GRU4J_MMA(mma_bf16, BF16)
GRU4J_MMA(mma_fp16, FP16)
GRU4J_MMA(mma_tf32, TF32)
#undef GRU4J_MMA

GRU4J_DEVICE unsigned to_tf32(float value) {
    return emulator::round_to_tf32(value);
}

GRU4J_DEVICE unsigned to_bf16x2(float first, float second) {
    return emulator::round_to_bf16(first) | static_cast<unsigned>(emulator::round_to_bf16(second)) << 16;
}

GRU4J_DEVICE unsigned to_fp16x2(float first, float second) {
    return emulator::round_to_fp16(first) | static_cast<unsigned>(emulator::round_to_fp16(second)) << 16;
}

GRU4J_DEVICE float float_of(unsigned bits) {
    return emulator::float_of(bits);
}

GRU4J_DEVICE unsigned bits_of(float value) {
    return emulator::bits_of(value);
}

} // namespace gru4j

#else
#error "compile with nvcc, or with -DGRU4J_EMULATOR and native/emulator on the include path"
#endif

namespace gru4j {

// Sizes and offsets are 64 bits wide: a sequence of states can have more than 2^31 elements.
GRU4J_DEVICE long long global_thread() {
    return static_cast<long long>(block_x()) * threads_x() + thread_x();
}

GRU4J_DEVICE long long global_threads() {
    return static_cast<long long>(grid_x()) * threads_x();
}

#ifdef GRU4J_TENSOR_CORES
GRU4J_DEVICE void split_tf32(float value, unsigned& big, unsigned& small) {
    big = to_tf32(value);
    const float of_big = float_of(big);
    small = isinf(of_big) ? 0 : to_tf32(value - of_big);
}
#endif

} // namespace gru4j
