// SPDX-License-Identifier: Apache-2.0
//
// The driver's functions about modules and launches.
#include "driver.h"

#include "block_runner.h"
#include "device_memory.h"
#include "kernel_image.h"
#include "trace.h"

#include <algorithm>
#include <map>
#include <string.h>
#include <vector>

using namespace gru4j::emulator;

namespace {

constexpr int kUsualSharedBytes = 49'152; // of a kernel that did not ask for more
constexpr int kMaxThreads = 1024;
constexpr unsigned kMaxGrid = 65'535;   // in y and z
constexpr int kMaxThreadsAtOnce = 2048; // of a multiprocessor, as its blocks and bytes shared below
constexpr int kMaxBlocksAtOnce = 32;
constexpr int kSharedBytesAtOnce = 233'472;
constexpr int kReservedSharedBytes = 1024; // of every block
constexpr int kRegistersAtOnce = 65'536;   // of a multiprocessor, and the most of a block
constexpr int kRegisterUnit = 8;           // a thread takes whole units

struct Function {
    const Kernel* kernel;
    int registers; // of a thread; 0 if nobody knows
    int shared_limit = kUsualSharedBytes;
};

struct Module {
    KernelImage image;
    std::map<std::string, Function> functions; // a map: addresses of its values are the handles
};

Handles<Module>& modules() {
    static Handles<Module> handles;
    return handles;
}

// The argument struct's words that are device addresses must lead to memory; its other words never look like one.
std::string stale_argument(const Kernel& kernel, const unsigned char* args) {
    for (size_t offset = 0; offset + sizeof(uint64_t) <= kernel.args_bytes; offset += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, args + offset, sizeof word);
        if (device_memory().is_device_address(word) && !device_memory().contains(word, 0)) {
            return "the argument at byte " + std::to_string(offset) + " is " +
                   device_memory().describe(reinterpret_cast<const void*>(word));
        }
    }
    return "";
}

void run(Launch launch, const std::vector<unsigned char>& args) {
    launch.args = args.data();
    auto fail = [&launch](int code, const std::string& why) { fail_context(code, describe(launch) + ": " + why); };
    if (std::string stale = stale_argument(*launch.kernel, args.data()); !stale.empty()) {
        fail(ILLEGAL_ADDRESS, stale);
        return;
    }
    trace().launch(launch);
    if (auto failure = run_launch(launch, static_cast<uint64_t>(settings().seed))) {
        fail(failure->kind == LaunchFailure::BAD_ACCESS ? ILLEGAL_ADDRESS : LAUNCH_FAILED, failure->text);
    } else if (std::string damage = device_memory().damage(); !damage.empty()) {
        fail(ILLEGAL_ADDRESS, "writes " + damage);
    }
}

int refuse(const Launch& launch, const std::string& why) {
    return report(INVALID_VALUE, describe(launch) + ": " + why);
}

// Registers of a block, by whole warps; 0 if nobody knows.
int registers_of_block(const Function& function, unsigned threads) {
    const int of_thread = (function.registers + kRegisterUnit - 1) / kRegisterUnit * kRegisterUnit;
    return static_cast<int>((threads + 31) / 32) * 32 * of_thread;
}

// Blocks of a cooperative launch. Where registers are not known, the device may hold fewer.
long long blocks_at_once(const Function& function, unsigned threads, unsigned shared_bytes) {
    const unsigned warps = (threads + 31) / 32;
    const int registers = registers_of_block(function, threads);
    const int of_registers = registers == 0 ? kMaxBlocksAtOnce : kRegistersAtOnce / registers;
    const int of_threads = threads == 0 ? 0 : static_cast<int>(kMaxThreadsAtOnce / (32 * warps));
    const int of_shared = kSharedBytesAtOnce / static_cast<int>(shared_bytes + kReservedSharedBytes);
    return settings().multiprocessors * std::min({kMaxBlocksAtOnce, of_threads, of_shared, of_registers});
}

