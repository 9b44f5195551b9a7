// SPDX-License-Identifier: Apache-2.0
//
// What cuModuleLoadData is given in place of machine code: the file `sources` that cuda/build packs.
//
//   gru4j kernels
//   HASH                       of the sources; must be that of the kernels inside the emulator
//   sm_90 NAME REGISTERS       of a thread; a line for each kernel and device that nvcc has compiled, possibly none
#pragma once

#include <map>
#include <string>

namespace gru4j::emulator {

struct KernelImage {
    // Of a thread, by the kernel's name; what is not here is not known.
    std::map<std::string, int> registers;
};

// Reads the image, and of its registers those of the emulated device. A driver's code, told to stderr if not SUCCESS.
int read_image(const char* text, KernelImage& image);

} // namespace gru4j::emulator
