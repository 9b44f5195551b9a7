// SPDX-License-Identifier: Apache-2.0
//
// Does again what a trace (trace.h) holds: the same memory at the same addresses, the same launches. Everything that was
// read back must come out with the same bits, whatever the seed that orders the threads.
//
//   replay TRACE [SEED]
#include "block_runner.h"
#include "device_memory.h"
#include "trace.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <vector>

using namespace gru4j::emulator;

namespace {

class Replay {
public:
    Replay(const char* path, uint64_t seed) : file_(fopen(path, "rb")), seed_(seed) {
        if (file_ == nullptr) {
            throw std::runtime_error(std::string(path) + ": cannot be read");
        }
    }
    ~Replay() { fclose(file_); }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    void run() {
        Step step;
        while (fread(&step, sizeof step, 1, file_) == 1) {
            run(step);
            steps_++;
        }
        if (launches_ == 0 || compared_ == 0) {
            throw std::runtime_error("the trace holds no launch whose result was read");
        }
        printf("%llu launches of %zu kernels, %llu bytes compared\n", static_cast<unsigned long long>(launches_),
               kernels_.size(), static_cast<unsigned long long>(compared_));
    }

private:
    FILE* file_;
    uint64_t seed_;
    uint64_t steps_ = 0;
    uint64_t launches_ = 0;
    uint64_t compared_ = 0;
    std::set<std::string> kernels_;

    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error("step " + std::to_string(steps_) + ": " + what);
    }

    template <typename T> T number() {
        T value;
        data(&value, sizeof value);
        return value;
    }

    void data(void* to, uint64_t bytes) {
        if (fread(to, 1, bytes, file_) != bytes) {
            fail("the trace ends in the middle");
        }
    }

    static unsigned char* pointer(uint64_t address) { return reinterpret_cast<unsigned char*>(address); }

    void run(Step step) {
        switch (step) {
        case Step::ALLOCATE: {
            uint64_t address = number<uint64_t>();
            uint64_t bytes = number<uint64_t>();
            if (device_memory().allocate(bytes) != address) {
                fail("this process has other addresses than the one that wrote the trace");
            }
            break;
        }
        case Step::RELEASE:
            device_memory().release(number<uint64_t>());
            break;
        case Step::WRITE: {
            uint64_t to = number<uint64_t>();
            data(pointer(to), number<uint64_t>());
            break;
        }
        case Step::FILL: {
            uint64_t to = number<uint64_t>();
            uint32_t word = number<uint32_t>();
            std::fill_n(reinterpret_cast<uint32_t*>(to), number<uint64_t>(), word);
            break;
        }
        case Step::COPY: {
            uint64_t to = number<uint64_t>();
            uint64_t from = number<uint64_t>();
            memmove(pointer(to), pointer(from), number<uint64_t>());
            break;
        }
        case Step::READ:
            compare();
            break;
        case Step::LAUNCH:
        case Step::LAUNCH_COOPERATIVE:
            launch(step == Step::LAUNCH_COOPERATIVE);
            break;
        default:
            fail("a step of an unknown kind; the trace is of another version");
        }
    }

    void compare() {
        uint64_t from = number<uint64_t>();
        std::vector<unsigned char> expected(number<uint64_t>());
        data(expected.data(), expected.size());
        for (size_t i = 0; i < expected.size(); i++) {
            if (pointer(from)[i] != expected[i]) {
                fail("other bits are read back than before, at byte " + std::to_string(i) + " of " +
                     std::to_string(expected.size()) + ", " + device_memory().describe(pointer(from) + i));
            }
        }
        compared_ += expected.size();
    }

    void launch(bool cooperative) {
        std::string name(number<uint64_t>(), ' ');
        data(name.data(), name.size());
        Launch launch{};
        launch.cooperative = cooperative;
        launch.kernel = find_kernel(name);
        launch.grid_x = number<unsigned>();
        launch.grid_y = number<unsigned>();
        launch.grid_z = number<unsigned>();
        launch.threads = number<unsigned>();
        launch.shared_bytes = number<uint64_t>();
        std::vector<unsigned char> args(number<uint64_t>());
        data(args.data(), args.size());
        launch.args = args.data();
        if (launch.kernel == nullptr || launch.kernel->args_bytes != args.size()) {
            fail("kernel " + name + " is not the one of the trace");
        }
        if (auto failure = run_launch(launch, seed_)) {
            fail(describe(launch) + ": " + failure->text);
        }
        if (std::string damage = device_memory().damage(); !damage.empty()) {
            fail(describe(launch) + ": writes " + damage);
        }
        kernels_.insert(name);
        launches_++;
    }
};

} // namespace

int main(int count, char** arguments) {
    if (count < 2 || count > 3) {
        fprintf(stderr, "usage: replay TRACE [SEED]\n");
        return 2;
    }
    try {
        Replay(arguments[1], count == 3 ? strtoull(arguments[2], nullptr, 0) : 0).run();
        return 0;
    } catch (const std::exception& problem) {
        fprintf(stderr, "replay: %s\n", problem.what());
        return 1;
    }
}
