// SPDX-License-Identifier: Apache-2.0
//
// The memory of the emulated device: a range of addresses of its own, in which every allocation is poisoned, ends at a
// page that nobody may touch, and is found again by any address inside it. Addresses are not reused before the whole
// range has been handed out once, so a pointer that outlived its memory is noticed.
#pragma once

#include <map>
#include <stddef.h>
#include <stdint.h>
#include <string>

namespace gru4j::emulator {

class DeviceMemory {
public:
    DeviceMemory();
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;

    // 0 if there is no room in the range of addresses; what the device's own size allows is not looked at here.
    uint64_t allocate(size_t bytes);

    // False if no allocation begins there.
    bool release(uint64_t address);

    void release_all();

    size_t allocated_bytes() const { return allocated_bytes_; }

    // True if all of these bytes lie in one allocation.
    bool contains(uint64_t address, size_t bytes) const;

    // True if the address lies in the range that allocations come from, whether or not in one of them.
    bool is_device_address(uint64_t address) const;

    // "8 bytes past the end of an allocation of 400 bytes", to complete "… accesses" or "… writes".
    std::string describe(const void* address) const;

    // Describes one place beside an allocation that has been written to and mends it; empty if there is none.
    std::string damage();

private:
    struct Allocation {
        size_t bytes;
        uint64_t pages_begin, pages_end; // with the page behind it that nobody may touch
    };

    uint64_t range_begin_ = 0;
    uint64_t next_ = 0;
    size_t allocated_bytes_ = 0;
    std::map<uint64_t, Allocation> live_; // by address
    std::map<uint64_t, uint64_t> free_;   // pages that were in use before: begin, end
    std::map<uint64_t, size_t> released_; // addresses and sizes of what lay in free_

    uint64_t take_pages(size_t bytes);
};

DeviceMemory& device_memory();

} // namespace gru4j::emulator
