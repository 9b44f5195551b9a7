// SPDX-License-Identifier: Apache-2.0
#include "block_runner.h"

#include "block.h"
#include "device_memory.h"
#include "emulator.h"
#include "faults.h"
#include "fiber.h"
#include "happens_before.h"

#include <algorithm>
#include <memory>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

namespace gru4j::emulator {

thread_local Thread* current = nullptr;

namespace {

constexpr size_t kBlocksInReport = 4;

class BlockRunner {
public:
    std::optional<LaunchFailure> run(const Launch& launch, uint64_t seed);
    void block_sync(const char* file, int line);
    uint64_t warp_shuffle_xor(uint64_t value, int mask, const char* file, int line);
    void warp_mma(MmaFormat format, float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char* file,
                  int line);
    void signal(unsigned* flag);
    void wait_at_least(const unsigned* flag, unsigned count, const char* file, int line);
    void on_fault(int signal, const void* address);

private:
    const Launch* launch_ = nullptr;
    bool shuffle_ = false;
    uint64_t random_ = 0;

    // Those that run: the first alone, or as many as a cooperative launch has. They stay for the next launch.
    std::vector<std::unique_ptr<Block>> blocks_;
    size_t running_blocks_ = 0;
    std::vector<FlagWait> flag_waits_;
    Block* beginning_ = nullptr; // whose thread the next worker that has none begins

    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> idle_;
    std::vector<Worker*> ready_; // those behind next_ready_ may go on
    size_t next_ready_ = 0;
    Worker* running_ = nullptr;
    Fiber main_;
    Strand main_strand_{};
    char begin_token_ = 0;
    char end_token_ = 0;

    std::optional<LaunchFailure> failure_;

