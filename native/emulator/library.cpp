// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include "device_memory.h"
#include "driver.h"
#include "trace.h"

#include <string>
#include <vector>

using namespace gru4j::emulator;

int gru4j_emulator_begin(const char* function) {
    std::lock_guard lock(driver_mutex());
    return begin_call(function, Needs::CONTEXT);
}

int gru4j_emulator_check(const char* what, uint64_t address, size_t bytes) {
    std::lock_guard lock(driver_mutex());
    if (device_memory().contains(address, bytes)) {
        return SUCCESS;
    }
    return report(INVALID_VALUE, std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                                     device_memory().describe(reinterpret_cast<const void*>(address)));
}

int gru4j_emulator_enqueue(const char* function, void* stream_handle, void (*work)(const void*), const void* arguments,
                           size_t bytes) {
    std::lock_guard lock(driver_mutex());
    auto stream = stream_of(stream_handle);
    if (!stream) {
        return report(INVALID_HANDLE, std::string(function) + " on a stream that does not exist");
    }
    const unsigned char* begin = static_cast<const unsigned char*>(arguments);
    return give(*stream, [work, copy = std::vector<unsigned char>(begin, begin + bytes)] { work(copy.data()); });
}

int gru4j_emulator_use(const char* what, uint64_t address, size_t bytes) {
    if (!device_memory().contains(address, bytes)) {
        fail_context(ILLEGAL_ADDRESS, std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                                          device_memory().describe(reinterpret_cast<const void*>(address)));
    }
    return context().failure;
}

void gru4j_emulator_wrote(uint64_t address, size_t bytes) {
    trace().write(address, reinterpret_cast<const void*>(address), bytes); // the lock is held by whoever does the work
}

void gru4j_emulator_synchronize(const char* function) {
    std::lock_guard lock(driver_mutex());
    synchronize_context(function);
}
