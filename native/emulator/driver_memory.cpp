// SPDX-License-Identifier: Apache-2.0
//
// The driver's functions about memory: allocations, copies, fills.
//
// A copy between the device and pinned memory is done when its stream is, late as it may be; one from or to other host
// memory is over when the call returns, which is what the driver promises for pageable memory.
#include "driver.h"

#include "device_memory.h"
#include "pages.h"
#include "trace.h"

#include <algorithm>
#include <map>
#include <stdlib.h>
#include <string.h>

using namespace gru4j::emulator;

namespace {

std::map<uint64_t, size_t>& pinned() {
    static std::map<uint64_t, size_t> map;
    return map;
}

bool is_pinned(const void* host, size_t bytes) {
    uint64_t address = reinterpret_cast<uint64_t>(host);
    auto next = pinned().upper_bound(address);
    return next != pinned().begin() && address + bytes <= std::prev(next)->first + std::prev(next)->second;
}

int check_range(const char* function, uint64_t address, size_t bytes) {
    if (device_memory().contains(address, bytes)) {
        return SUCCESS;
    }
    return report(INVALID_VALUE, std::string(function) + " of " + std::to_string(bytes) + " bytes at " +
                                     device_memory().describe(reinterpret_cast<const void*>(address)));
}

void* pointer(uint64_t address) {
    return reinterpret_cast<void*>(address);
}

// Memory that a graph was recorded with may be gone when it is launched.
bool is_still_there(const char* what, uint64_t address, size_t bytes) {
    if (check_range(what, address, bytes) != SUCCESS) {
        fail_context(ILLEGAL_ADDRESS, std::string(last_report()));
        return false;
    }
    return true;
}

void copy_to_device(uint64_t to, const void* from, size_t bytes) {
    if (is_still_there("a copy to the device", to, bytes)) {
        trace().write(to, from, bytes);
        memcpy(pointer(to), from, bytes);
    }
}

void copy_to_host(void* to, uint64_t from, size_t bytes) {
    if (is_still_there("a copy to the host", from, bytes)) {
        trace().read(from, bytes);
        memcpy(to, pointer(from), bytes);
    }
}

void copy_on_device(uint64_t to, uint64_t from, size_t bytes) {
    if (is_still_there("a copy on the device", to, bytes) && is_still_there("a copy on the device", from, bytes)) {
        trace().copy(to, from, bytes);
        memmove(pointer(to), pointer(from), bytes);
    }
}

void fill(uint64_t to, uint32_t word, size_t words) {
    if (is_still_there("a fill", to, words * sizeof(uint32_t))) {
        trace().fill(to, word, words);
        std::fill_n(static_cast<uint32_t*>(pointer(to)), words, word);
    }
}

// Gives work that touches host memory to a stream, and waits for it unless that memory is pinned.
int give_copy(const char* function, void* stream_handle, const void* host, size_t bytes, std::function<void()> work) {
    auto stream = stream_of(stream_handle);
    if (!stream) {
        return no_such(function, "stream");
    }
    if (is_pinned(host, bytes)) {
        return give(*stream, std::move(work));
    }
    if (stream->capture) {
        return spoil(*stream->capture, function);
    }
    give(*stream, std::move(work));
    finish(*stream);
    return context().failure;
}

int give_on_device(const char* function, void* stream_handle, std::function<void()> work) {
    auto stream = stream_of(stream_handle);
    return stream ? give(*stream, std::move(work)) : no_such(function, "stream");
}

} // namespace

GRU4J_EXPORT int cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
    GRU4J_DRIVER_CALL(cuMemGetInfo_v2, CONTEXT)
    *total_bytes = static_cast<size_t>(settings().memory_bytes);
    *free_bytes = *total_bytes - std::min(*total_bytes, device_memory().allocated_bytes());
    return SUCCESS;
}

GRU4J_EXPORT int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    GRU4J_DRIVER_CALL(cuMemAlloc_v2, CONTEXT_WITHOUT_CAPTURE)
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    size_t total = static_cast<size_t>(settings().memory_bytes);
    if (bytes > total || device_memory().allocated_bytes() > total - bytes) {
        return OUT_OF_MEMORY;
    }
    *address = device_memory().allocate(bytes);
    if (*address == 0) {
        return OUT_OF_MEMORY;
    }
    trace().allocate(*address, bytes);
    return SUCCESS;
}

