// SPDX-License-Identifier: Apache-2.0
//
// The driver's functions about streams and events, and about recording them in graphs.
//
// A stream that is captured gives its work to the graph. An event recorded there marks a place in the graph; a stream that
// waits for it is captured from then on, too, and must be waited for in turn before the capture ends.
#include "driver.h"

#include <algorithm>
#include <chrono>

using namespace gru4j::emulator;

namespace {

struct Event {
    std::shared_ptr<Stream> stream{};
    uint64_t recorded = 0;
    std::chrono::steady_clock::time_point time{};
    std::shared_ptr<Capture> capture{}; // in which it was recorded last, or null; then the place is `tips`
    std::set<size_t> tips{};
};

struct Executable {
    std::shared_ptr<const Graph> graph;
    std::shared_ptr<Stream> stream{}; // where it was launched last
    uint64_t launched = 0;
};

Handles<Event>& events() {
    static Handles<Event> handles;
    return handles;
}

Handles<std::shared_ptr<Graph>>& graphs() {
    static Handles<std::shared_ptr<Graph>> handles;
    return handles;
}

Handles<Executable>& executables() {
    static Handles<Executable> handles;
    return handles;
}

int spoil_with(Capture& capture, int code, const char* function, const char* why) {
    capture.valid = false;
    return report(code, std::string(function) + ": " + why);
}

// Joins the stream to the capture that the event marks a place in.
int await_captured(Stream& stream, const Event& event) {
    if (event.capture->ended) {
        return report(CAPTURED_EVENT, "cuStreamWaitEvent: the event was recorded in a capture that has ended");
    }
    if (stream.capture && stream.capture != event.capture) {
        event.capture->valid = false;
        return spoil_with(*stream.capture, STREAM_CAPTURE_MERGE, "cuStreamWaitEvent",
                          "the event is of another capture");
    }
    stream.capture = event.capture;
    stream.tips.insert(event.tips.begin(), event.tips.end());
    return event.capture->valid ? SUCCESS : STREAM_CAPTURE_INVALIDATED;
}

// True if every node is one of `tips` or comes before one.
bool is_joined(const Graph& graph, const std::set<size_t>& tips) {
    std::vector<bool> found(graph.nodes.size());
    for (size_t tip : tips) {
        found[tip] = true;
    }
    for (size_t node = graph.nodes.size(); node > 0; node--) {
        if (!found[node - 1]) {
            return false; // all that could come after it have higher numbers and were looked at
        }
        for (size_t before : graph.nodes[node - 1].after) {
            found[before] = true;
        }
    }
    return true;
}

// Lets all streams go that record into the capture.
void end(std::shared_ptr<Capture> capture) {
    capture->ended = true;
    for (const auto& stream : context().streams) {
        if (stream->capture == capture) {
            stream->capture = nullptr;
            stream->tips.clear();
        }
    }
}

} // namespace

long long gru4j_emulator_open_handles() {
    std::lock_guard lock(driver_mutex());
    size_t open = context().streams.size() + events().count() + graphs().count() + executables().count();
    return static_cast<long long>(open);
}

GRU4J_EXPORT int cuStreamCreate(void** handle, unsigned flags) {
    GRU4J_DRIVER_CALL(cuStreamCreate, CONTEXT)
    constexpr unsigned kNonBlocking = 1;
    auto stream = std::make_shared<Stream>(Stream{flags != kNonBlocking});
    context().streams.push_back(stream);
    *handle = stream.get();
    return SUCCESS;
}

GRU4J_EXPORT int cuStreamDestroy_v2(void* handle) {
    GRU4J_DRIVER_CALL(cuStreamDestroy_v2, CONTEXT)
    auto stream = stream_of(handle);
    if (!stream || handle == nullptr) {
        return no_such("cuStreamDestroy", "stream");
    }
    if (stream->capture) {
        stream->capture->valid = false;
    }
    finish(*stream);
    auto& streams = context().streams;
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    return context().failure;
}

GRU4J_EXPORT int cuStreamSynchronize(void* handle) {
    GRU4J_DRIVER_CALL(cuStreamSynchronize, CONTEXT_WITHOUT_CAPTURE)
    auto stream = stream_of(handle);
    if (!stream) {
        return no_such("cuStreamSynchronize", "stream");
    }
    if (stream->capture) {
        return spoil(*stream->capture, "cuStreamSynchronize");
    }
    if (handle == nullptr) {
        finish_blocking();
    }
    finish(*stream);
    return context().failure;
}

