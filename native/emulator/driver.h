// SPDX-License-Identifier: Apache-2.0
//
// State that the driver's functions share: the one device's primary context, its streams, what failed last.
//
// All functions take one lock, so calls of several threads are done one after another.
#pragma once

#include "settings.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdint.h>
#include <string>

namespace gru4j::emulator {

// The driver's codes, as many as are returned here.
enum Code : int {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_SOURCE = 300,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    CONTEXT_IS_DESTROYED = 709,
    LAUNCH_FAILED = 719,
    COOPERATIVE_LAUNCH_TOO_LARGE = 720,
};

std::mutex& driver_mutex();

// Work that was given to a stream and is not done yet. `given` and `done` count the pieces of its whole life.
struct Stream {
    bool blocking; // waits for the default stream, and that one for it
    std::deque<std::function<void()>> work{};
    uint64_t given = 0;
    uint64_t done = 0;
};

struct Context {
    int users = 0;
    // What a kernel's failure left behind: every later call returns it, as on a device, until the context is gone.
    int failure = SUCCESS;
    std::set<std::shared_ptr<Stream>> streams;
};

Context& context();

enum class Needs { NOTHING, INITIALIZED, CONTEXT };

// What every call does first: an injected failure, then what the call needs. Not SUCCESS: to be returned at once.
int begin_call(const char* function, Needs needs);

// Remembers what is wrong, tells it to stderr, and returns the code.
int report(int code, const std::string& what);
const std::string& last_report();
void forget_report();

// A kernel failed: the context is of no use any more.
void fail_context(int code, const std::string& what);

// The stream behind a handle; the default stream for null, null for a handle that is none.
std::shared_ptr<Stream> stream_of(void* handle);

// Does the work at the next opportunity: now, or with `late` when somebody waits for it.
void give(Stream& stream, std::function<void()> work);

// Does what was given up to and including piece `until`.
void finish(Stream& stream, uint64_t until);
void finish(Stream& stream);
void finish_blocking();
void finish_all();

} // namespace gru4j::emulator

// Opens every function of the driver.
#define GRU4J_DRIVER_CALL(function, needs)                                                                             \
    std::lock_guard<std::mutex> driver_lock(gru4j::emulator::driver_mutex());                                          \
    if (int code = gru4j::emulator::begin_call(#function, gru4j::emulator::Needs::needs)) {                            \
        return code;                                                                                                   \
    }
