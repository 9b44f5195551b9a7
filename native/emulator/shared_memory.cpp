// SPDX-License-Identifier: Apache-2.0
#include "shared_memory.h"

#include "pages.h"
#include "poison.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

namespace gru4j::emulator {

namespace {

constexpr size_t kCapacityBytes = 256 * 1024; // more than any device has
constexpr size_t kAlignBytes = 16;            // what GRU4J_SHARED promises
constexpr size_t kMarginBytes = 256;          // watched in front of the block's bytes
#ifdef GRU4J_TSAN
constexpr bool kNewPagesPerBlock = true;
#else
constexpr bool kNewPagesPerBlock = false;
#endif

} // namespace

SharedMemory::SharedMemory() {
    void* pages = mmap(nullptr, kCapacityBytes + kPageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        abort();
    }
    pages_ = static_cast<unsigned char*>(pages);
}

SharedMemory::~SharedMemory() {
    munmap(pages_, kCapacityBytes + kPageBytes);
}

unsigned char* SharedMemory::renew(size_t bytes) {
    if (begin_ == nullptr || kNewPagesPerBlock) {
        // ThreadSanitizer forgets accesses to pages that are mapped anew; without that, it would see a race between two
        // blocks that have the same address for what are two different shared memories.
        mmap(pages_, kCapacityBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    bytes_ = bytes;
    begin_ = pages_ + kCapacityBytes - round_up(bytes, kAlignBytes);
    unsigned char* from = begin_ - kMarginBytes;
    permit(pages_, kCapacityBytes);
    memset(from, kPoison, static_cast<size_t>(pages_ + kCapacityBytes - from));
    forbid(pages_, static_cast<size_t>(begin_ - pages_));
    forbid(begin_ + bytes, round_up(bytes, kAlignBytes) - bytes);
    return begin_;
}

std::string SharedMemory::damage() const {
    const unsigned char* end = begin_ + bytes_;
    if (first_written(begin_ - kMarginBytes, kMarginBytes) != nullptr) {
        return "writes in front of its shared memory";
    }
    if (const unsigned char* at = first_written(end, static_cast<size_t>(pages_ + kCapacityBytes - end))) {
        return "writes " + describe(at);
    }
    return "";
}

std::string SharedMemory::describe(const void* address) const {
    const unsigned char* at = static_cast<const unsigned char*>(address);
    const unsigned char* end = begin_ + bytes_;
    if (at < end || at >= pages_ + kCapacityBytes + kPageBytes) {
        return "";
    }
    return std::to_string(at - end) + " bytes past the end of its " + std::to_string(bytes_) +
           " bytes of shared memory";
}

} // namespace gru4j::emulator
