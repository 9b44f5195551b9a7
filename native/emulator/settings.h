// SPDX-License-Identifier: Apache-2.0
//
// What can be changed about the emulated device, and which of its calls are to fail.
//
// From the environment, read once: GRU4J_EMULATOR="memory_bytes=1000000,seed=7,fail=cuMemAlloc_v2:3:2".
// From a test, at any time: the exported functions at the end.
#pragma once

#include <stdint.h>

namespace gru4j::emulator {

struct Settings {
    // The defaults are an H200's.
    long long devices = 1;
    long long driver_version = 13000;
    long long compute_major = 9;
    long long compute_minor = 0;
    long long multiprocessors = 132;
    long long memory_bytes = 150'109'880'320;
    long long shared_bytes_per_block = 232'448; // the most that a kernel may ask for
    // Not 0: blocks and threads run in an order that this number shuffles.
    long long seed = 0;
    // 1: work given to a stream is done as late as the driver may do it; 0: at once.
    long long late = 1;
    // 0: streams that nobody waits for stand still; 1: they run as far ahead of the one that is waited for as they can.
    long long ahead = 0;
};

const Settings& settings();

// A failure that looks like success: the call returns 0, and does nothing.
constexpr int kLost = -1;

// The error code that this call of a driver function must return instead of doing its work, or kLost; 0 for none.
int injected_failure(const char* function);

} // namespace gru4j::emulator

#define GRU4J_EXPORT extern "C" __attribute__((visibility("default")))

// 0, or 1 if there is no setting of that name.
GRU4J_EXPORT int gru4j_emulator_set(const char* name, long long value);

// From now on, the nth call of the function, 1 being the next, returns the code; later calls work again. With the code -1
// it is lost: it returns 0 and does nothing, as if the caller had forgotten it.
GRU4J_EXPORT void gru4j_emulator_fail(const char* function, int nth, int code);

// How often the function was called since the reset.
GRU4J_EXPORT long long gru4j_emulator_calls(const char* function);

// Streams, events, graphs and executable graphs that were not destroyed, all together.
GRU4J_EXPORT long long gru4j_emulator_open_handles();

// All settings as at the start of the process, no call fails, none is counted yet.
GRU4J_EXPORT void gru4j_emulator_reset();

// What the last failed launch, or call with wrong arguments, was told to stderr; empty if there was none since the reset.
GRU4J_EXPORT const char* gru4j_emulator_report();
