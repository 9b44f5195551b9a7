// SPDX-License-Identifier: Apache-2.0
//
// Tests of streams, events and graphs: in which order work is done, and what a capture forbids.
#include "stream_test.h"

#include "emulator_test.h"

#include <math.h>
#include <string>
#include <thread>

namespace gru4j::emulator {

namespace {

constexpr int kNonBlocking = 1;

constexpr int kGlobalMode = 0;
constexpr int kThreadLocalMode = 1;

void* new_stream() {
    void* stream = nullptr;
    OK(cuStreamCreate(&stream, kNonBlocking));
    return stream;
}

void* new_event() {
    void* event = nullptr;
    OK(cuEventCreate(&event, 0));
    return event;
}

uint64_t new_word() {
    uint64_t address = 0;
    OK(cuMemAlloc_v2(&address, 4));
    return address;
}

void wait(void* stream, void* event) {
    OK(cuStreamWaitEvent(stream, event, 0));
}

unsigned read(uint64_t address, void* stream) {
    unsigned word = 0;
    OK(cuMemcpyDtoHAsync_v2(&word, address, 4, stream));
    return word;
}

void expect_word(unsigned expected, unsigned found, const std::string& where) {
    expect(expected == found,
           where + ": " + std::to_string(expected) + " expected, " + std::to_string(found) + " found");
}

// What a caller may forget when a second stream takes part.
enum class Mistake { NONE, FORK_TOO_EARLY, READ_BEFORE_JOIN };

// Fills a word, copies it in a second stream, and reads the copy in the first.
struct Detour {
    void* main;
    void* other = new_stream();
    void* forked = new_event();
    void* joined = new_event();
    uint64_t source = new_word(), copy = new_word(), result = new_word();

    explicit Detour(const Device& device) : main(device.stream) {}

    void run(unsigned word, Mistake mistake) {
        if (mistake == Mistake::FORK_TOO_EARLY) {
            OK(cuEventRecord(forked, main));
        }
        OK(cuMemsetD32Async(source, word, 1, main));
        if (mistake != Mistake::FORK_TOO_EARLY) {
            OK(cuEventRecord(forked, main));
        }
        wait(other, forked);
        OK(cuMemcpyDtoDAsync_v2(copy, source, 4, other));
        OK(cuEventRecord(joined, other));
        if (mistake == Mistake::READ_BEFORE_JOIN) {
            OK(cuMemcpyDtoDAsync_v2(result, copy, 4, main));
        }
        wait(main, joined);
        if (mistake != Mistake::READ_BEFORE_JOIN) {
            OK(cuMemcpyDtoDAsync_v2(result, copy, 4, main));
        }
    }

