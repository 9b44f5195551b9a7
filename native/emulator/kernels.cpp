// SPDX-License-Identifier: Apache-2.0
#include "kernels.h"

#include "emulator.h"

#include <map>
#include <stdio.h>
#include <stdlib.h>

namespace gru4j::emulator {

namespace {

// Inside a function, because kernels of other files register before this file's own variables are made.
std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> map;
    return map;
}

} // namespace

Registration::Registration(const char* name, int max_threads, size_t args_bytes, void (*run)(const void* args)) {
    if (!kernels().emplace(name, Kernel{name, max_threads, args_bytes, run}).second) {
        fprintf(stderr, "gru4j emulator: two kernels are named %s\n", name);
        abort();
    }
}

const Kernel* find_kernel(const std::string& name) {
    auto found = kernels().find(name);
    return found == kernels().end() ? nullptr : &found->second;
}

std::string describe(const Launch& launch) {
    return launch.kernel->name + ": grid " + std::to_string(launch.grid_x) + "x" + std::to_string(launch.grid_y) + "x" +
           std::to_string(launch.grid_z) + ", block " + std::to_string(launch.threads) + ", " +
           std::to_string(launch.shared_bytes) + " bytes shared";
}

} // namespace gru4j::emulator
