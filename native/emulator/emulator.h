// SPDX-License-Identifier: Apache-2.0
//
// What the emulated side of cuda/gru_device.cuh needs: the CUDA thread that runs at the moment, the operations that
// make it wait for others, and the list of kernels.
#pragma once

#include "tensor_core.h"

#include <stddef.h>
#include <stdint.h>

namespace gru4j::emulator {

// One CUDA thread, as its kernel sees it.
struct Thread {
    int thread_x, threads_x;
    int block_x, block_y, block_z;
    int grid_x, grid_y, grid_z;
    unsigned char* shared;
};

// Set whenever a kernel runs. Read at every index a kernel asks for, hence the fast model of thread-local storage.
extern __attribute__((tls_model("initial-exec"))) thread_local Thread* current;

// Return when every thread of the block, or every lane of the warp, has called the same operation at the same place.
void block_sync(const char* file, int line);
uint64_t warp_shuffle_xor(uint64_t value, int mask, const char* file, int line);
// D += A·B of the fragments of all lanes: multiply_add().
void warp_mma(MmaFormat format, float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char* file,
              int line);

// Adds 1 to a counter in device memory, and returns when one holds `count` or more, modulo 2^32.
void signal(unsigned* flag);
void wait_at_least(const unsigned* flag, unsigned count, const char* file, int line);

// Adds a kernel to those that cuModuleGetFunction finds. Made before main, one for each GRU4J_KERNEL.
struct Registration {
    Registration(const char* name, int max_threads, size_t args_bytes, void (*run)(const void* args));
};

} // namespace gru4j::emulator
