// SPDX-License-Identifier: Apache-2.0
//
// Runs the blocks of a launch on the calling thread: one after another, or all at once if the launch is cooperative.
//
// A fiber runs CUDA threads one after another until one has to wait; then another fiber goes on with the next threads.
// So a kernel that never waits is a plain loop on one fiber, and one that does pays a change of stacks, some 10 ns, for
// every thread and wait. Every thread of a cooperative launch needs a fiber as soon as they wait for one another.
#pragma once

#include "kernels.h"

#include <optional>
#include <stdint.h>
#include <string>

namespace gru4j::emulator {

struct LaunchFailure {
    enum Kind {
        BAD_ACCESS,  // an address outside of all memory, a write beside the shared memory, a division by zero
        BAD_MEETING, // threads that wait for one another without end, or at different places
    };
    Kind kind;
    std::string text;
};

// Runs the launch; nothing when it went well.
// A seed other than 0 shuffles the order in which blocks and threads run; results of a correct kernel do not depend on
// it. One launch at a time: the caller sees to it.
std::optional<LaunchFailure> run_launch(const Launch& launch, uint64_t seed);

} // namespace gru4j::emulator
