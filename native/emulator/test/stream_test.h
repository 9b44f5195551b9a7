// SPDX-License-Identifier: Apache-2.0
//
// Tests of streams, events and graphs. Each throws where something is wrong.
#pragma once

#include <functional>
#include <vector>

namespace gru4j::emulator {

struct Test {
    const char* name;
    std::function<void()> run;
};

extern const std::vector<Test> kStreamTests;

} // namespace gru4j::emulator
