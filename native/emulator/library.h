// SPDX-License-Identifier: Apache-2.0
//
// What stand-ins for NVIDIA's libraries, such as cuBLAS, need from the emulated device. C functions, since a stand-in is
// a library of its own.
#pragma once

#include "settings.h"

#include <stddef.h>
#include <stdint.h>

// To be called first in every function of a library: an injected failure of that name, or the driver's code if there is
// no context to work in; else 0.
GRU4J_EXPORT int gru4j_emulator_begin(const char* function);

// 0 if all of these bytes lie in one allocation; else reports `what` and returns CUDA_ERROR_INVALID_VALUE.
GRU4J_EXPORT int gru4j_emulator_check(const char* what, uint64_t address, size_t bytes);

// Gives work to a stream, with a copy of its arguments; it is done when a kernel launched there would be. 0, or the
// driver's code if there is no such stream.
GRU4J_EXPORT int gru4j_emulator_enqueue(const char* function, void* stream, void (*work)(const void* arguments),
                                        const void* arguments, size_t bytes);

// The work that runs now is about to use these bytes. 0, or a code after which it must end: a graph may be launched when
// memory that it was recorded with is gone, which fails as a kernel's access does.
GRU4J_EXPORT int gru4j_emulator_use(const char* what, uint64_t address, size_t bytes);

// The work that runs now has written these bytes: for the record of all that was done to the device.
GRU4J_EXPORT void gru4j_emulator_wrote(uint64_t address, size_t bytes);

// Waits for everything that was given to the device, which no capture survives.
GRU4J_EXPORT void gru4j_emulator_synchronize(const char* function);
