// SPDX-License-Identifier: Apache-2.0
#include "block_runner.h"

#include "device_memory.h"
#include "emulator.h"
#include "faults.h"
#include "fiber.h"
#include "happens_before.h"
#include "shared_memory.h"

#include <algorithm>
#include <memory>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

namespace gru4j::emulator {

thread_local Thread* current = nullptr;

namespace {

constexpr int kLanes = 32;

// A fiber and the CUDA thread that it runs.
struct Worker {
    Fiber fiber;
    Thread thread{};
    Strand strand{};
    bool in_thread = false; // between the first and the last instruction of a CUDA thread
};

// Threads that wait until `expected` of them are at one place in the text.
struct Meeting {
    int expected = 0;
    const char* file = nullptr;
    int line = 0;
    std::vector<Worker*> waiting;
    unsigned generation = 0;
    char tokens[2]{}; // one per generation in turn: a fast thread may be at the next meeting before a slow one left this

    void* token() { return &tokens[generation % 2]; }
};

struct Lane {
    unsigned char value[8];
    void* result;
    int mask;
};

struct Warp {
    Meeting meeting;
    Lane lanes[kLanes];
};

std::string place(const char* file, int line) {
    const char* slash = strrchr(file, '/');
    return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
}

// "threads 0-31, 40": who waits.
std::string threads_of(const std::vector<Worker*>& workers) {
    std::vector<int> numbers;
    for (const Worker* worker : workers) {
        numbers.push_back(worker->thread.thread_x);
    }
    std::sort(numbers.begin(), numbers.end());
    std::string text = numbers.size() == 1 ? "thread " : "threads ";
    for (size_t i = 0; i < numbers.size();) {
        size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) {
            last++;
        }
        text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
        text += last == i ? "" : "-" + std::to_string(numbers[last]);
        i = last + 1;
    }
    return text;
}

class BlockRunner {
public:
    std::string run(const Launch& launch, uint64_t seed);
    void block_sync(const char* file, int line);
    void warp_shuffle_xor(const void* value, void* result, size_t bytes, int mask, const char* file, int line);
    void on_fault(int signal, const void* address);

private:
    const Launch* launch_ = nullptr;
    bool shuffle_ = false;
    uint64_t random_ = 0;

    // The block that runs.
    Thread first_{}; // its thread 0
    std::vector<int> order_;
    size_t started_ = 0;
    int ended_ = 0;
    Meeting meeting_;
    std::vector<Warp> warps_;
    SharedMemory shared_;

    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> idle_;
    std::vector<Worker*> ready_; // those behind next_ready_ may go on
    size_t next_ready_ = 0;
    Worker* running_ = nullptr;
    Fiber main_;
    Strand main_strand_{};
    char begin_token_ = 0;
    char end_token_ = 0;

    std::string failure_;

