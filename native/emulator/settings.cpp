// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include "driver.h"

#include <map>
#include <mutex>
#include <sstream>
#include <stdio.h>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <utility>

namespace gru4j::emulator {

namespace {

struct Failure {
    int calls_left;
    int code;
};

const std::map<std::string, long long Settings::*> kNames = {
    {"devices", &Settings::devices},
    {"driver_version", &Settings::driver_version},
    {"compute_major", &Settings::compute_major},
    {"compute_minor", &Settings::compute_minor},
    {"multiprocessors", &Settings::multiprocessors},
    {"memory_bytes", &Settings::memory_bytes},
    {"shared_bytes_per_block", &Settings::shared_bytes_per_block},
    {"seed", &Settings::seed},
    {"late", &Settings::late},
    {"ahead", &Settings::ahead},
};

struct State {
    Settings settings;
    std::map<std::string, Failure> failures;
    std::map<std::string, long long, std::less<>> calls;

    State() { read(getenv("GRU4J_EMULATOR")); }

    void read(const char* text) {
        std::istringstream list(text == nullptr ? "" : text);
        for (std::string item; std::getline(list, item, ',');) {
            size_t equals = item.find('=');
            std::string name = item.substr(0, equals);
            std::string value = equals == std::string::npos ? "" : item.substr(equals + 1);
            char function[64];
            int nth = 0, code = 0;
            if (name == "fail" && sscanf(value.c_str(), "%63[^:]:%d:%d", function, &nth, &code) == 3) {
                failures[function] = {nth, code};
            } else if (auto known = kNames.find(name); known != kNames.end() && !value.empty()) {
                settings.*(known->second) = strtoll(value.c_str(), nullptr, 0);
            } else {
                fprintf(stderr, "gru4j emulator: GRU4J_EMULATOR has '%s', which is no setting\n", item.c_str());
                abort();
            }
        }
    }
};

State& state() {
    static State instance;
    return instance;
}

} // namespace

const Settings& settings() {
    return state().settings;
}

int injected_failure(const char* function) {
    auto calls = state().calls.find(std::string_view(function));
    if (calls == state().calls.end()) {
        calls = state().calls.emplace(function, 0).first;
    }
    calls->second++;
    auto found = state().failures.find(function);
    if (found == state().failures.end() || --found->second.calls_left > 0) {
        return 0;
    }
    int code = found->second.code;
    state().failures.erase(found);
    return code;
}

} // namespace gru4j::emulator

using namespace gru4j::emulator;

int gru4j_emulator_set(const char* name, long long value) {
    std::lock_guard lock(driver_mutex());
    auto known = kNames.find(name);
    if (known == kNames.end()) {
        return 1;
    }
    state().settings.*(known->second) = value;
    return 0;
}

void gru4j_emulator_fail(const char* function, int nth, int code) {
    std::lock_guard lock(driver_mutex());
    state().failures[function] = {nth, code};
}

long long gru4j_emulator_calls(const char* function) {
    std::lock_guard lock(driver_mutex());
    auto found = state().calls.find(std::string_view(function));
    return found == state().calls.end() ? 0 : found->second;
}

void gru4j_emulator_reset() {
    std::lock_guard lock(driver_mutex());
    state() = State();
    forget_report();
}

const char* gru4j_emulator_report() {
    std::lock_guard lock(driver_mutex());
    return last_report().c_str();
}
