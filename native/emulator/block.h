// SPDX-License-Identifier: Apache-2.0
//
// The state of blocks that run: their threads, what these wait for, and how a report names them.
#pragma once

#include "emulator.h"
#include "fiber.h"
#include "happens_before.h"
#include "shared_memory.h"
#include "tensor_core.h"

#include <algorithm>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <string>
#include <vector>

namespace gru4j::emulator {

constexpr int kLanes = kMmaLanes;

struct Block;

// A fiber and the CUDA thread that it runs.
//
// To ThreadSanitizer, a strand needs a stack of its own, so there every thread of a block has its worker. Strands are
// dear, hence no more than for two blocks in turn, unless all run at once: a race between blocks that are no neighbours
// needs another seed.
struct Worker {
    Fiber fiber;
    Block* block = nullptr;
    Thread thread{};
    Strand strand{};
};

// Threads that wait until `expected` of them are at one place in the text.
struct Meeting {
    int expected = 0;
    const char* file = nullptr;
    int line = 0;
    std::vector<Worker*> waiting;
    unsigned generation = 0;
    char
        tokens[2]{}; // one per generation in turn: a fast thread may be at the next meeting before a slow one left this

    void* token() { return &tokens[generation % 2]; }
};

struct Lane {
    uint64_t value;
    uint64_t result;
    int mask;
};

struct Warp {
    Meeting meeting;
    Lane lanes[kLanes];
    MmaLane mma_lanes[kLanes];
};

// A block that runs.
struct Block {
    size_t slot = 0; // which of the workers its threads take where each has its own
    Thread first{};  // its thread 0
    std::vector<int> order;
    size_t started = 0;
    int ended = 0;
    Meeting meeting;
    std::vector<Warp> warps;
    SharedMemory shared;

    bool is_begun() const { return started == order.size(); }
};

// A thread that waits for a counter in device memory.
struct FlagWait {
    Worker* worker;
    const unsigned* flag;
    unsigned count;
    const char* file;
    int line;

    bool is_over() const { return static_cast<int>(*flag - count) >= 0; }
};

inline std::string place(const char* file, int line) {
    const char* slash = strrchr(file, '/');
    return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
}

// "threads 0-31, 40": who waits.
inline std::string threads_of(const std::vector<Worker*>& workers) {
    std::vector<int> numbers;
    for (const Worker* worker : workers) {
        numbers.push_back(worker->thread.thread_x);
    }
    std::sort(numbers.begin(), numbers.end());
    std::string text = numbers.size() == 1 ? "thread " : "threads ";
    for (size_t i = 0; i < numbers.size();) {
        size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) {
            last++;
        }
        text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
        text += last == i ? "" : "-" + std::to_string(numbers[last]);
        i = last + 1;
    }
    return text;
}

} // namespace gru4j::emulator