GRU4J_EXPORT int cuStreamWaitEvent(void* handle, void* event_handle, unsigned) {
    GRU4J_DRIVER_CALL(cuStreamWaitEvent, CONTEXT)
    auto stream = stream_of(handle);
    Event* event = events().find(event_handle);
    if (!stream || event == nullptr) {
        return no_such("cuStreamWaitEvent", "stream or event");
    }
    if (event->capture) {
        return await_captured(*stream, *event);
    }
    if (event->stream && stream->capture) {
        return spoil_with(*stream->capture, STREAM_CAPTURE_ISOLATION, "cuStreamWaitEvent",
                          "the event was recorded outside of the capture");
    }
    if (event->stream) {
        await(*stream, event->stream, event->recorded);
    }
    return SUCCESS;
}

GRU4J_EXPORT int cuEventCreate(void** handle, unsigned) {
    GRU4J_DRIVER_CALL(cuEventCreate, CONTEXT)
    *handle = events().add();
    return SUCCESS;
}

GRU4J_EXPORT int cuEventDestroy_v2(void* handle) {
    GRU4J_DRIVER_CALL(cuEventDestroy_v2, CONTEXT)
    Event* event = events().find(handle);
    if (event == nullptr) {
        return no_such("cuEventDestroy", "event");
    }
    if (event->stream) {
        finish(*event->stream, event->recorded);
    }
    events().remove(handle);
    return SUCCESS;
}

GRU4J_EXPORT int cuEventRecord(void* handle, void* stream_handle) {
    GRU4J_DRIVER_CALL(cuEventRecord, CONTEXT)
    Event* event = events().find(handle);
    auto stream = stream_of(stream_handle);
    if (event == nullptr || !stream) {
        return no_such("cuEventRecord", "event or stream");
    }
    event->capture = stream->capture;
    if (stream->capture) {
        event->tips = stream->tips;
        event->stream = nullptr;
        return stream->capture->valid ? SUCCESS : STREAM_CAPTURE_INVALIDATED;
    }
    event->stream = stream;
    event->recorded = stream->given + 1;
    return give(*stream, [handle] {
        if (Event* recorded = events().find(handle)) {
            recorded->time = std::chrono::steady_clock::now();
        }
    });
}

GRU4J_EXPORT int cuEventSynchronize(void* handle) {
    GRU4J_DRIVER_CALL(cuEventSynchronize, CONTEXT_WITHOUT_CAPTURE)
    Event* event = events().find(handle);
    if (event == nullptr) {
        return no_such("cuEventSynchronize", "event");
    }
    if (event->capture) {
        return report(CAPTURED_EVENT, "cuEventSynchronize: the event was last recorded in a capture");
    }
    if (event->stream) {
        finish(*event->stream, event->recorded);
    }
    return context().failure;
}

// The device does one more piece of the event's stream for each time it is asked, so that whoever asks often enough is
// told in the end.
GRU4J_EXPORT int cuEventQuery(void* handle) {
    GRU4J_DRIVER_CALL(cuEventQuery, CONTEXT)
    Event* event = events().find(handle);
    if (event == nullptr) {
        return no_such("cuEventQuery", "event");
    }
    if (event->capture) {
        return report(CAPTURED_EVENT, "cuEventQuery: the event was last recorded in a capture");
    }
    if (event->stream && event->stream->done < event->recorded) {
        finish(*event->stream, event->stream->done + 1);
    }
    bool is_done = !event->stream || event->stream->done >= event->recorded;
    return is_done || context().failure != SUCCESS ? context().failure : NOT_READY;
}

GRU4J_EXPORT int cuEventElapsedTime(float* milliseconds, void* begin_handle, void* end_handle) {
    GRU4J_DRIVER_CALL(cuEventElapsedTime, CONTEXT)
    Event* begin = events().find(begin_handle);
    Event* end = events().find(end_handle);
    if (begin == nullptr || end == nullptr) {
        return no_such("cuEventElapsedTime", "event");
    }
    for (Event* event : {begin, end}) {
        if (!event->stream) {
            return INVALID_HANDLE;
        }
        if (event->stream->done < event->recorded) {
            return NOT_READY;
        }
    }
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
    return SUCCESS;
}

