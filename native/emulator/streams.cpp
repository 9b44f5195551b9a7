// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include "driver.h"

#include <algorithm>

namespace gru4j::emulator {

namespace {

Stream& default_stream() {
    static Stream stream{true};
    return stream;
}

void add(Stream& stream, Piece piece) {
    stream.pieces.push_back(std::move(piece));
    stream.given++;
    if (&stream == &default_stream() || settings().late == 0) {
        finish(stream);
    }
}

// The next piece of a stream that has one. What it waits for is done first, while the stream still stands there.
void advance(Stream& stream) {
    if (auto awaited = stream.pieces.front().awaited) {
        finish(*awaited, stream.pieces.front().until);
    }
    Piece piece = std::move(stream.pieces.front());
    stream.pieces.pop_front();
    stream.done++;
    if (piece.work && context().failure == SUCCESS) {
        piece.work();
    }
}

bool can_advance(const Stream& stream) {
    return !stream.pieces.empty() &&
           (!stream.pieces.front().awaited || stream.pieces.front().awaited->done >= stream.pieces.front().until);
}

// Lets all streams but one run as far as they can without it.
void run_ahead_of(const Stream& waited_for) {
    for (bool again = true; again;) {
        again = false;
        for (const auto& stream : context().streams) {
            while (stream.get() != &waited_for && can_advance(*stream)) {
                advance(*stream);
                again = true;
            }
        }
    }
}

// The last node, behind whatever it comes after, the first branch as a whole before the next one; then any others.
void do_late(const Graph& graph) {
    std::vector<bool> done(graph.nodes.size());
    std::vector<size_t> path;
    for (size_t last = graph.nodes.size(); last > 0; last--) {
        path = {last - 1};
        while (!path.empty()) {
            const Graph::Node& node = graph.nodes[path.back()];
            auto before = std::find_if(node.after.begin(), node.after.end(), [&](size_t k) { return !done[k]; });
            if (before != node.after.end()) {
                path.push_back(*before);
                continue;
            }
            if (!done[path.back()] && context().failure == SUCCESS) {
                node.work();
            }
            done[path.back()] = true;
            path.pop_back();
        }
    }
}

// Whatever was recorded last and can be done.
void do_ahead(const Graph& graph) {
    std::vector<bool> done(graph.nodes.size());
    for (size_t count = 0; count < graph.nodes.size(); count++) {
        size_t node = graph.nodes.size() - 1;
        auto is_ready = [&](const Graph::Node& candidate) {
            return std::all_of(candidate.after.begin(), candidate.after.end(), [&](size_t k) { return done[k]; });
        };
        while (done[node] || !is_ready(graph.nodes[node])) {
            node--;
        }
        done[node] = true;
        if (context().failure == SUCCESS) {
            graph.nodes[node].work();
        }
    }
}

constexpr int kGlobalMode = 0;
constexpr int kThreadLocalMode = 1;

} // namespace

std::shared_ptr<Stream> stream_of(void* handle) {
    if (handle == nullptr) {
        return {&default_stream(), [](Stream*) {}};
    }
    for (const auto& stream : context().streams) {
        if (stream.get() == handle) {
            return stream;
        }
    }
    return nullptr;
}

int give(Stream& stream, std::function<void()> work) {
    if (Capture* capture = stream.capture.get()) {
        if (!capture->valid) {
            return STREAM_CAPTURE_INVALIDATED;
        }
        capture->graph->nodes.push_back({std::move(work), stream.tips});
        stream.tips = {capture->graph->nodes.size() - 1};
        return SUCCESS;
    }
    if (&stream == &default_stream()) {
        finish_blocking();
    }
    add(stream, {std::move(work), nullptr});
    return SUCCESS;
}

void await(Stream& stream, const std::shared_ptr<Stream>& awaited, uint64_t until) {
    add(stream, {nullptr, awaited, until});
}

void finish(Stream& stream, uint64_t until) {
    while (stream.done < until) {
        if (settings().ahead != 0) {
            run_ahead_of(stream);
        }
        advance(stream);
    }
}

void finish(Stream& stream) {
    finish(stream, stream.given);
}

void finish_blocking() {
    for (const auto& stream : context().streams) {
        if (stream->blocking) {
            finish(*stream);
        }
    }
}

void finish_all() {
    for (const auto& stream : context().streams) {
        finish(*stream);
    }
}

void replay(const Graph& graph) {
    if (settings().ahead == 0) {
        do_late(graph);
    } else {
        do_ahead(graph);
    }
}

int spoil(Capture& capture, const char* function) {
    capture.valid = false;
    return report(STREAM_CAPTURE_UNSUPPORTED, std::string(function) + " is not permitted while a stream is captured");
}

int spoil_captures_of_thread(const char* function) {
    int code = SUCCESS;
    for (const auto& stream : context().streams) {
        Capture* capture = stream->capture.get();
        if (capture != nullptr && (capture->mode == kGlobalMode || (capture->mode == kThreadLocalMode &&
                                                                    capture->thread == std::this_thread::get_id()))) {
            code = spoil(*capture, function);
        }
    }
    return code;
}

} // namespace gru4j::emulator
