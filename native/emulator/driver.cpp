// SPDX-License-Identifier: Apache-2.0
//
// What all functions share, and those about the driver, the device and its context.
#include "driver.h"

#include "device_memory.h"

#include <algorithm>
#include <map>
#include <stdio.h>
#include <string.h>
#include <vector>

namespace gru4j::emulator {

namespace {

bool initialized = false;
std::string report_text;

// The stack of contexts of this thread: handles, null for none.
thread_local std::vector<void*> current_contexts;

// A new handle for every life of the primary context, so that one kept from before is noticed.
uintptr_t context_life = 1;

void* context_handle() {
    return reinterpret_cast<void*>(0x1000 + context_life);
}

const std::map<int, std::pair<const char*, const char*>> kCodes = {
    {SUCCESS, {"CUDA_SUCCESS", "no error"}},
    {INVALID_VALUE, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {OUT_OF_MEMORY, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
    {NOT_INITIALIZED, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
    {NO_DEVICE, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
    {INVALID_DEVICE, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
    {INVALID_IMAGE, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
    {INVALID_CONTEXT, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {209, {"CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"}},
    {218, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
    {222, {"CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."}},
    {INVALID_SOURCE, {"CUDA_ERROR_INVALID_SOURCE", "device kernel image is invalid"}},
    {INVALID_HANDLE, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
    {ILLEGAL_STATE, {"CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"}},
    {NOT_FOUND, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {NOT_READY, {"CUDA_ERROR_NOT_READY", "device not ready"}},
    {ILLEGAL_ADDRESS, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
    {701, {"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"}},
    {CONTEXT_IS_DESTROYED, {"CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"}},
    {LAUNCH_FAILED, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
    {COOPERATIVE_LAUNCH_TOO_LARGE,
     {"CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "too many blocks in cooperative launch"}},
    {802, {"CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"}},
    {803, {"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"}},
    {STREAM_CAPTURE_UNSUPPORTED,
     {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
    {STREAM_CAPTURE_INVALIDATED,
     {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"}},
    {STREAM_CAPTURE_MERGE,
     {"CUDA_ERROR_STREAM_CAPTURE_MERGE", "operation would result in a merge of separate capture sequences"}},
    {STREAM_CAPTURE_UNMATCHED,
     {"CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"}},
    {STREAM_CAPTURE_UNJOINED, {"CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"}},
    {STREAM_CAPTURE_ISOLATION,
     {"CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"}},
    {CAPTURED_EVENT,
     {"CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"}},
    {STREAM_CAPTURE_WRONG_THREAD,
     {"CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
      "attempt to terminate a thread-local capture sequence from another thread"}},
    {999, {"CUDA_ERROR_UNKNOWN", "unknown error"}},
};

} // namespace

std::mutex& driver_mutex() {
    static std::mutex mutex;
    return mutex;
}

Context& context() {
    static Context instance;
    return instance;
}

int begin_call(const char* function, Needs needs) {
    if (int code = injected_failure(function)) {
        return code;
    }
    if (needs != Needs::NOTHING && !initialized) {
        return NOT_INITIALIZED;
    }
    if (needs == Needs::CONTEXT || needs == Needs::CONTEXT_WITHOUT_CAPTURE) {
        if (current_contexts.empty() || current_contexts.back() == nullptr) {
            return report(INVALID_CONTEXT, std::string(function) + ": this thread has no current context");
        }
        if (context().users == 0 || current_contexts.back() != context_handle()) {
            return report(CONTEXT_IS_DESTROYED, std::string(function) + ": the current context was released");
        }
        if (context().failure != SUCCESS) {
            return context().failure;
        }
    }
    return needs == Needs::CONTEXT_WITHOUT_CAPTURE ? spoil_captures_of_thread(function) : SUCCESS;
}

int report(int code, const std::string& what) {
    report_text = what;
    fprintf(stderr, "gru4j emulator: %s\n", what.c_str());
    return code;
}

const std::string& last_report() {
    return report_text;
}

void forget_report() {
    report_text.clear();
}

void fail_context(int code, const std::string& what) {
    if (context().failure == SUCCESS) {
        context().failure = report(code, what);
    }
}

int no_such(const char* function, const char* what) {
    return report(INVALID_HANDLE, std::string(function) + ": no such " + what);
}

int synchronize_context(const char* function) {
    int code = SUCCESS;
    for (const auto& stream : context().streams) {
        if (stream->capture) {
            code = spoil(*stream->capture, function);
        }
    }
    finish_all();
    return context().failure != SUCCESS ? context().failure : code;
}

} // namespace gru4j::emulator

using namespace gru4j::emulator;

GRU4J_EXPORT int cuInit(unsigned flags) {
    GRU4J_DRIVER_CALL(cuInit, NOTHING)
    if (flags != 0) {
        return INVALID_VALUE;
    }
    if (settings().devices == 0) {
        return NO_DEVICE;
    }
    initialized = true;
    return SUCCESS;
}

GRU4J_EXPORT int cuDriverGetVersion(int* version) {
    GRU4J_DRIVER_CALL(cuDriverGetVersion, NOTHING)
    *version = static_cast<int>(settings().driver_version);
    return SUCCESS;
}

GRU4J_EXPORT int cuGetErrorName(int code, const char** name) {
    auto found = kCodes.find(code);
    *name = found == kCodes.end() ? nullptr : found->second.first;
    return found == kCodes.end() ? INVALID_VALUE : SUCCESS;
}

GRU4J_EXPORT int cuGetErrorString(int code, const char** text) {
    auto found = kCodes.find(code);
    *text = found == kCodes.end() ? nullptr : found->second.second;
    return found == kCodes.end() ? INVALID_VALUE : SUCCESS;
}

GRU4J_EXPORT int cuDeviceGetCount(int* count) {
    GRU4J_DRIVER_CALL(cuDeviceGetCount, INITIALIZED)
    *count = static_cast<int>(settings().devices);
    return SUCCESS;
}

GRU4J_EXPORT int cuDeviceGet(int* device, int ordinal) {
    GRU4J_DRIVER_CALL(cuDeviceGet, INITIALIZED)
    if (ordinal < 0 || ordinal >= settings().devices) {
        return INVALID_DEVICE;
    }
    *device = ordinal;
    return SUCCESS;
}

GRU4J_EXPORT int cuDeviceGetName(char* name, int bytes, int) {
    GRU4J_DRIVER_CALL(cuDeviceGetName, INITIALIZED)
    snprintf(name, static_cast<size_t>(std::max(bytes, 0)), "emulated on the CPU, no GPU");
    return SUCCESS;
}

GRU4J_EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int) {
    GRU4J_DRIVER_CALL(cuDeviceTotalMem_v2, INITIALIZED)
    *bytes = static_cast<size_t>(settings().memory_bytes);
    return SUCCESS;
}

GRU4J_EXPORT int cuDeviceGetAttribute(int* value, int attribute, int) {
    GRU4J_DRIVER_CALL(cuDeviceGetAttribute, INITIALIZED)
    const std::map<int, long long> attributes = {
        {1, 1024},                               // threads of a block
        {2, 1024},                               // block, x
        {3, 1024},                               // block, y
        {4, 64},                                 // block, z
        {5, 2'147'483'647},                      // grid, x
        {6, 65'535},                             // grid, y
        {7, 65'535},                             // grid, z
        {8, 49'152},                             // bytes shared of a block that did not ask for more
        {10, 32},                                // lanes of a warp
        {12, 65'536},                            // registers of a block
        {13, 1'980'000},                         // clock, kHz
        {16, settings().multiprocessors},        //
        {36, 3'201'000},                         // memory clock, kHz
        {37, 6144},                              // memory bus, bits
        {38, 62'914'560},                        // L2, bytes
        {39, 2048},                              // threads of a multiprocessor
        {75, settings().compute_major},          //
        {76, settings().compute_minor},          //
        {81, 233'472},                           // bytes shared of a multiprocessor
        {82, 65'536},                            // registers of a multiprocessor
        {95, 1},                                 // cooperative launch
        {97, settings().shared_bytes_per_block}, // bytes shared of a block that asks for it
        {106, 32},                               // blocks of a multiprocessor
    };
    auto found = attributes.find(attribute);
    if (found == attributes.end()) {
        return report(INVALID_VALUE,
                      "cuDeviceGetAttribute: attribute " + std::to_string(attribute) + " is not known to the emulator");
    }
    *value = static_cast<int>(found->second);
    return SUCCESS;
}

GRU4J_EXPORT int cuDevicePrimaryCtxRetain(void** handle, int) {
    GRU4J_DRIVER_CALL(cuDevicePrimaryCtxRetain, INITIALIZED)
    context().users++;
    *handle = context_handle();
    return SUCCESS;
}

GRU4J_EXPORT int cuDevicePrimaryCtxRelease_v2(int) {
    GRU4J_DRIVER_CALL(cuDevicePrimaryCtxRelease_v2, INITIALIZED)
    if (context().users == 0) {
        return report(INVALID_CONTEXT, "cuDevicePrimaryCtxRelease: nobody holds the primary context");
    }
    if (--context().users == 0) {
        finish_all();
        context() = Context();
        context_life++;
        device_memory().release_all();
    }
    return SUCCESS;
}

GRU4J_EXPORT int cuCtxPushCurrent_v2(void* handle) {
    GRU4J_DRIVER_CALL(cuCtxPushCurrent_v2, INITIALIZED)
    if (handle == nullptr) {
        return INVALID_CONTEXT;
    }
    current_contexts.push_back(handle);
    return SUCCESS;
}

GRU4J_EXPORT int cuCtxPopCurrent_v2(void** handle) {
    GRU4J_DRIVER_CALL(cuCtxPopCurrent_v2, INITIALIZED)
    if (current_contexts.empty()) {
        return report(INVALID_CONTEXT, "cuCtxPopCurrent: this thread has no current context");
    }
    *handle = current_contexts.back();
    current_contexts.pop_back();
    return SUCCESS;
}

GRU4J_EXPORT int cuCtxGetCurrent(void** handle) {
    GRU4J_DRIVER_CALL(cuCtxGetCurrent, INITIALIZED)
    *handle = current_contexts.empty() ? nullptr : current_contexts.back();
    return SUCCESS;
}

GRU4J_EXPORT int cuCtxSetCurrent(void* handle) {
    GRU4J_DRIVER_CALL(cuCtxSetCurrent, INITIALIZED)
    if (!current_contexts.empty()) {
        current_contexts.pop_back();
    }
    current_contexts.push_back(handle);
    return SUCCESS;
}

GRU4J_EXPORT int cuCtxSynchronize() {
    GRU4J_DRIVER_CALL(cuCtxSynchronize, CONTEXT)
    return synchronize_context("cuCtxSynchronize");
}
