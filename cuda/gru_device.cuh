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
//   fresh(value)
//       the same value, of which the compiler knows nothing: what follows from it is computed there and not kept in
//       registers, for kernels that are short of them.
//   AsyncCopies<GROUPS> copies; copies.quad(s_to, from, count, wide); copies.commit(); copies.wait();
//       copies to shared memory that go on while the thread does, past the first-level cache: four floats, of which
//       `count` exist and the others become 0; wide: both addresses are aligned to 16 bytes. A group of them ends with
//       commit(). wait() returns when at most GROUPS − 2 groups of this thread are on their way.
//   load_l2(from), load_l2(quad, from)
//       one float, or four at an address aligned to 16 bytes, that another block may have written during this launch:
//       read past the first-level cache, which would not see it.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)

#define GRU4J_HOST_DEVICE __host__ __device__ __forceinline__
#define GRU4J_DEVICE __device__ __forceinline__
#define GRU4J_KERNEL(name, threads, Args, args) extern "C" __global__ void __launch_bounds__(threads) name(const Args args)
#define GRU4J_KERNEL_ALONE(name, threads, Args, args)                                                                  \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const Args args)
#define GRU4J_SHARED(type, s_name)                                                                                     \
    extern __shared__ __align__(16) unsigned char gru4j_shared[];                                                      \
    type* const s_name = reinterpret_cast<type*>(gru4j_shared)
#define GRU4J_UNROLL _Pragma("unroll")
#define GRU4J_ROLL _Pragma("unroll 1")

namespace gru4j {

GRU4J_DEVICE int fresh(int value) {
    asm volatile("" : "+r"(value));
    return value;
}

GRU4J_DEVICE int thread_x() { return static_cast<int>(threadIdx.x); }
GRU4J_DEVICE int threads_x() { return static_cast<int>(blockDim.x); }
GRU4J_DEVICE int block_x() { return static_cast<int>(blockIdx.x); }
GRU4J_DEVICE int block_y() { return static_cast<int>(blockIdx.y); }
GRU4J_DEVICE int block_z() { return static_cast<int>(blockIdx.z); }
GRU4J_DEVICE int grid_x() { return static_cast<int>(gridDim.x); }
GRU4J_DEVICE int grid_y() { return static_cast<int>(gridDim.y); }
GRU4J_DEVICE int grid_z() { return static_cast<int>(gridDim.z); }

GRU4J_DEVICE void block_sync() { __syncthreads(); }

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

GRU4J_DEVICE float load_l2(const float* from) { return __ldcg(from); }

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
        asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from), "r"(count > 0 ? 4 : 0) : "memory");
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

} // namespace gru4j

#elif defined(GRU4J_EMULATOR)

#include "emulator.h"

#define GRU4J_HOST_DEVICE inline __attribute__((always_inline))
#define GRU4J_DEVICE inline __attribute__((always_inline))
#define GRU4J_KERNEL(name, threads, Args, args)                                                                        \
    static void name(const Args& args);                                                                                \
    static const ::gru4j::emulator::Registration name##_registration(                                                  \
        #name, threads, sizeof(Args), [](const void* args_of_launch) { name(*static_cast<const Args*>(args_of_launch)); }); \
    static void name(const Args& args)
#define GRU4J_KERNEL_ALONE GRU4J_KERNEL
#define GRU4J_SHARED(type, s_name) type* const s_name = reinterpret_cast<type*>(::gru4j::emulator::current->shared)
#define GRU4J_UNROLL
#define GRU4J_ROLL

namespace gru4j {

GRU4J_DEVICE int fresh(int value) { return value; }

GRU4J_DEVICE int thread_x() { return emulator::current->thread_x; }
GRU4J_DEVICE int threads_x() { return emulator::current->threads_x; }
GRU4J_DEVICE int block_x() { return emulator::current->block_x; }
GRU4J_DEVICE int block_y() { return emulator::current->block_y; }
GRU4J_DEVICE int block_z() { return emulator::current->block_z; }
GRU4J_DEVICE int grid_x() { return emulator::current->grid_x; }
GRU4J_DEVICE int grid_y() { return emulator::current->grid_y; }
GRU4J_DEVICE int grid_z() { return emulator::current->grid_z; }

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

GRU4J_DEVICE void signal(unsigned* flag) { emulator::signal(flag); }

GRU4J_DEVICE void wait_at_least(const unsigned* flag, unsigned count, const char* file = __builtin_FILE(),
                                int line = __builtin_LINE()) {
    emulator::wait_at_least(flag, count, file, line);
}

GRU4J_DEVICE float load_l2(const float* from) { return *from; }

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

} // namespace gru4j
