package dev.gru4j.cuda;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.cuda.driver.CudaDriver;

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
        session.enter();
        try {
            int[] created = new int[1];
            CudaDriver driver = session.driver();
            session.check("creating an event", driver.createTimedEvent(created));
            this.start = created[0];
            int code = driver.createTimedEvent(created);
            if (code != CudaDriver.SUCCESS) {
                driver.destroyEvent(start);
            }
            session.check("creating an event", code);
            this.stop = created[0];
        } finally {
            session.leave();
        }
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
        record(start);
    }

    /** Marks the end behind all work given so far. */
    public void stop() {
        record(stop);
    }

    private void record(int event) {
        session.enter();
        try {
            session.check(
                    "recording an event", session.driver().recordEvent(event, session.streams().main()));
        } finally {
            session.leave();
        }
    }

    /** Microseconds from the latest start to the latest stop; waits until the device is there. */
    public double microseconds() {
        session.enter();
        try {
            session.checkWork(session.driver().synchronizeEvent(stop));
            float[] milliseconds = new float[1];
            session.check("timing two events", session.driver().elapsed(start, stop, milliseconds));
            return 1e3 * milliseconds[0];
        } finally {
            session.leave();
        }
    }

    @Override
    public void close() {
        // Closing the session ended the context, and its events with it.
        if (!session.enterUnlessClosed()) {
            return;
        }
        try {
            int code = session.driver().destroyEvent(start);
            session.check("destroying an event", CudaSession.first(code, session.driver().destroyEvent(stop)));
        } finally {
            session.leave();
        }
    }
}
