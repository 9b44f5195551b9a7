package dev.gru4j.simd;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The threads that share the work of one call: the caller and {@code threads − 1} daemons. One task at
 * a time; a caller who finds the pool at work does its task alone, so several threads may call at once.
 *
 * <p>Waiting spins for some microseconds, which is what a step of a GRU lasts, then parks: on a machine
 * with more runnable threads than cores spinning only delays the one that is waited for.
 */
final class SimdPool implements AutoCloseable {
    /** Work that is split by the number of the worker. Must give the same bits for any number of workers. */
    interface Task {
        /**
         * Does one worker's part.
         *
         * @param worker 0 … workers−1
         * @param team what the workers of this run share
         */
        void run(int worker, Team team);
    }

    /** The workers of one run. */
    static final class Team {
        final int workers;
        private final AtomicInteger arrived = new AtomicInteger();
        private volatile int generation;
        private volatile boolean broken;

        Team(int workers) {
            this.workers = workers;
        }

        /** First of the {@code count} items that belong to {@code worker}; {@code worker + 1} gives the end. */
        int share(int count, int worker) {
            return (int) ((long) count * worker / workers);
        }

        /** Waits until every worker of the team is here. */
        void await() {
            if (workers == 1) {
                return;
            }
            int mine = generation;
            if (arrived.incrementAndGet() == workers) {
                arrived.set(0);
                generation = mine + 1;
                return;
            }
            for (int spins = 0; generation == mine; spins++) {
                if (broken) {
                    throw new IllegalStateException("another worker of this call failed");
                }
                pause(spins);
            }
        }

        private void reset() {
            arrived.set(0);
            broken = false;
        }
    }

    /** Spins that take about 20 µs, and the length of a nap after those. */
    private static final int SPINS = 1 << 10;

    private static final long NAP_NANOS = 20_000;

    private static final Team ALONE = new Team(1);

    private final Thread[] daemons;
    private final Team[] teams;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicInteger running = new AtomicInteger();

    /** What each daemon is to do next; it takes it out. */
    private final AtomicReferenceArray<@Nullable Task> given;

    private final AtomicIntegerArray parked;
    private volatile boolean closed;
    private volatile @Nullable Throwable failure;

    /** Written before {@link #given}, read after it. */
    private Team team = ALONE;

    SimdPool(int threads) {
        teams = new Team[threads + 1];
        for (int n = 1; n <= threads; n++) {
            teams[n] = new Team(n);
        }
        daemons = new Thread[threads - 1];
        given = new AtomicReferenceArray<>(daemons.length);
        parked = new AtomicIntegerArray(daemons.length);
        for (int i = 0; i < daemons.length; i++) {
            int daemon = i;
            daemons[i] = Thread.ofPlatform().daemon().name("gru4j-simd-" + (i + 1)).unstarted(() -> serve(daemon));
        }
        for (Thread daemon : daemons) {
            daemon.start();
        }
    }

    int threads() {
        return daemons.length + 1;
    }

    /** Runs a task with up to {@code most} workers and returns when all are done. */
    void run(Task work, int most) {
        int workers = Math.min(most, threads());
        if (workers <= 1 || closed || lock.isHeldByCurrentThread() || !lock.tryLock()) {
            work.run(0, ALONE);
            return;
        }
        try {
            Team current = teams[workers];
            current.reset();
            team = current;
            failure = null;
            running.set(workers - 1);
            for (int i = 0; i < workers - 1; i++) {
                given.set(i, work);
                if (parked.get(i) != 0) {
                    LockSupport.unpark(daemons[i]);
                }
            }
            runGuarded(work, 0, current);
            for (int spins = 0; running.get() != 0; spins++) {
                pause(spins);
            }
            Throwable failed = failure;
            if (failed instanceof Error error) {
                throw error;
            }
            if (failed instanceof RuntimeException exception) {
                throw exception;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends the daemons. Tasks given later are done by their callers. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            for (Thread daemon : daemons) {
                LockSupport.unpark(daemon);
            }
        } finally {
            lock.unlock();
        }
    }

    private void serve(int daemon) {
        int spins = 0;
        while (!closed) {
            Task work = given.get(daemon);
            if (work != null) {
                given.set(daemon, null);
                runGuarded(work, daemon + 1, team);
                running.decrementAndGet();
                spins = 0;
            } else if (spins < SPINS) {
                spins++;
                Thread.onSpinWait();
            } else {
                parked.set(daemon, 1);
                if (given.get(daemon) == null && !closed) {
                    LockSupport.park(this);
                }
                parked.set(daemon, 0);
            }
        }
    }

    private void runGuarded(Task work, int worker, Team current) {
        try {
            work.run(worker, current);
        } catch (RuntimeException | Error e) {
            if (!current.broken) {
                failure = e;
                current.broken = true;
            }
        }
    }

    private static void pause(int spins) {
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else {
            LockSupport.parkNanos(NAP_NANOS);
        }
    }
}
