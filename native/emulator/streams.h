// SPDX-License-Identifier: Apache-2.0
//
// Streams, which keep the work that was given to them until it has to be done, and graphs, which record it instead.
//
// In what order work of several streams is done is for the device to choose, wherever no stream was told to wait. Two
// orders at the ends of what it may choose show a wait that is missing (settings.h, `ahead`): nothing is done in a stream
// before somebody waits for it, or all other streams run as far ahead as they can before a stream that is waited for does
// its next piece. Branches of a graph are ordered in the same two ways.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <stddef.h>
#include <stdint.h>
#include <thread>
#include <vector>

namespace gru4j::emulator {

struct Stream;

// One piece of a stream's life: something to do, or another stream's pieces to wait for, up to and including `until`.
struct Piece {
    std::function<void()> work;
    std::shared_ptr<Stream> awaited;
    uint64_t until = 0;
};

// Recorded work, each node behind others of lower numbers.
struct Graph {
    struct Node {
        std::function<void()> work;
        std::set<size_t> after;
    };
    std::vector<Node> nodes;
};

// The recording of one graph, by the stream where it began and those that joined it.
struct Capture {
    int mode;
    std::thread::id thread; // that began it
    Stream* origin;
    bool valid = true;
    bool ended = false;
    std::shared_ptr<Graph> graph = std::make_shared<Graph>();
};

// `given` and `done` count the pieces of its whole life.
struct Stream {
    bool blocking; // waits for the default stream, and that one for it
    std::deque<Piece> pieces{};
    uint64_t given = 0;
    uint64_t done = 0;
    std::shared_ptr<Capture> capture{}; // into which it records, or null
    std::set<size_t> tips{};            // nodes that the next one recorded comes after
};

// The stream behind a handle; the default stream for null, null for a handle that is none.
std::shared_ptr<Stream> stream_of(void* handle);

// Does the work at the next opportunity: now, or with `late` when somebody waits for it; or records it. A driver's code.
int give(Stream& stream, std::function<void()> work);

// Lets the stream wait for another's pieces up to and including `until`.
void await(Stream& stream, const std::shared_ptr<Stream>& awaited, uint64_t until);

// Does what was given up to and including piece `until`.
void finish(Stream& stream, uint64_t until);
void finish(Stream& stream);
void finish_blocking();
void finish_all();

// Does all nodes of a graph, each behind those it comes after.
void replay(const Graph& graph);

// A call was made that no capture survives: its end will fail, and all that is still given to it.
int spoil(Capture& capture, const char* function);

// Spoils the captures that forbid this thread to synchronize, allocate or load, and returns the code of the call that did
// so; 0 where there is none.
int spoil_captures_of_thread(const char* function);

} // namespace gru4j::emulator