    // As run, but recorded; the graph that does it.
    void* record(unsigned word, Mistake mistake) {
        void *graph = nullptr, *executable = nullptr;
        OK(cuStreamBeginCapture_v2(main, kThreadLocalMode));
        run(word, mistake);
        OK(cuStreamEndCapture(main, &graph));
        OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
        OK(cuGraphDestroy(graph));
        return executable;
    }
};

// The word that comes out of a detour with the mistake, in the given order of streams.
unsigned after_detour(bool recorded, Mistake mistake, int ahead) {
    Device device(1);
    gru4j_emulator_set("ahead", ahead);
    Detour detour(device);
    if (recorded) {
        void* executable = detour.record(7, mistake);
        OK(cuGraphLaunch(executable, detour.main));
        OK(cuGraphExecDestroy(executable));
    } else {
        detour.run(7, mistake);
    }
    return read(detour.result, detour.main);
}

// Begins a capture, expects that the call spoils it with the code, and that its end says so.
void expect_spoiled(const char* what, int code, const std::function<int(Device&)>& call) {
    Device device(4);
    void* graph = nullptr;
    OK(cuStreamBeginCapture_v2(device.stream, kThreadLocalMode));
    expect_code(code, call(device), what);
    EXPECT_CODE(STREAM_CAPTURE_INVALIDATED, device.launch("test_double", 1, 4));
    EXPECT_CODE(STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(device.stream, &graph));
    expect(graph == nullptr, "there is a graph");
    OK(device.launch("test_double", 1, 4));
    expect(device.y()[3] == 6.0f, "the stream works no more");
}

} // namespace

const std::vector<Test> kStreamTests = {
    {"work is late: pinned memory is read when the stream is waited for",
     [] {
         Device device(1);
         void* host = nullptr;
         OK(cuMemHostAlloc(&host, 4, 0));
         float* pinned = static_cast<float*>(host);
         *pinned = 1.0f;
         OK(cuMemcpyHtoDAsync_v2(device.vector.x, pinned, 4, device.stream));
         *pinned = 2.0f; // too early
         OK(device.launch("test_double", 1, 1));
         OK(cuMemcpyDtoHAsync_v2(pinned, device.vector.y, 4, device.stream));
         expect(*pinned == 2.0f, "the copy was done before anybody waited");
         OK(cuStreamSynchronize(device.stream));
         expect(*pinned == 4.0f, "after waiting, 4 expected, " + std::to_string(*pinned) + " found");
         OK(cuMemFreeHost(host));
     }},
    {"a stream waits for another's event",
     [] {
         Device device(4);
         void *other = nullptr, *event = nullptr;
         OK(cuStreamCreate(&other, kNonBlocking));
         OK(cuEventCreate(&event, 0));
         OK(device.launch("test_double", 1, 4));
         OK(cuEventRecord(event, device.stream));
         OK(cuStreamWaitEvent(other, event, 0));
         uint64_t copy = 0;
         OK(cuMemAlloc_v2(&copy, 16));
         OK(cuMemcpyDtoDAsync_v2(copy, device.vector.y, 16, other));
         float found[4];
         OK(cuMemcpyDtoHAsync_v2(found, copy, 16, other));
         expect(found[3] == 6.0f, "6 expected, " + std::to_string(found[3]) + " found");
         OK(cuEventSynchronize(event));
         OK(cuEventDestroy_v2(event));
         OK(cuStreamDestroy_v2(other));
     }},
    {"an event that is asked for often enough has come",
     [] {
         Device device(4);
         void* event = new_event();
         EXPECT_CODE(SUCCESS, cuEventQuery(event)); // never recorded
         void* host = nullptr;
         OK(cuMemHostAlloc(&host, 16, 0));
         float* pinned = static_cast<float*>(host);
         OK(device.launch("test_double", 1, 4));
         OK(cuMemcpyDtoHAsync_v2(pinned, device.vector.y, 16, device.stream));
         OK(cuEventRecord(event, device.stream));
         EXPECT_CODE(NOT_READY, cuEventQuery(event));
         int asked = 0;
         while (cuEventQuery(event) == NOT_READY && asked < 100) {
             asked++;
         }
         expect(asked < 100, "the event never came");
         expect(pinned[3] == 6.0f, "the copy in front of the event was not done");
         OK(cuMemFreeHost(host));
         OK(cuEventDestroy_v2(event));
     }},
    {"without an event, another stream may be too early",
     [] {
         Device device(4);
         void* other = nullptr;
         OK(cuStreamCreate(&other, kNonBlocking));
         OK(device.launch("test_double", 1, 4));
         float found[4];
         OK(cuMemcpyDtoHAsync_v2(found, device.vector.y, 16, other));
         expect(isnan(found[3]), "the other stream waited");
     }},
    {"two streams with all waits give the same in every order, recorded or not",
     [] {
         for (int ahead : {0, 1}) {
             for (bool recorded : {false, true}) {
                 expect_word(7, after_detour(recorded, Mistake::NONE, ahead), "ahead = " + std::to_string(ahead));
             }
         }
     }},
    {"a stream that does not wait for what it reads shows when streams run ahead",
     [] {
         for (bool recorded : {false, true}) {
             expect_word(~0u, after_detour(recorded, Mistake::FORK_TOO_EARLY, 1), "running ahead");
             expect_word(7, after_detour(recorded, Mistake::FORK_TOO_EARLY, 0), "standing still, which hides it");
         }
     }},
    {"a stream that is not waited for shows when streams stand still",
     [] {
         for (bool recorded : {false, true}) {
             expect_word(~0u, after_detour(recorded, Mistake::READ_BEFORE_JOIN, 0), "standing still");
         }
         expect_word(7, after_detour(false, Mistake::READ_BEFORE_JOIN, 1), "running ahead, which hides it");
     }},
    {"what is captured is not done until it is launched, and as often as it is",
     [] {
         Device device(1);
         Detour detour(device);
         void* executable = detour.record(7, Mistake::NONE);
         expect_word(~0u, read(detour.result, detour.main), "before the launch");
         for (unsigned again = 0; again < 2; again++) {
             OK(cuMemsetD32Async(detour.result, again, 1, detour.main));
             OK(cuGraphLaunch(executable, detour.main));
             expect_word(7, read(detour.result, detour.main), "launch " + std::to_string(again));
         }
         OK(cuGraphExecDestroy(executable));
         EXPECT_CODE(INVALID_HANDLE, cuGraphLaunch(executable, detour.main));
     }},
    {"a graph keeps the arguments of its launches",
     [] {
         Device device(4);
         void *graph = nullptr, *executable = nullptr;
         OK(cuStreamBeginCapture_v2(device.stream, kThreadLocalMode));
         OK(device.launch("test_double", 1, 4));
         OK(cuStreamEndCapture(device.stream, &graph));
         OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
         Vector kept = device.vector;
         device.vector = {};
         OK(cuGraphLaunch(executable, device.stream));
         device.vector = kept;
         expect(device.y()[3] == 6.0f, "6 expected, " + std::to_string(device.y()[3]) + " found");
     }},
    {"a launch of a graph on another stream comes after the one before",
     [] {
         Device device(1);
         Detour detour(device);
         void* executable = detour.record(7, Mistake::NONE);
         void* third = new_stream();
         OK(cuGraphLaunch(executable, detour.main));
         OK(cuMemsetD32Async(detour.result, 9, 1, detour.main));
         OK(cuGraphLaunch(executable, third));
         expect_word(7, read(detour.result, third), "the other stream");
         expect_word(9, read(detour.result, detour.main), "the first stream, late as it may be");
     }},
    {"a captured kernel that fails, fails the launch of the graph",
     [] {
         Device device(100);
         void *graph = nullptr, *executable = nullptr;
         OK(cuStreamBeginCapture_v2(device.stream, kThreadLocalMode));
         OK(device.launch("planted_write_past_end", 1, 100));
         OK(cuStreamEndCapture(device.stream, &graph));
         OK(cuStreamSynchronize(device.stream));
         OK(cuGraphInstantiateWithFlags(&executable, graph, 0));
         OK(cuGraphLaunch(executable, device.stream));
         device.expect_failure(ILLEGAL_ADDRESS, "planted_write_past_end: grid 1x1x1, block 100");
     }},
    {"a graph that was recorded with memory freed since fails",
     [] {
         Device device(1);
         Detour detour(device);
         void* executable = detour.record(7, Mistake::NONE);
         OK(cuMemFree_v2(detour.copy));
         OK(cuGraphLaunch(executable, detour.main));
         device.expect_failure(ILLEGAL_ADDRESS,
                               "a copy on the device of 4 bytes at byte 0 of an allocation of 4 bytes that "
                               "has been freed");
     }},
    {"a stream that is captured cannot be waited for",
     [] {
         expect_spoiled("cuStreamSynchronize", STREAM_CAPTURE_UNSUPPORTED,
                        [](Device& device) { return cuStreamSynchronize(device.stream); });
         expect_spoiled("cuCtxSynchronize", STREAM_CAPTURE_UNSUPPORTED, [](Device&) { return cuCtxSynchronize(); });
     }},
    {"a capture forbids its thread to allocate and free",
     [] {
         uint64_t address = 0;
         void* host = nullptr;
         expect_spoiled("cuMemAlloc", STREAM_CAPTURE_UNSUPPORTED, [&](Device&) { return cuMemAlloc_v2(&address, 4); });
         expect_spoiled("cuMemHostAlloc", STREAM_CAPTURE_UNSUPPORTED,
                        [&](Device&) { return cuMemHostAlloc(&host, 4, 0); });
         expect_spoiled("cuMemcpyHtoD", STREAM_CAPTURE_UNSUPPORTED,
                        [&](Device& device) { return cuMemcpyHtoD_v2(device.vector.x, &address, 4); });
     }},
    {"memory that is not pinned cannot be copied in a capture",
     [] {
         float word = 0;
         expect_spoiled("cuMemcpyHtoDAsync", STREAM_CAPTURE_UNSUPPORTED,
                        [&](Device& device) { return cuMemcpyHtoDAsync_v2(device.vector.x, &word, 4, device.stream); });
     }},
    {"a captured stream cannot wait for work outside of its capture",
     [] {
         expect_spoiled("cuStreamWaitEvent", STREAM_CAPTURE_ISOLATION, [](Device& device) {
             void *other = new_stream(), *event = new_event();
             OK(cuEventRecord(event, other));
             return cuStreamWaitEvent(device.stream, event, 0);
         });
     }},
    {"two captures do not mix",
     [] {
         expect_spoiled("cuStreamWaitEvent", STREAM_CAPTURE_MERGE, [](Device& device) {
             void *other = new_stream(), *event = new_event();
             OK(cuStreamBeginCapture_v2(other, kThreadLocalMode));
             OK(cuEventRecord(event, other));
             int code = cuStreamWaitEvent(device.stream, event, 0);
             void* graph = nullptr;
             EXPECT_CODE(STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(other, &graph));
             return code;
         });
     }},
    {"a captured event tells nothing to the host",
     [] {
         expect_spoiled("cuEventSynchronize", STREAM_CAPTURE_UNSUPPORTED, [](Device& device) {
             void* event = new_event();
             OK(cuEventRecord(event, device.stream));
             return cuEventSynchronize(event);
         });
         Device device(4);
         void *event = new_event(), *graph = nullptr;
         OK(cuStreamBeginCapture_v2(device.stream, kThreadLocalMode));
         OK(cuEventRecord(event, device.stream));
         OK(cuStreamEndCapture(device.stream, &graph));
         EXPECT_CODE(CAPTURED_EVENT, cuEventSynchronize(event));
         EXPECT_CODE(CAPTURED_EVENT, cuEventQuery(event));
         EXPECT_CODE(CAPTURED_EVENT, cuStreamWaitEvent(device.stream, event, 0));
     }},
    {"a capture ends only when all streams are joined, in its stream, on its thread",
     [] {
         Device device(1);
         Detour detour(device);
         void* graph = nullptr;
         EXPECT_CODE(ILLEGAL_STATE, cuStreamEndCapture(detour.main, &graph));
         OK(cuStreamBeginCapture_v2(detour.main, kThreadLocalMode));
         EXPECT_CODE(ILLEGAL_STATE, cuStreamBeginCapture_v2(detour.main, kThreadLocalMode));
         detour.run(7, Mistake::NONE);
         OK(cuMemsetD32Async(detour.copy, 8, 1, detour.other));
         int from_another_thread = SUCCESS;
         std::thread([&] {
             OK(cuCtxPushCurrent_v2(device.context));
             from_another_thread = cuStreamEndCapture(detour.main, &graph);
             void* popped = nullptr;
             OK(cuCtxPopCurrent_v2(&popped));
         }).join();
         expect_code(STREAM_CAPTURE_WRONG_THREAD, from_another_thread, "cuStreamEndCapture");
         EXPECT_CODE(STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(detour.main, &graph));
         OK(cuStreamBeginCapture_v2(detour.main, kThreadLocalMode));
         detour.run(7, Mistake::NONE);
         EXPECT_CODE(STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(detour.other, &graph));
         detour.run(7, Mistake::NONE);
         expect_word(7, read(detour.result, detour.main), "afterwards");
     }},
    {"whoever waits for the whole context spoils the captures of all threads",
     [] {
         Device device(1);
         void* graph = nullptr;
         OK(cuStreamBeginCapture_v2(device.stream, kThreadLocalMode));
         int code = SUCCESS;
         std::thread([&] {
             OK(cuCtxPushCurrent_v2(device.context));
             code = cuCtxSynchronize();
             void* popped = nullptr;
             OK(cuCtxPopCurrent_v2(&popped));
         }).join();
         expect_code(STREAM_CAPTURE_UNSUPPORTED, code, "cuCtxSynchronize");
         EXPECT_CODE(STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(device.stream, &graph));
     }},
    {"a wait that is lost is missing",
     [] {
         Device device(1);
         gru4j_emulator_set("ahead", 1);
         Detour detour(device);
         gru4j_emulator_fail("cuStreamWaitEvent", 1, kLost);
         detour.run(7, Mistake::NONE);
         expect_word(~0u, read(detour.result, detour.main), "without the first wait");
         expect(gru4j_emulator_calls("cuStreamWaitEvent") == 2, "2 calls of cuStreamWaitEvent expected");
     }},
    {"other threads may allocate during a thread's own capture, and not during a global one",
     [] {
         for (int mode : {kGlobalMode, kThreadLocalMode}) {
             Device device(1);
             void* graph = nullptr;
             OK(cuStreamBeginCapture_v2(device.stream, mode));
             int code = SUCCESS;
             std::thread([&] {
                 OK(cuCtxPushCurrent_v2(device.context));
                 uint64_t address = 0;
                 code = cuMemAlloc_v2(&address, 4);
                 void* popped = nullptr;
                 OK(cuCtxPopCurrent_v2(&popped));
             }).join();
             expect_code(mode == kGlobalMode ? STREAM_CAPTURE_UNSUPPORTED : SUCCESS, code, "cuMemAlloc");
             expect_code(mode == kGlobalMode ? STREAM_CAPTURE_INVALIDATED : SUCCESS,
                         cuStreamEndCapture(device.stream, &graph), "cuStreamEndCapture");
         }
     }},
};

} // namespace gru4j::emulator
