// SPDX-License-Identifier: Apache-2.0
//
// Turns an access outside of all memory, made by a kernel, into a failed launch instead of the end of the process.
#pragma once

namespace gru4j::emulator {

// From now on, SIGSEGV, SIGBUS and SIGFPE first call `handle` with the address; it does not return if the fault is a
// kernel's. Faults of others go to the handler that was there, which in a JVM is the JVM's own.
// The sanitizers' builds leave faults to the sanitizers, whose reports say more.
void catch_faults(void (*handle)(int signal, const void* address));

} // namespace gru4j::emulator