int enqueue(const Function& function, const Launch& launch, unsigned block_y, unsigned block_z, void* stream_handle,
            void** parameters) {
    auto stream = stream_of(stream_handle);
    if (!stream) {
        return no_such("launch", "stream");
    }
    if (parameters == nullptr) {
        return refuse(launch, "its argument struct must come through kernelParams");
    }
    if (launch.grid_x == 0 || launch.grid_y == 0 || launch.grid_z == 0 || launch.grid_x > 0x7fffffffu ||
        launch.grid_y > kMaxGrid || launch.grid_z > kMaxGrid) {
        return refuse(launch, "a grid has 1 to 2147483647, 65535 and 65535 blocks");
    }
    if (block_y != 1 || block_z != 1) {
        return refuse(launch, "its blocks have one dimension; y " + std::to_string(block_y) + " and z " +
                                  std::to_string(block_z) + " found");
    }
    int max_threads = std::min(kMaxThreads, function.kernel->max_threads);
    if (launch.threads == 0 || launch.threads > static_cast<unsigned>(max_threads)) {
        return refuse(launch, "its blocks have 1 to " + std::to_string(max_threads) + " threads");
    }
    if (launch.shared_bytes > static_cast<size_t>(function.shared_limit)) {
        return refuse(launch, "it may use " + std::to_string(function.shared_limit) + " bytes shared");
    }
    if (const int registers = registers_of_block(function, launch.threads); registers > kRegistersAtOnce) {
        return report(LAUNCH_OUT_OF_RESOURCES, describe(launch) + ": its block takes " + std::to_string(registers) +
                                                   " registers; at most " + std::to_string(kRegistersAtOnce) +
                                                   " expected");
    }
    const unsigned char* args = static_cast<const unsigned char*>(parameters[0]);
    // The driver takes the arguments during the call, too.
    return give(*stream, [launch, copy = std::vector<unsigned char>(args, args + function.kernel->args_bytes)] {
        run(launch, copy);
    });
}

} // namespace

GRU4J_EXPORT int cuModuleLoadData(void** module, const void* image) {
    GRU4J_DRIVER_CALL(cuModuleLoadData, CONTEXT_WITHOUT_CAPTURE)
    KernelImage read;
    if (int code = read_image(static_cast<const char*>(image), read)) {
        return code;
    }
    *module = modules().add();
    modules().find(*module)->image = std::move(read);
    return SUCCESS;
}

GRU4J_EXPORT int cuModuleUnload(void* module) {
    GRU4J_DRIVER_CALL(cuModuleUnload, CONTEXT_WITHOUT_CAPTURE)
    if (modules().find(module) == nullptr) {
        return no_such("cuModuleUnload", "module");
    }
    finish_all();
    modules().remove(module);
    return context().failure;
}

GRU4J_EXPORT int cuModuleGetFunction(void** function, void* module, const char* name) {
    GRU4J_DRIVER_CALL(cuModuleGetFunction, CONTEXT)
    Module* found = modules().find(module);
    if (found == nullptr) {
        return no_such("cuModuleGetFunction", "module");
    }
    const Kernel* kernel = find_kernel(name);
    if (kernel == nullptr) {
        return NOT_FOUND;
    }
    const auto known = found->image.registers.find(name);
    const int registers = known == found->image.registers.end() ? 0 : known->second;
    *function = &found->functions.emplace(name, Function{kernel, registers}).first->second;
    return SUCCESS;
}

GRU4J_EXPORT int cuFuncSetAttribute(void* handle, int attribute, int value) {
    GRU4J_DRIVER_CALL(cuFuncSetAttribute, CONTEXT)
    constexpr int kMaxDynamicSharedBytes = 8;
    if (attribute != kMaxDynamicSharedBytes || value < 0 || value > settings().shared_bytes_per_block) {
        return INVALID_VALUE;
    }
    static_cast<Function*>(handle)->shared_limit = value;
    return SUCCESS;
}

GRU4J_EXPORT int cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream,
                                void** parameters, void** extra) {
    GRU4J_DRIVER_CALL(cuLaunchKernel, CONTEXT)
    if (handle == nullptr) {
        return no_such("cuLaunchKernel", "function");
    }
    const Function& function = *static_cast<Function*>(handle);
    const Launch launch{function.kernel, nullptr, grid_x, grid_y, grid_z, block_x, shared_bytes};
    if (extra != nullptr) {
        return refuse(launch, "its argument struct must come through kernelParams");
    }
    return enqueue(function, launch, block_y, block_z, stream, parameters);
}

GRU4J_EXPORT int cuLaunchCooperativeKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                           unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                           void* stream, void** parameters) {
    GRU4J_DRIVER_CALL(cuLaunchCooperativeKernel, CONTEXT)
    if (handle == nullptr) {
        return no_such("cuLaunchCooperativeKernel", "function");
    }
    const Function& function = *static_cast<Function*>(handle);
    const Launch launch{function.kernel, nullptr, grid_x, grid_y, grid_z, block_x, shared_bytes, true};
    const uint64_t blocks = static_cast<uint64_t>(grid_x) * grid_y * grid_z;
    const long long limit = blocks_at_once(function, block_x, shared_bytes);
    if (blocks > static_cast<uint64_t>(limit)) {
        return report(COOPERATIVE_LAUNCH_TOO_LARGE,
                      describe(launch) + ": this device runs " + std::to_string(limit) + " such blocks at once");
    }
    return enqueue(function, launch, block_y, block_z, stream, parameters);
}
