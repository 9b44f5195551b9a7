package dev.gru4j;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.HostFloatMemory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The plans of one {@link Gru}, made as calls of new sizes arrive. T and B are each rounded up to
 * 1, 1¼, 1½ or 1¾ times a power of two, and a plan serves the calls that round to it: what runs, and
 * with it every bit of the result, depends on a call's own T and B and not on the calls before it. The
 * {@value #KEPT} plans used last are kept, each with its own copy of the weights and with as many
 * workspaces as calls ever ran in it at once.
 *
 * <p>Safe from any thread.
 */
final class PlanCache implements AutoCloseable {
    static final int KEPT = 4;

    private final GruBackend backend;
    private final GruSpec spec;
    private final GruPlan.Mode mode;
    private final Map<Size, Entry> entries = new LinkedHashMap<>(16, 0.75f, true); // least recently used first

    PlanCache(GruBackend backend, GruSpec spec, GruPlan.Mode mode) {
        this.backend = backend;
        this.spec = spec;
        this.mode = mode;
    }

    private record Size(int maxT, int maxB) {
        static Size of(int T, int B) {
            return new Size(roundUp(T), roundUp(B));
        }
    }

    /** The smallest of 1, 1¼, 1½, 1¾ times a power of two that is not below {@code n}. */
    static int roundUp(int n) {
        if (n <= 4) {
            return n;
        }
        int quarter = Integer.highestOneBit(n - 1) / 4;
        return (int) Math.min(Integer.MAX_VALUE, Math.ceilDiv(n, quarter) * (long) quarter);
    }

    private static final class Entry {
        final GruPlan plan;
        final List<Lease> all = new ArrayList<>();
        final Deque<Lease> idle = new ArrayDeque<>();
        long version = -1;

        Entry(GruPlan plan) {
            this.plan = plan;
        }

        boolean inUse() {
            return idle.size() < all.size();
        }

        void close() {
            all.forEach(Lease::free);
            plan.close();
        }
    }

    /** A plan and what one call needs to run in it. Given back by {@link #close}. */
    final class Lease implements AutoCloseable {
        private final Entry entry;
        private final FloatMemory workspace;
        private final FloatMemory reserve;
        private GruCall call = new GruCall();
        private final TensorEdge edge;

        private Lease(Entry entry) {
            this.entry = entry;
            this.workspace = backend.allocate(entry.plan.workspaceLength());
            try {
                this.reserve = backend.allocate(entry.plan.reserveLength());
            } catch (RuntimeException | Error e) { // out of memory, say: the layer goes on with smaller calls
                workspace.close();
                throw e;
            }
            this.edge = new TensorEdge(backend, workspace instanceof HostFloatMemory);
            reset();
        }

        /** A new call object: the old one would keep the caller's tensors alive. */
        private void reset() {
            call = new GruCall().workspace(workspace).reserve(reserve);
        }

        GruPlan plan() {
            return entry.plan;
        }

        /** With workspace and reserve set. */
        GruCall call() {
            return call;
        }

        TensorEdge edge() {
            return edge;
        }

        private void free() {
            edge.close();
            workspace.close();
            reserve.close();
        }

        @Override
        public void close() {
            giveBack(this);
        }
    }

    /**
     * A plan for this size, loaded with these parameters, for the caller alone.
     *
     * @param version of the parameters' values; while it changes no lease may be out
     */
    synchronized Lease acquire(int T, int B, FloatMemory parameters, long version) {
        Size size = Size.of(T, B);
        Entry entry = entries.get(size);
        if (entry == null) {
            entry = new Entry(backend.plan(spec, size.maxT(), size.maxB(), mode));
            entries.put(size, entry);
        }
        if (entry.version != version) {
            entry.plan.loadParameters(parameters);
            entry.version = version;
        }
        Lease lease = entry.idle.poll();
        if (lease == null) {
            lease = new Lease(entry);
            entry.all.add(lease);
        }
        evict(entry);
        return lease;
    }

    private synchronized void giveBack(Lease lease) {
        lease.reset();
        lease.entry.idle.push(lease);
    }

    private void evict(Entry current) {
        Iterator<Entry> oldestFirst = entries.values().iterator();
        while (entries.size() > KEPT && oldestFirst.hasNext()) {
            Entry entry = oldestFirst.next();
            if (entry != current && !entry.inUse()) {
                oldestFirst.remove();
                entry.close();
            }
        }
    }

    /** One line for each plan kept, the last used last. */
    synchronized List<String> descriptions() {
        List<String> lines = new ArrayList<>();
        entries.forEach((size, entry) -> lines
                .add("T <= " + size.maxT() + ", B <= " + size.maxB() + ": " + entry.plan.description()));
        return lines;
    }

    /** Frees all plans; no call may run. */
    @Override
    public synchronized void close() {
        entries.values().forEach(Entry::close);
        entries.clear();
    }
}