GRU4J_EXPORT int cuStreamBeginCapture_v2(void* handle, int mode) {
    GRU4J_DRIVER_CALL(cuStreamBeginCapture_v2, CONTEXT)
    auto stream = stream_of(handle);
    if (!stream) {
        return no_such("cuStreamBeginCapture", "stream");
    }
    if (handle == nullptr) {
        return report(STREAM_CAPTURE_UNSUPPORTED, "cuStreamBeginCapture: the default stream cannot be captured");
    }
    if (stream->capture) {
        return report(ILLEGAL_STATE, "cuStreamBeginCapture: the stream is captured already");
    }
    stream->capture = std::make_shared<Capture>(Capture{mode, std::this_thread::get_id(), stream.get()});
    return SUCCESS;
}

// Whatever it returns, the capture is over, if there is one and the thread is the right one; so it is when the call is
// told to fail.
GRU4J_EXPORT int cuStreamEndCapture(void* handle, void** graph) {
    std::lock_guard<std::mutex> driver_lock(driver_mutex());
    auto stream = stream_of(handle);
    *graph = nullptr;
    if (int code = begin_call("cuStreamEndCapture", Needs::CONTEXT)) {
        if (stream && stream->capture) {
            end(stream->capture);
        }
        return code;
    }
    if (!stream) {
        return no_such("cuStreamEndCapture", "stream");
    }
    auto capture = stream->capture;
    if (!capture) {
        return report(ILLEGAL_STATE, "cuStreamEndCapture: the stream is not captured");
    }
    constexpr int kRelaxedMode = 2;
    if (capture->mode != kRelaxedMode && capture->thread != std::this_thread::get_id()) {
        return report(STREAM_CAPTURE_WRONG_THREAD, "cuStreamEndCapture: another thread began the capture");
    }
    bool is_whole = is_joined(*capture->graph, stream->tips);
    end(capture);
    if (capture->origin != stream.get()) {
        return report(STREAM_CAPTURE_UNMATCHED, "cuStreamEndCapture: the capture began in another stream");
    }
    if (!capture->valid) {
        return STREAM_CAPTURE_INVALIDATED;
    }
    if (!is_whole) {
        return report(STREAM_CAPTURE_UNJOINED, "cuStreamEndCapture: a stream that joined was not waited for");
    }
    *graph = graphs().add(capture->graph);
    return SUCCESS;
}

GRU4J_EXPORT int cuGraphDestroy(void* handle) {
    GRU4J_DRIVER_CALL(cuGraphDestroy, CONTEXT)
    if (graphs().find(handle) == nullptr) {
        return no_such("cuGraphDestroy", "graph");
    }
    graphs().remove(handle);
    return SUCCESS;
}

// What JCuda's cuGraphInstantiate calls.
GRU4J_EXPORT int cuGraphInstantiateWithFlags(void** executable, void* handle, unsigned long long flags) {
    GRU4J_DRIVER_CALL(cuGraphInstantiateWithFlags, CONTEXT_WITHOUT_CAPTURE)
    auto* graph = graphs().find(handle);
    if (graph == nullptr) {
        return no_such("cuGraphInstantiate", "graph");
    }
    if (flags != 0) {
        return INVALID_VALUE;
    }
    *executable = executables().add(Executable{*graph});
    return SUCCESS;
}

// A launch comes after the last one of the same executable graph, whatever the streams.
GRU4J_EXPORT int cuGraphLaunch(void* handle, void* stream_handle) {
    GRU4J_DRIVER_CALL(cuGraphLaunch, CONTEXT)
    Executable* executable = executables().find(handle);
    auto stream = stream_of(stream_handle);
    if (executable == nullptr || !stream) {
        return no_such("cuGraphLaunch", "executable graph or stream");
    }
    if (stream->capture) {
        return spoil(*stream->capture, "cuGraphLaunch");
    }
    if (executable->stream && executable->stream != stream) {
        await(*stream, executable->stream, executable->launched);
    }
    executable->stream = stream;
    executable->launched = stream->given + 1;
    return give(*stream, [graph = executable->graph] { replay(*graph); });
}

// Launches that are not done yet keep the graph.
GRU4J_EXPORT int cuGraphExecDestroy(void* handle) {
    GRU4J_DRIVER_CALL(cuGraphExecDestroy, CONTEXT)
    if (executables().find(handle) == nullptr) {
        return no_such("cuGraphExecDestroy", "executable graph");
    }
    executables().remove(handle);
    return SUCCESS;
}