    void run_blocks(const std::vector<uint64_t>& numbers, size_t from, size_t count);
    void begin(Block& block, uint64_t number);
    Block* block_to_begin();
    static void work();
    void run_threads();
    Worker* choose();
    Worker* worker(size_t number);
    void leave(Fiber& from);
    void wait(Meeting& meeting, const char* file, int line);
    Warp& full_warp(const char* operation, const char* file, int line);
    bool arrive(Meeting& meeting, const char* file, int line);
    void release(Meeting& meeting);
    [[noreturn]] void fail(LaunchFailure::Kind kind, const std::string& reason);
    void go_on(const std::vector<Worker*>& workers);
    static std::string name(const Block& block);
    std::string deadlock() const;
    std::string who_waits(const Block& block) const;
    uint64_t random(uint64_t bound);
};

// Never destroyed: the threads of a launch that failed stay where they are until the process ends.
BlockRunner& runner() {
    static BlockRunner* const instance = new BlockRunner;
    return *instance;
}

// splitmix64
uint64_t BlockRunner::random(uint64_t bound) {
    uint64_t mixed = random_ += 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return (mixed ^ (mixed >> 31)) % bound;
}

std::optional<LaunchFailure> BlockRunner::run(const Launch& launch, uint64_t seed) {
    static const bool caught = [] {
        catch_faults([](int signal, const void* address) { runner().on_fault(signal, address); });
        return true;
    }();
    (void)caught;

    launch_ = &launch;
    shuffle_ = seed != 0;
    random_ = seed;
    failure_.reset();
    main_strand_ = current_strand();
    // Fibers begin anew with every launch, since the launch before may have come from another thread of the process.
    idle_.clear();
    for (auto& worker : workers_) {
        worker->fiber.start(work);
        idle_.push_back(worker.get());
    }

    uint64_t blocks = static_cast<uint64_t>(launch.grid_x) * launch.grid_y * launch.grid_z;
    size_t at_once = launch.cooperative ? blocks : 1;
    while (blocks_.size() < at_once) {
        blocks_.push_back(std::make_unique<Block>());
    }
    std::vector<uint64_t> numbers(blocks);
    for (uint64_t i = 0; i < blocks; i++) {
        numbers[i] = i;
        if (shuffle_) {
            std::swap(numbers[i], numbers[random(i + 1)]);
        }
    }
    for (size_t i = 0; i < blocks && !failure_; i += at_once) {
        run_blocks(numbers, i, at_once);
    }
    observe(&end_token_);
    return failure_;
}

// Runs some blocks at once.
void BlockRunner::run_blocks(const std::vector<uint64_t>& numbers, size_t from, size_t count) {
    running_blocks_ = count;
    for (size_t i = 0; i < count; i++) {
        begin(*blocks_[i], numbers[from + i]);
        blocks_[i]->slot = launch_->cooperative ? i : from % 2;
    }
    ready_.clear();
    next_ready_ = 0;
    flag_waits_.clear();
    publish(&begin_token_);

    leave(main_);

    if (std::string waiting = deadlock(); !failure_ && !waiting.empty()) {
        failure_ = {LaunchFailure::BAD_MEETING, waiting};
    }
    for (size_t i = 0; i < count && !failure_; i++) {
        if (std::string damage = blocks_[i]->shared.damage(); !damage.empty()) {
            failure_ = {LaunchFailure::BAD_ACCESS, name(*blocks_[i]) + damage};
        }
    }
}

void BlockRunner::begin(Block& block, uint64_t number) {
    uint64_t row = number / launch_->grid_x;
    int threads = static_cast<int>(launch_->threads);
    block.first = {0,
                   threads,
                   static_cast<int>(number % launch_->grid_x),
                   static_cast<int>(row % launch_->grid_y),
                   static_cast<int>(row / launch_->grid_y),
                   static_cast<int>(launch_->grid_x),
                   static_cast<int>(launch_->grid_y),
                   static_cast<int>(launch_->grid_z),
                   block.shared.renew(launch_->shared_bytes)};
    block.order.resize(launch_->threads);
    for (size_t t = 0; t < block.order.size(); t++) {
        block.order[t] = static_cast<int>(t);
        if (shuffle_) {
            std::swap(block.order[t], block.order[random(t + 1)]);
        }
    }
    block.started = 0;
    block.ended = 0;
    block.meeting.expected = threads;
    block.meeting.waiting.clear();
    block.warps.resize(static_cast<size_t>((threads + kLanes - 1) / kLanes));
    for (size_t w = 0; w < block.warps.size(); w++) {
        block.warps[w].meeting.expected = std::min(kLanes, threads - static_cast<int>(w) * kLanes);
        block.warps[w].meeting.waiting.clear();
    }
}

// A block with threads that have not begun; null if there is none.
Block* BlockRunner::block_to_begin() {
    size_t first = shuffle_ ? random(running_blocks_) : 0;
    for (size_t i = 0; i < running_blocks_; i++) {
        Block* block = blocks_[(first + i) % running_blocks_].get();
        if (!block->is_begun()) {
            return block;
        }
    }
    return nullptr;
}

// Who goes on: a thread that may, else a fiber that starts further threads, else nobody.
Worker* BlockRunner::choose() {
    if (next_ready_ < ready_.size()) {
        if (shuffle_) {
            std::swap(ready_[next_ready_], ready_[next_ready_ + random(ready_.size() - next_ready_)]);
        }
        return ready_[next_ready_++];
    }
    beginning_ = block_to_begin();
    if (beginning_ == nullptr) {
        return nullptr;
    }
    if (kStrands) {
        size_t thread = static_cast<size_t>(beginning_->order[beginning_->started]);
        return worker(beginning_->slot * launch_->threads + thread);
    }
    if (idle_.empty()) {
        return worker(workers_.size());
    }
    Worker* worker = idle_.back();
    idle_.pop_back();
    return worker;
}

// The worker of that number, made if there was none.
Worker* BlockRunner::worker(size_t number) {
    while (workers_.size() <= number) {
        workers_.push_back(std::make_unique<Worker>());
        workers_.back()->fiber.start(work);
        workers_.back()->strand = new_strand();
    }
    return workers_[number].get();
}

// Leaves off in the fiber `from` until somebody comes back to it.
void BlockRunner::leave(Fiber& from) {
    Worker* next = choose();
    running_ = next;
    current = next == nullptr ? nullptr : &next->thread;
    Fiber::change(from, next == nullptr ? main_ : next->fiber);
}

void BlockRunner::work() {
    runner().run_threads();
}

// What every fiber does.
void BlockRunner::run_threads() {
    Worker* self = running_;
    for (;;) {
        Block* block = beginning_;
        do {
            self->block = block;
            self->thread = block->first;
            self->thread.thread_x = block->order[block->started++];
            follow(self->strand);
            observe(&begin_token_);
            launch_->kernel->run(launch_->args);
            publish(&end_token_);
            follow(main_strand_);
            block->ended++;
            block = kStrands ? nullptr : block_to_begin();
        } while (block != nullptr);
        if (!kStrands) {
            idle_.push_back(self);
        }
        leave(self->fiber);
    }
}

// Notes that the running thread is at the meeting; true if it is the last to come.
bool BlockRunner::arrive(Meeting& meeting, const char* file, int line) {
    if (meeting.waiting.empty()) {
        meeting.file = file;
        meeting.line = line;
    } else if (meeting.line != line || (meeting.file != file && strcmp(meeting.file, file) != 0)) {
        fail(LaunchFailure::BAD_MEETING, threads_of({running_}) + " is at " + place(file, line) + " while " +
                                             threads_of(meeting.waiting) +
                                             (meeting.waiting.size() == 1 ? " waits" : " wait") + " at " +
                                             place(meeting.file, meeting.line) + "; all must come to the same place");
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
    go_on(meeting.waiting);
    meeting.waiting.clear();
    meeting.generation++;
}

void BlockRunner::go_on(const std::vector<Worker*>& workers) {
    if (next_ready_ == ready_.size()) {
        ready_.clear();
        next_ready_ = 0;
    }
    ready_.insert(ready_.end(), workers.begin(), workers.end());
}

void BlockRunner::block_sync(const char* file, int line) {
    Meeting& meeting = running_->block->meeting;
    void* token = meeting.token();
    publish(token);
    Strand self = running_->strand;
    follow(main_strand_);
    wait(meeting, file, line);
    follow(self);
    observe(token);
}

void BlockRunner::signal(unsigned* flag) {
    publish(flag);
    Strand self = running_->strand;
    follow(main_strand_);
    *flag += 1;
    for (size_t i = 0; i < flag_waits_.size();) {
        if (flag_waits_[i].flag == flag && flag_waits_[i].is_over()) {
            go_on({flag_waits_[i].worker});
            flag_waits_[i] = flag_waits_.back();
            flag_waits_.pop_back();
        } else {
            i++;
        }
    }
    follow(self);
}

void BlockRunner::wait_at_least(const unsigned* flag, unsigned count, const char* file, int line) {
    Strand self = running_->strand;
    follow(main_strand_);
    FlagWait flag_wait = {running_, flag, count, file, line};
    if (!flag_wait.is_over()) {
        flag_waits_.push_back(flag_wait);
        leave(running_->fiber);
    }
    follow(self);
    observe(const_cast<unsigned*>(flag));
}

// The warp of the running thread; fails the launch if it has fewer than 32 threads.
Warp& BlockRunner::full_warp(const char* operation, const char* file, int line) {
    Warp& warp = running_->block->warps[static_cast<size_t>(current->thread_x / kLanes)];
    if (warp.meeting.expected != kLanes) {
        fail(LaunchFailure::BAD_MEETING, std::string(operation) + " at " + place(file, line) + " in a warp of " +
                                             std::to_string(warp.meeting.expected) + " threads; all 32 must take part");
    }
    return warp;
}

// In both operations of a warp the last to come makes all results, because the first to go on may bring the operands of
// its next one.
uint64_t BlockRunner::warp_shuffle_xor(uint64_t value, int mask, const char* file, int line) {
    Strand self = running_->strand;
    follow(main_strand_);
    Warp& warp = full_warp("a shuffle", file, line);
    if (mask < 0 || mask >= kLanes) {
        fail(LaunchFailure::BAD_MEETING,
             "a shuffle at " + place(file, line) + " with mask " + std::to_string(mask) + "; 0 to 31 expected");
    }
    Lane& lane = warp.lanes[current->thread_x % kLanes];
    lane.value = value;
    lane.mask = mask;
    if (static_cast<int>(warp.meeting.waiting.size()) + 1 == kLanes) {
        for (Lane& to : warp.lanes) {
            to.result = warp.lanes[(&to - warp.lanes) ^ to.mask].value;
        }
    }
    wait(warp.meeting, file, line);
    uint64_t result = lane.result;
    follow(self);
    return result;
}

void BlockRunner::warp_mma(MmaFormat format, float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                           const char* file, int line) {
    Strand self = running_->strand;
    follow(main_strand_);
    Warp& warp = full_warp("a matrix multiply-add", file, line);
    MmaLane& lane = warp.mma_lanes[current->thread_x % kLanes];
    memcpy(lane.a, a, sizeof a);
    memcpy(lane.b, b, sizeof b);
    memcpy(lane.d, d, sizeof d);
    if (static_cast<int>(warp.meeting.waiting.size()) + 1 == kLanes) {
        multiply_add(format, warp.mma_lanes);
    }
    wait(warp.meeting, file, line);
    memcpy(d, lane.d, sizeof d);
    follow(self);
}

// Gives up the launch, from inside one of its threads: all its fibers stay where they are, for good.
void BlockRunner::fail(LaunchFailure::Kind kind, const std::string& reason) {
    failure_ = {kind, name(*running_->block) + reason};
    Fiber& from = running_->fiber;
    running_ = nullptr;
    current = nullptr;
    Fiber::change(from, main_);
    abort();
}

void BlockRunner::on_fault(int signal, const void* address) {
    if (current == nullptr || running_ == nullptr) {
        return; // this thread of the process runs no kernel
    }
    follow(main_strand_);
    std::string who = threads_of({running_});
    if (signal == SIGFPE) {
        fail(LaunchFailure::BAD_ACCESS, who + " divides an integer by zero");
    }
    std::string where = running_->block->shared.describe(address);
    fail(LaunchFailure::BAD_ACCESS, who + " accesses " + (where.empty() ? device_memory().describe(address) : where));
}

std::string BlockRunner::name(const Block& block) {
    return "block (" + std::to_string(block.first.block_x) + "," + std::to_string(block.first.block_y) + "," +
           std::to_string(block.first.block_z) + "): ";
}

// Who waits for whom when nobody can go on; empty if all threads have ended.
std::string BlockRunner::deadlock() const {
    std::string text;
    size_t stuck = 0;
    for (size_t i = 0; i < running_blocks_; i++) {
        const Block& block = *blocks_[i];
        if (block.ended < block.first.threads_x && ++stuck <= kBlocksInReport) {
            text += (stuck == 1 ? "" : "; ") + name(block) + "threads wait without end:" + who_waits(block);
        }
    }
    return stuck <= kBlocksInReport ? text : text + "; " + std::to_string(stuck - kBlocksInReport) + " more blocks";
}

std::string BlockRunner::who_waits(const Block& block) const {
    std::string text;
    auto add = [&text](const Meeting& meeting) {
        if (!meeting.waiting.empty()) {
            text += " " + threads_of(meeting.waiting) + " at " + place(meeting.file, meeting.line) + ";";
        }
    };
    add(block.meeting);
    for (const Warp& warp : block.warps) {
        add(warp.meeting);
    }
    for (const FlagWait& wait : flag_waits_) {
        if (wait.worker->block == &block) {
            text += " " + threads_of({wait.worker}) + " at " + place(wait.file, wait.line) + " for a flag that is " +
                    std::to_string(*wait.flag) + " to reach " + std::to_string(wait.count) + ";";
        }
    }
    return text + " " + std::to_string(block.ended) + " of " + std::to_string(block.first.threads_x) + " have ended";
}

} // namespace

void block_sync(const char* file, int line) {
    runner().block_sync(file, line);
}

uint64_t warp_shuffle_xor(uint64_t value, int mask, const char* file, int line) {
    return runner().warp_shuffle_xor(value, mask, file, line);
}

void warp_mma(MmaFormat format, float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char* file,
              int line) {
    runner().warp_mma(format, d, a, b, file, line);
}

void signal(unsigned* flag) {
    runner().signal(flag);
}

void wait_at_least(const unsigned* flag, unsigned count, const char* file, int line) {
    runner().wait_at_least(flag, count, file, line);
}

std::optional<LaunchFailure> run_launch(const Launch& launch, uint64_t seed) {
    return runner().run(launch, seed);
}

} // namespace gru4j::emulator
