// SPDX-License-Identifier: Apache-2.0
#include "trace.h"

#include <stdlib.h>

namespace gru4j::emulator {

Trace& trace() {
    static Trace instance(getenv("GRU4J_EMULATOR_TRACE"));
    return instance;
}

Trace::Trace(const char* path) : file_(path == nullptr ? nullptr : fopen(path, "wb")) {
    if (path != nullptr && file_ == nullptr) {
        perror(path);
        abort();
    }
}

Trace::~Trace() {
    if (file_ != nullptr) {
        fclose(file_);
    }
}

bool Trace::begin(Step step) {
    if (file_ == nullptr) {
        return false;
    }
    number(step);
    return true;
}

template <typename T> void Trace::number(T value) {
    data(&value, sizeof value);
}

void Trace::data(const void* from, uint64_t bytes) {
    const unsigned char* begin = static_cast<const unsigned char*>(from);
    step_.insert(step_.end(), begin, begin + bytes);
}

// Whole steps go to the file at once, because a JVM may end without closing it.
void Trace::end() {
    if (fwrite(step_.data(), 1, step_.size(), file_) != step_.size() || fflush(file_) != 0) {
        perror("GRU4J_EMULATOR_TRACE");
        abort();
    }
    step_.clear();
}

void Trace::allocate(uint64_t address, uint64_t bytes) {
    if (begin(Step::ALLOCATE)) {
        number(address);
        number(bytes);
        end();
    }
}

void Trace::release(uint64_t address) {
    if (begin(Step::RELEASE)) {
        number(address);
        end();
    }
}

void Trace::write(uint64_t to, const void* from, uint64_t bytes) {
    if (begin(Step::WRITE)) {
        number(to);
        number(bytes);
        data(from, bytes);
        end();
    }
}

void Trace::fill(uint64_t to, uint32_t word, uint64_t words) {
    if (begin(Step::FILL)) {
        number(to);
        number(word);
        number(words);
        end();
    }
}

void Trace::copy(uint64_t to, uint64_t from, uint64_t bytes) {
    if (begin(Step::COPY)) {
        number(to);
        number(from);
        number(bytes);
        end();
    }
}

void Trace::read(uint64_t from, uint64_t bytes) {
    if (begin(Step::READ)) {
        number(from);
        number(bytes);
        data(reinterpret_cast<const void*>(from), bytes); // device addresses are host addresses here
        end();
    }
}

void Trace::launch(const Launch& launch) {
    if (begin(launch.cooperative ? Step::LAUNCH_COOPERATIVE : Step::LAUNCH)) {
        number(static_cast<uint64_t>(launch.kernel->name.size()));
        data(launch.kernel->name.data(), launch.kernel->name.size());
        number(launch.grid_x);
        number(launch.grid_y);
        number(launch.grid_z);
        number(launch.threads);
        number(static_cast<uint64_t>(launch.shared_bytes));
        number(static_cast<uint64_t>(launch.kernel->args_bytes));
        data(launch.args, launch.kernel->args_bytes);
        end();
    }
}

} // namespace gru4j::emulator
