package dev.gru4j.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The graphs of one pass of a plan. Stepwise, a pass makes some launches for every step, and each costs the
 * CPU some µs, often more than the GPU needs for it; recorded once, they are one launch.
 *
 * <p>Everything that the launches depend on is the key: T, B, which tensors there are and where they lie,
 * whether some row is padded. Lengths and the draw of dropout masks change from call to call without being
 * in it: kernels read them from the workspace, into which they are copied before the graph. That an address
 * is the same but the memory behind it another one, freed and taken anew since, makes no difference: the
 * graph holds addresses, and the call that brings them has checked sizes and owners.
 *
 * <p>The first call with a key runs directly, the second records and launches, all others launch. For a call
 * made once, with a length of sequence that does not come again, recording would be wasted; and the first
 * call has loaded kernels and sized libraries' memory, neither of which may happen in a recording. The
 * {@value #MOST} keys that were used last are kept: with more of them in turn, every call runs directly.
 *
 * <p>Not for persistent kernels, a handful of launches for a whole layer: nothing is to be gained, and
 * whether every driver records a cooperative launch is not known to us.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaGraphs implements AutoCloseable {
    /** A graph takes about 1 KB of the driver's memory for each launch (an estimate); a pass has hundreds to thousands. */
    static final int MOST = 8;

    /** System property: {@code false} launches everything one by one, to find the kernel that fails. */
    static final String PROPERTY = "gru4j.cuda.graphs";

    /** What is recorded. */
    interface Pass {
        void enqueue(CudaCall call);
    }

    /** A key that has been seen, and its graph from the second time on. */
    private static final class Entry {
        private @Nullable CudaGraph graph;
    }

    private final CudaSession session;
    private final String name;
    private final Pass pass;

    /** Used last at the end. */
    private final LinkedHashMap<CudaCall, Entry> entries = new LinkedHashMap<>(2 * MOST, 0.75f, true);

    /** @param name of the pass, for messages: {@code forward} */
    CudaGraphs(CudaSession session, String name, Pass pass) {
        this.session = session;
        this.name = name;
        this.pass = pass;
    }

    /** Runs the pass: enqueues it, launch by launch or as one. */
    void run(CudaCall call) {
        Entry entry = entries.get(call);
        if (entry == null) {
            pass.enqueue(call);
            makeRoom();
            entries.put(call, new Entry());
            return;
        }
        CudaGraph graph = entry.graph;
        if (graph == null) {
            graph = session.recorder().record(name, () -> pass.enqueue(call));
            entry.graph = graph;
        }
        session.recorder().launch(graph);
    }

    private void makeRoom() {
        if (entries.size() == MOST) {
            Map.Entry<CudaCall, Entry> eldest = entries.firstEntry();
            entries.remove(eldest.getKey());
            CudaGraph graph = eldest.getValue().graph;
            if (graph != null) {
                session.recorder().destroy(graph);
            }
        }
    }

    /** Destroys all graphs; nothing is left to do once the session is closed. */
    @Override
    public void close() {
        for (Entry entry : entries.values()) {
            CudaGraph graph = entry.graph;
            if (graph != null) {
                session.recorder().destroy(graph);
            }
        }
        entries.clear();
    }
}
