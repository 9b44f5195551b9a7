// SPDX-License-Identifier: Apache-2.0
//
// The kernels that are linked in, and what one launch of them is.
#pragma once

#include <stddef.h>
#include <string>

namespace gru4j::emulator {

struct Kernel {
    std::string name;
    int max_threads; // the launch bound of GRU4J_KERNEL
    size_t args_bytes;
    void (*run)(const void* args);
};

// Null where there is no kernel of that name.
const Kernel* find_kernel(const std::string& name);

struct Launch {
    const Kernel* kernel;
    const void* args;
    unsigned grid_x, grid_y, grid_z;
    unsigned threads;
    size_t shared_bytes;
    bool cooperative = false; // all blocks run at once, so that they may wait for one another
};

// "gru_gemm_f32: grid 4x2x1, block 256, 16384 bytes shared", as every message about a launch begins.
std::string describe(const Launch& launch);

} // namespace gru4j::emulator
