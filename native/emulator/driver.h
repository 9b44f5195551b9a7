// SPDX-License-Identifier: Apache-2.0
//
// State that the driver's functions share: the one device's primary context, its streams, what failed last.
//
// All functions take one lock, so calls of several threads are done one after another.
#pragma once

#include "settings.h"
#include "streams.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

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
    ILLEGAL_STATE = 401,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_OUT_OF_RESOURCES = 701,
    CONTEXT_IS_DESTROYED = 709,
    LAUNCH_FAILED = 719,
    COOPERATIVE_LAUNCH_TOO_LARGE = 720,
    STREAM_CAPTURE_UNSUPPORTED = 900,
    STREAM_CAPTURE_INVALIDATED = 901,
    STREAM_CAPTURE_MERGE = 902,
    STREAM_CAPTURE_UNMATCHED = 903,
    STREAM_CAPTURE_UNJOINED = 904,
    STREAM_CAPTURE_ISOLATION = 905,
    CAPTURED_EVENT = 907,
    STREAM_CAPTURE_WRONG_THREAD = 908,
};

std::mutex& driver_mutex();

struct Context {
    int users = 0;
    // What a kernel's failure left behind: every later call returns it, as on a device, until the context is gone.
    int failure = SUCCESS;
    std::vector<std::shared_ptr<Stream>> streams; // in the order in which they were made
};

Context& context();

// What has to be there for a call; the last one also spoils what this thread captures.
enum class Needs { NOTHING, INITIALIZED, CONTEXT, CONTEXT_WITHOUT_CAPTURE };

// What every call does first: an injected failure, then what the call needs. Not SUCCESS: to be returned at once.
int begin_call(const char* function, Needs needs);

// Remembers what is wrong, tells it to stderr, and returns the code.
int report(int code, const std::string& what);
const std::string& last_report();
void forget_report();

// A kernel failed: the context is of no use any more.
void fail_context(int code, const std::string& what);

// Waits for everything; that spoils the captures of all threads, whatever their mode.
int synchronize_context(const char* function);

// "cuStreamDestroy: no such stream"
int no_such(const char* function, const char* what);

// Objects behind the handles that were given out for them.
template <typename T> class Handles {
public:
    void* add(T object = T()) {
        auto kept = std::make_unique<T>(std::move(object));
        void* handle = kept.get();
        objects_[handle] = std::move(kept);
        return handle;
    }

    T* find(void* handle) {
        auto found = objects_.find(handle);
        return found == objects_.end() ? nullptr : found->second.get();
    }

    void remove(void* handle) { objects_.erase(handle); }

    size_t count() const { return objects_.size(); }

private:
    std::map<void*, std::unique_ptr<T>> objects_;
};

} // namespace gru4j::emulator

// Opens every function of the driver.
#define GRU4J_DRIVER_CALL(function, needs)                                                                             \
    std::lock_guard<std::mutex> driver_lock(gru4j::emulator::driver_mutex());                                          \
    if (int code = gru4j::emulator::begin_call(#function, gru4j::emulator::Needs::needs)) {                            \
        return code == gru4j::emulator::kLost ? int(gru4j::emulator::SUCCESS) : code;                                  \
    }