GRU4J_EXPORT int cuMemFree_v2(uint64_t address) {
    GRU4J_DRIVER_CALL(cuMemFree_v2, CONTEXT_WITHOUT_CAPTURE)
    finish_all(); // as the driver does, so that nothing still uses the memory
    if (context().failure != SUCCESS) {
        return context().failure;
    }
    if (address != 0 && !device_memory().release(address)) {
        return report(INVALID_VALUE, "cuMemFree of " + device_memory().describe(pointer(address)));
    }
    trace().release(address);
    return SUCCESS;
}

GRU4J_EXPORT int cuMemHostAlloc(void** host, size_t bytes, unsigned) {
    GRU4J_DRIVER_CALL(cuMemHostAlloc, CONTEXT_WITHOUT_CAPTURE)
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (posix_memalign(host, kPageBytes, bytes) != 0) {
        return OUT_OF_MEMORY;
    }
    memset(*host, kPoison, bytes);
    pinned()[reinterpret_cast<uint64_t>(*host)] = bytes;
    return SUCCESS;
}

GRU4J_EXPORT int cuMemFreeHost(void* host) {
    GRU4J_DRIVER_CALL(cuMemFreeHost, CONTEXT_WITHOUT_CAPTURE)
    finish_all();
    if (pinned().erase(reinterpret_cast<uint64_t>(host)) == 0) {
        return report(INVALID_VALUE, "cuMemFreeHost of memory that cuMemHostAlloc did not give");
    }
    free(host);
    return context().failure;
}

GRU4J_EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    GRU4J_DRIVER_CALL(cuMemcpyHtoDAsync_v2, CONTEXT)
    if (int code = check_range("cuMemcpyHtoDAsync", to, bytes)) {
        return code;
    }
    return give_copy("cuMemcpyHtoDAsync", stream, from, bytes, [=] { copy_to_device(to, from, bytes); });
}

GRU4J_EXPORT int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    GRU4J_DRIVER_CALL(cuMemcpyDtoHAsync_v2, CONTEXT)
    if (int code = check_range("cuMemcpyDtoHAsync", from, bytes)) {
        return code;
    }
    return give_copy("cuMemcpyDtoHAsync", stream, to, bytes, [=] { copy_to_host(to, from, bytes); });
}

GRU4J_EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    GRU4J_DRIVER_CALL(cuMemcpyDtoDAsync_v2, CONTEXT)
    if (int code = check_range("cuMemcpyDtoDAsync", to, bytes)) {
        return code;
    }
    if (int code = check_range("cuMemcpyDtoDAsync", from, bytes)) {
        return code;
    }
    if (to < from + bytes && from < to + bytes) {
        return report(INVALID_VALUE, "cuMemcpyDtoDAsync of two ranges that overlap");
    }
    return give_on_device("cuMemcpyDtoDAsync", stream, [=] { copy_on_device(to, from, bytes); });
}

GRU4J_EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    GRU4J_DRIVER_CALL(cuMemcpyHtoD_v2, CONTEXT_WITHOUT_CAPTURE)
    if (int code = check_range("cuMemcpyHtoD", to, bytes)) {
        return code;
    }
    give(*stream_of(nullptr), [=] { copy_to_device(to, from, bytes); });
    return context().failure;
}

GRU4J_EXPORT int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    GRU4J_DRIVER_CALL(cuMemcpyDtoH_v2, CONTEXT_WITHOUT_CAPTURE)
    if (int code = check_range("cuMemcpyDtoH", from, bytes)) {
        return code;
    }
    give(*stream_of(nullptr), [=] { copy_to_host(to, from, bytes); });
    return context().failure;
}

GRU4J_EXPORT int cuMemsetD32Async(uint64_t to, unsigned word, size_t words, void* stream) {
    GRU4J_DRIVER_CALL(cuMemsetD32Async, CONTEXT)
    if (int code = check_range("cuMemsetD32Async", to, words * sizeof(uint32_t))) {
        return code;
    }
    if (to % sizeof(uint32_t) != 0) {
        return report(INVALID_VALUE, "cuMemsetD32Async at an address that is no multiple of 4");
    }
    return give_on_device("cuMemsetD32Async", stream, [=] { fill(to, word, words); });
}
