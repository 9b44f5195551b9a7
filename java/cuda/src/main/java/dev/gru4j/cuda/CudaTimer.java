package dev.gru4j.cuda;

import dev.gru4j.backend.GruBackend;

/**
 * Measures work on the device with the driver's events: the time from when the device reaches
 * {@link #start} to when it reaches {@link #stop}, in the order of the backend's calls. Where the calls
 * between them are enqueued slower than the device works, its waiting is part of the time.
 *
 * <p>One thread at a time. Close it before its backend.
 */
public final class CudaTimer implements AutoCloseable {
    private final CudaSession session;
    private final int start;
    private final int stop;

    private CudaTimer(CudaSession session) {
        this.session = session;
        this.start = session.timedEvent();
        this.stop = session.timedEvent();
    }

    /**
     * A timer of the work of one backend.
     *
     * @throws IllegalArgumentException if it is not a cuda backend
     */
    public static CudaTimer of(GruBackend backend) {
        if (!(backend instanceof CudaBackend cuda)) {
            throw new IllegalArgumentException("backend is '" + backend.name() + "'; 'cuda' expected");
        }
        return new CudaTimer(cuda.session());
    }

    /** Marks the start behind all work given so far. */
    public void start() {
        session.record(start);
    }

    /** Marks the end behind all work given so far. */
    public void stop() {
        session.record(stop);
    }

    /** Microseconds from the latest start to the latest stop; waits until the device is there. */
    public double microseconds() {
        return 1e3 * session.elapsed(start, stop);
    }

    @Override
    public void close() {
        session.destroyEvent(start);
        session.destroyEvent(stop);
    }
}
