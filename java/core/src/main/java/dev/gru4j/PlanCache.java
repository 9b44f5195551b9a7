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
import java.util.List;

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
    private final List<Entry> entries = new ArrayList<>(); // a handful, least recently used first

    PlanCache(GruBackend backend, GruSpec spec, GruPlan.Mode mode) {
        this.backend = backend;
        this.spec = spec;
        this.mode = mode;
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
        private final GruCall call;
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
            this.call = new GruCall().workspace(workspace).reserve(reserve);
        }

        /** Lets go of the caller's tensors, which it would keep alive; the next call sets its own. */
        private void release() {
            edge.release();
            call.lengths(null);
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
        Entry entry = entry(roundUp(T), roundUp(B));
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

    /** The entry of a size, new where there is none, as the one used last. */
    private Entry entry(int maxT, int maxB) {
        for (int i = entries.size() - 1; i >= 0; i--) {
            Entry entry = entries.get(i);
            if (entry.plan.maxT() == maxT && entry.plan.maxB() == maxB) {
                if (i < entries.size() - 1) {
                    entries.remove(i);
                    entries.add(entry);
                }
                return entry;
            }
        }
        Entry entry = new Entry(backend.plan(spec, maxT, maxB, mode));
        entries.add(entry);
        return entry;
    }

    private synchronized void giveBack(Lease lease) {
        lease.release();
        lease.entry.idle.push(lease);
    }

    private void evict(Entry current) {
        if (entries.size() <= KEPT) {
            return;
        }
        Iterator<Entry> oldestFirst = entries.iterator();
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
        entries.forEach(entry -> lines.add("T <= " + entry.plan.maxT() + ", B <= " + entry.plan.maxB() + ": "
                + entry.plan.description()));
        return lines;
    }

    /** Frees all plans; no call may run. */
    @Override
    public synchronized void close() {
        entries.forEach(Entry::close);
        entries.clear();
    }
}
