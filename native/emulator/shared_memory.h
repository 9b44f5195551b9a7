// SPDX-License-Identifier: Apache-2.0
//
// The shared memory of the block that runs: fresh, poisoned and guarded for every block.
#pragma once

#include <stddef.h>
#include <string>

namespace gru4j::emulator {

class SharedMemory {
public:
    SharedMemory();
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    // What the next block gets: `bytes` bytes of poison.
    unsigned char* renew(size_t bytes);

    // What was written beside the bytes that were asked for; empty if nothing was.
    std::string damage() const;

    // "4 bytes past the end of 256 bytes of shared memory"; empty for an address that is far from it.
    std::string describe(const void* address) const;

private:
    unsigned char* pages_ = nullptr;
    unsigned char* begin_ = nullptr;
    size_t bytes_ = 0;
};

} // namespace gru4j::emulator