    void run_block(unsigned x, unsigned y, unsigned z);
    static void work();
    void run_threads();
    Worker* choose();
    void leave(Fiber& from);
    void wait(Meeting& meeting, const char* file, int line);
    bool arrive(Meeting& meeting, const char* file, int line);
    void release(Meeting& meeting);
    [[noreturn]] void fail(const std::string& reason);
    std::string block_name() const;
    std::string deadlock() const;
    uint64_t random(uint64_t bound);
};

BlockRunner& runner() {
    static BlockRunner instance;
    return instance;
}

// splitmix64
uint64_t BlockRunner::random(uint64_t bound) {
    uint64_t mixed = random_ += 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return (mixed ^ (mixed >> 31)) % bound;
}

std::string BlockRunner::run(const Launch& launch, uint64_t seed) {
    static const bool caught = [] {
        catch_faults([](int signal, const void* address) { runner().on_fault(signal, address); });
        return true;
    }();
    (void)caught;

    launch_ = &launch;
    shuffle_ = seed != 0;
    random_ = seed;
    failure_.clear();
    main_strand_ = current_strand();
    size_t threads = launch.threads;
    order_.resize(threads);
    for (size_t i = 0; i < threads; i++) {
        order_[i] = static_cast<int>(i);
    }
    warps_.resize((threads + kLanes - 1) / kLanes);
    // Fibers begin anew with every launch, since the launch before may have come from another thread of the process.
    idle_.clear();
    for (auto& worker : workers_) {
        worker->fiber.start(work);
        idle_.push_back(worker.get());
    }

    uint64_t blocks = static_cast<uint64_t>(launch.grid_x) * launch.grid_y * launch.grid_z;
    std::vector<uint64_t> shuffled(shuffle_ ? blocks : 0);
    for (uint64_t i = 0; i < shuffled.size(); i++) {
        shuffled[i] = i;
        std::swap(shuffled[i], shuffled[random(i + 1)]);
    }
    for (uint64_t i = 0; i < blocks && failure_.empty(); i++) {
        uint64_t block = shuffle_ ? shuffled[i] : i;
        for (size_t t = threads; shuffle_ && t > 1; t--) {
            std::swap(order_[t - 1], order_[random(t)]);
        }
        uint64_t row = block / launch.grid_x;
        run_block(static_cast<unsigned>(block % launch.grid_x), static_cast<unsigned>(row % launch.grid_y),
                  static_cast<unsigned>(row / launch.grid_y));
    }
    observe(&end_token_);
    return failure_;
}

void BlockRunner::run_block(unsigned x, unsigned y, unsigned z) {
    first_ = {0,
              static_cast<int>(launch_->threads),
              static_cast<int>(x),
              static_cast<int>(y),
              static_cast<int>(z),
              static_cast<int>(launch_->grid_x),
              static_cast<int>(launch_->grid_y),
              static_cast<int>(launch_->grid_z),
              shared_.renew(launch_->shared_bytes)};
    started_ = 0;
    ended_ = 0;
    ready_.clear();
    next_ready_ = 0;
    meeting_.expected = first_.threads_x;
    meeting_.waiting.clear();
    for (size_t w = 0; w < warps_.size(); w++) {
        warps_[w].meeting.expected = std::min(kLanes, first_.threads_x - static_cast<int>(w) * kLanes);
        warps_[w].meeting.waiting.clear();
    }
    publish(&begin_token_);

    leave(main_);

    if (failure_.empty() && ended_ < first_.threads_x) {
        failure_ = block_name() + deadlock();
    }
    if (failure_.empty()) {
        std::string damage = shared_.damage();
        failure_ = damage.empty() ? "" : block_name() + damage;
    }
}

// Who goes on: a thread that may, else a fiber that starts further threads, else nobody.
Worker* BlockRunner::choose() {
    if (next_ready_ < ready_.size()) {
        if (shuffle_) {
            std::swap(ready_[next_ready_], ready_[next_ready_ + random(ready_.size() - next_ready_)]);
        }
        return ready_[next_ready_++];
    }
    if (started_ == order_.size()) {
        return nullptr;
    }
    if (idle_.empty()) {
        workers_.push_back(std::make_unique<Worker>());
        workers_.back()->fiber.start(work);
        return workers_.back().get();
    }
    Worker* worker = idle_.back();
    idle_.pop_back();
    return worker;
}

// Leaves off in the fiber `from` until somebody comes back to it.
void BlockRunner::leave(Fiber& from) {
    Worker* next = choose();
    running_ = next;
    current = next == nullptr ? nullptr : &next->thread;
    follow(next != nullptr && next->in_thread ? next->strand : main_strand_);
    Fiber::change(from, next == nullptr ? main_ : next->fiber);
}

void BlockRunner::work() {
    runner().run_threads();
}

// What every fiber does.
void BlockRunner::run_threads() {
    Worker* self = running_;
    for (;;) {
        while (started_ < order_.size()) {
            self->thread = first_;
            self->thread.thread_x = order_[started_++];
            self->strand = new_strand();
            self->in_thread = true;
            follow(self->strand);
            observe(&begin_token_);
            launch_->kernel->run(launch_->args);
            publish(&end_token_);
            follow(main_strand_);
            self->in_thread = false;
            end_strand(self->strand);
            ended_++;
        }
        idle_.push_back(self);
        leave(self->fiber);
    }
}

// Notes that the running thread is at the meeting; true if it is the last to come.
bool BlockRunner::arrive(Meeting& meeting, const char* file, int line) {
    if (meeting.waiting.empty()) {
        meeting.file = file;
        meeting.line = line;
    } else if (meeting.line != line || (meeting.file != file && strcmp(meeting.file, file) != 0)) {
        fail(threads_of({running_}) + " is at " + place(file, line) + " while " + threads_of(meeting.waiting) +
             (meeting.waiting.size() == 1 ? " waits" : " wait") + " at " + place(meeting.file, meeting.line) +
             "; all must come to the same place");
    }
    return static_cast<int>(meeting.waiting.size()) + 1 == meeting.expected;
}

void BlockRunner::wait(Meeting& meeting, const char* file, int line) {
    if (arrive(meeting, file, line)) {
        release(meeting);
    } else {
        meeting.waiting.push_back(running_);
        leave(running_->fiber);
    }
}

void BlockRunner::release(Meeting& meeting) {
    if (next_ready_ == ready_.size()) {
        ready_.clear();
        next_ready_ = 0;
    }
    ready_.insert(ready_.end(), meeting.waiting.begin(), meeting.waiting.end());
    meeting.waiting.clear();
    meeting.generation++;
}

void BlockRunner::block_sync(const char* file, int line) {
    void* token = meeting_.token();
    publish(token);
    wait(meeting_, file, line);
    observe(token);
}

void BlockRunner::warp_shuffle_xor(const void* value, void* result, size_t bytes, int mask, const char* file, int line) {
    Warp& warp = warps_[static_cast<size_t>(current->thread_x / kLanes)];
    if (warp.meeting.expected != kLanes) {
        fail("a shuffle at " + place(file, line) + " in a warp of " + std::to_string(warp.meeting.expected) +
             " threads; all 32 must take part");
    }
    if (mask < 0 || mask >= kLanes) {
        fail("a shuffle at " + place(file, line) + " with mask " + std::to_string(mask) + "; 0 to 31 expected");
    }
    Lane& lane = warp.lanes[current->thread_x % kLanes];
    memcpy(lane.value, value, bytes);
    lane.result = result;
    lane.mask = mask;
    // The last to come hands out all results, because the first to go on may bring the values of its next shuffle.
    if (static_cast<int>(warp.meeting.waiting.size()) + 1 == kLanes) {
        for (int i = 0; i < kLanes; i++) {
            memcpy(warp.lanes[i].result, warp.lanes[i ^ warp.lanes[i].mask].value, bytes);
        }
    }
    wait(warp.meeting, file, line);
}

// Gives up the block, from inside one of its threads: all its fibers stay where they are, for good.
void BlockRunner::fail(const std::string& reason) {
    failure_ = block_name() + reason;
    Fiber& from = running_->fiber;
    running_ = nullptr;
    current = nullptr;
    follow(main_strand_);
    Fiber::change(from, main_);
    abort();
}

void BlockRunner::on_fault(int signal, const void* address) {
    if (current == nullptr || running_ == nullptr) {
        return; // this thread of the process runs no kernel
    }
    std::string who = threads_of({running_});
    if (signal == SIGFPE) {
        fail(who + " divides an integer by zero");
    }
    std::string where = shared_.describe(address);
    fail(who + " accesses " + (where.empty() ? device_memory().describe(address) : where));
}

std::string BlockRunner::block_name() const {
    return "block (" + std::to_string(first_.block_x) + "," + std::to_string(first_.block_y) + "," +
           std::to_string(first_.block_z) + "): ";
}

std::string BlockRunner::deadlock() const {
    std::string text = "threads wait without end:";
    auto add = [&text](const Meeting& meeting) {
        if (!meeting.waiting.empty()) {
            text += " " + threads_of(meeting.waiting) + " at " + place(meeting.file, meeting.line) + ";";
        }
    };
    add(meeting_);
    for (const Warp& warp : warps_) {
        add(warp.meeting);
    }
    return text + " " + std::to_string(ended_) + " of " + std::to_string(first_.threads_x) + " have ended";
}

} // namespace

void block_sync(const char* file, int line) {
    runner().block_sync(file, line);
}

void warp_shuffle_xor(const void* value, void* result, size_t bytes, int mask, const char* file, int line) {
    runner().warp_shuffle_xor(value, result, bytes, mask, file, line);
}

std::string run_launch(const Launch& launch, uint64_t seed) {
    return runner().run(launch, seed);
}

} // namespace gru4j::emulator
