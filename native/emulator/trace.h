// SPDX-License-Identifier: Apache-2.0
//
// A record of everything that was done to the device, in order, with all data: replay.cpp does it again without a JVM,
// under a sanitizer or in another order of threads, and compares what is read back bit for bit.
//
// Written when the environment names a file: GRU4J_EMULATOR_TRACE=path. Numbers are those of the machine that wrote it.
#pragma once

#include "kernels.h"

#include <stdint.h>
#include <stdio.h>
#include <vector>

namespace gru4j::emulator {

enum class Step : uint32_t { ALLOCATE = 1, RELEASE, WRITE, FILL, COPY, READ, LAUNCH, LAUNCH_COOPERATIVE };

class Trace {
public:
    explicit Trace(const char* path);
    ~Trace();
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    // Without a file, all of these do nothing.
    void allocate(uint64_t address, uint64_t bytes);
    void release(uint64_t address);
    void write(uint64_t to, const void* from, uint64_t bytes);
    void fill(uint64_t to, uint32_t word, uint64_t words);
    void copy(uint64_t to, uint64_t from, uint64_t bytes);
    void read(uint64_t from, uint64_t bytes);
    void launch(const Launch& launch);

private:
    FILE* file_;
    std::vector<unsigned char> step_;

    bool begin(Step step);
    template <typename T> void number(T value);
    void data(const void* from, uint64_t bytes);
    void end();
};

Trace& trace();

} // namespace gru4j::emulator
