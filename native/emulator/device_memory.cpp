// SPDX-License-Identifier: Apache-2.0
#include "device_memory.h"

#include "pages.h"
#include "poison.h"

#include <algorithm>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace gru4j::emulator {

namespace {

// The same addresses in every process, so that a trace can be replayed; among those that ThreadSanitizer and
// AddressSanitizer leave to programs, below where position-independent programs are loaded.
constexpr uint64_t kRangeBegin = 0x550000000000;
constexpr uint64_t kRangeBytes = 160ULL << 30;
constexpr size_t kAlignBytes = 256;  // what the driver promises
constexpr size_t kMarginBytes = 256; // watched in front of an allocation

void* pointer(uint64_t address) {
    return reinterpret_cast<void*>(address); // device addresses are host addresses here
}

} // namespace

DeviceMemory& device_memory() {
    static DeviceMemory* memory = new DeviceMemory; // lives until the process ends, whatever is destroyed before
    return *memory;
}

DeviceMemory::DeviceMemory() {
    void* range = mmap(pointer(kRangeBegin), kRangeBytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (range == MAP_FAILED) {
        range = mmap(nullptr, kRangeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (range == MAP_FAILED) {
        abort();
    }
    range_begin_ = reinterpret_cast<uint64_t>(range);
    next_ = range_begin_ + kPageBytes;
}

// New addresses as long as there are some, then the first free ones that suffice.
uint64_t DeviceMemory::take_pages(size_t bytes) {
    if (next_ + bytes <= range_begin_ + kRangeBytes) {
        next_ += bytes;
        return next_ - bytes;
    }
    for (auto& [begin, end] : free_) {
        if (end - begin >= bytes) {
            uint64_t taken = begin, rest = begin + bytes, rest_end = end;
            free_.erase(begin);
            if (rest < rest_end) {
                free_[rest] = rest_end;
            }
            released_.erase(released_.lower_bound(taken), released_.lower_bound(rest));
            return taken;
        }
    }
    return 0;
}

uint64_t DeviceMemory::allocate(size_t bytes) {
    if (bytes > kRangeBytes) {
        return 0;
    }
    size_t data = round_up(bytes, kAlignBytes);
    size_t accessible = round_up(data + kMarginBytes, kPageBytes);
    uint64_t begin = take_pages(accessible + kPageBytes);
    if (begin == 0 || mprotect(pointer(begin), accessible, PROT_READ | PROT_WRITE) != 0) {
        return 0;
    }
    uint64_t address = begin + accessible - data;
    memset(pointer(address - kMarginBytes), kPoison, kMarginBytes + data);
    forbid(pointer(address - kMarginBytes), kMarginBytes);
    forbid(pointer(address + bytes), data - bytes);
    live_[address] = {bytes, begin, begin + accessible + kPageBytes};
    allocated_bytes_ += bytes;
    return address;
}

bool DeviceMemory::release(uint64_t address) {
    auto found = live_.find(address);
    if (found == live_.end()) {
        return false;
    }
    Allocation gone = found->second;
    live_.erase(found);
    allocated_bytes_ -= gone.bytes;
    released_[address] = gone.bytes;
    permit(pointer(gone.pages_begin), gone.pages_end - gone.pages_begin);
    mmap(pointer(gone.pages_begin), gone.pages_end - gone.pages_begin, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

    auto next = free_.upper_bound(gone.pages_begin);
    if (next != free_.end() && next->first == gone.pages_end) {
        gone.pages_end = next->second;
        next = free_.erase(next);
    }
    if (next != free_.begin() && std::prev(next)->second == gone.pages_begin) {
        std::prev(next)->second = gone.pages_end;
    } else {
        free_[gone.pages_begin] = gone.pages_end;
    }
    return true;
}

void DeviceMemory::release_all() {
    while (!live_.empty()) {
        release(live_.begin()->first);
    }
}

bool DeviceMemory::contains(uint64_t address, size_t bytes) const {
    auto next = live_.upper_bound(address);
    if (next == live_.begin()) {
        return false;
    }
    const auto& [begin, allocation] = *std::prev(next);
    return address - begin <= allocation.bytes && bytes <= allocation.bytes - (address - begin);
}

bool DeviceMemory::is_device_address(uint64_t address) const {
    return address - range_begin_ < kRangeBytes;
}

std::string DeviceMemory::describe(const void* pointer) const {
    uint64_t address = reinterpret_cast<uint64_t>(pointer);
    if (!is_device_address(address)) {
        char text[64];
        snprintf(text, sizeof text, "address %p, which is no device memory", pointer);
        return text;
    }
    auto next = live_.upper_bound(address);
    if (next != live_.begin()) {
        const auto& [begin, allocation] = *std::prev(next);
        if (address < allocation.pages_end) {
            uint64_t offset = address - begin;
            return offset < allocation.bytes
                       ? "byte " + std::to_string(offset) + " of an allocation of " + std::to_string(allocation.bytes) +
                             " bytes"
                       : std::to_string(offset - allocation.bytes) + " bytes past the end of an allocation of " +
                             std::to_string(allocation.bytes) + " bytes";
        }
    }
    if (next != live_.end() && address >= next->second.pages_begin - kPageBytes) {
        return std::to_string(next->first - address) + " bytes in front of an allocation of " +
               std::to_string(next->second.bytes) + " bytes";
    }
    auto old = released_.upper_bound(address);
    if (old != released_.begin() && address - std::prev(old)->first < std::prev(old)->second) {
        return "byte " + std::to_string(address - std::prev(old)->first) + " of an allocation of " +
               std::to_string(std::prev(old)->second) + " bytes that has been freed";
    }
    return "an address of the device at which nothing is allocated";
}

std::string DeviceMemory::damage() {
    for (const auto& [address, allocation] : live_) {
        const std::pair<uint64_t, size_t> watched[] = {
            {address - kMarginBytes, kMarginBytes},
            {address + allocation.bytes, round_up(allocation.bytes, kAlignBytes) - allocation.bytes}};
        for (auto [begin, bytes] : watched) {
            if (const void* written = first_written(static_cast<unsigned char*>(pointer(begin)), bytes)) {
                std::string found = describe(written);
                permit(pointer(begin), bytes);
                memset(pointer(begin), kPoison, bytes); // reported once
                forbid(pointer(begin), bytes);
                return found;
            }
        }
    }
    return "";
}

} // namespace gru4j::emulator
