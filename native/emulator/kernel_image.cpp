// SPDX-License-Identifier: Apache-2.0
#include "kernel_image.h"

#include "driver.h"

#include <sstream>
#include <string.h>

namespace gru4j::emulator {

extern const char kKernelsHash[]; // made by native/emulator/build

int read_image(const char* text, KernelImage& image) {
    constexpr char kBegin[] = "gru4j kernels\n";
    // Piece by piece: what is no such image need not end with a zero.
    if (strncmp(text, kBegin, strlen(kBegin)) != 0) {
        return report(INVALID_IMAGE, "cuModuleLoadData: not the file `sources` that cuda/build packs");
    }
    text += strlen(kBegin);
    if (strncmp(text, kKernelsHash, strlen(kKernelsHash)) != 0) {
        return report(INVALID_SOURCE, "cuModuleLoadData: the image comes from other sources than the emulator; "
                                      "build both again");
    }
    std::istringstream lines(text + strlen(kKernelsHash));
    const std::string emulated =
        "sm_" + std::to_string(settings().compute_major) + std::to_string(settings().compute_minor);
    std::string device;
    std::string name;
    int registers;
    while (lines >> device >> name >> registers) {
        if (device == emulated) {
            image.registers[name] = registers;
        }
    }
    return lines.eof() ? SUCCESS : report(INVALID_IMAGE, "cuModuleLoadData: not a device, a kernel and its registers");
}

} // namespace gru4j::emulator
