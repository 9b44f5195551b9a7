package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Records graphs of a session's work, launches and destroys them. Which work is worth it is for
 * {@link CudaGraphs} to decide.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaRecorder {
    /**
     * Held by whoever records, and by whoever may wait for the whole context, which all sessions of the process
     * share: opening and closing modules and cuBLAS. Such a wait spoils what any thread records.
     */
    private static final ReentrantLock RECORDING = new ReentrantLock();

    private static final String WAY_OUT = "without graphs: -D" + CudaGraphs.PROPERTY + "=false";

    private final CudaSession session;
    private final CudaDriver driver;

    /** Executable graphs not yet destroyed. */
    private final Set<Integer> executables = new HashSet<>();

    /**
     * How often what is launched into the graph that is being recorded; null if none is. Kept because a driver that
     * reports a failure does not say in which of a graph's kernels.
     */
    private @Nullable Map<String, Integer> launches;

    CudaRecorder(CudaSession session, CudaDriver driver) {
        this.session = session;
        this.driver = driver;
    }

    /** Keeps all sessions of the process from recording, until {@link #unlock}. */
    static void lock() {
        RECORDING.lock();
    }

    static void unlock() {
        RECORDING.unlock();
    }

    /** Something was launched, a kernel or a function of a library. */
    void note(String symbol) {
        Map<String, Integer> counts = launches;
        if (counts != null) {
            counts.merge(symbol, 1, Integer::sum);
        }
    }

    /**
     * Records what {@code work} enqueues, all of it launches, fills and copies on the device, and does not do it.
     *
     * @param pass what it is, for messages
     */
    CudaGraph record(String pass, Runnable work) {
        String what = "recording the " + pass + " pass as a graph (" + WAY_OUT + ")";
        Map<String, Integer> counts = new LinkedHashMap<>();
        int[] graph = new int[1];
        RECORDING.lock();
        try {
            session.check(what, session.streams().beginCapture());
            launches = counts;
            boolean complete = false;
            int code = CudaDriver.SUCCESS;
            try {
                work.run();
                complete = true;
            } finally {
                launches = null;
                code = session.streams().endCapture(graph);
                if (!complete && code == CudaDriver.SUCCESS) {
                    driver.destroyGraph(graph[0]);
                }
            }
            session.check(what, code);
        } finally {
            RECORDING.unlock();
        }
        int[] executable = new int[1];
        int code = driver.instantiateGraph(graph[0], executable);
        if (code == CudaDriver.SUCCESS) {
            executables.add(executable[0]);
        }
        // What was recorded is of no further use, whatever came of it.
        session.check(what, CudaSession.first(code, driver.destroyGraph(graph[0])));
        String contents = counts.entrySet().stream()
                .map(entry -> entry.getValue() + " " + entry.getKey())
                .collect(Collectors.joining(", "));
        return new CudaGraph(executable[0], contents);
    }

    /** Enqueues all that was recorded, as one. */
    void launch(CudaGraph graph) {
        int code = driver.launchGraph(graph.executable(), session.streams().main());
        if (code != CudaDriver.SUCCESS) {
            throw new CudaException(
                    code,
                    "a graph of " + graph.contents() + ": " + driver.errorName(code) + " on "
                            + session.device().name() + "; " + WAY_OUT);
        }
        session.noteGraph(graph);
    }

    /** Destroys a graph, as soon as its launches are done; nothing to do once the session is closed. */
    void destroy(CudaGraph graph) {
        if (!session.enterUnlessClosed()) {
            return;
        }
        try {
            if (executables.remove(graph.executable())) {
                session.check("destroying a graph", driver.destroyExecutable(graph.executable()));
            }
        } finally {
            session.leave();
        }
    }

    /** Destroys all graphs and returns the first failure's code. */
    int close() {
        int code = CudaDriver.SUCCESS;
        for (int executable : executables) {
            code = CudaSession.first(code, driver.destroyExecutable(executable));
        }
        executables.clear();
        return code;
    }
}
