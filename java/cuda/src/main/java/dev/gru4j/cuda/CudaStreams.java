package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.util.function.BiConsumer;

/**
 * The streams of a session. Everything runs on the main one, in the order of the calls, but for the
 * second of two directions that run {@link #sideBySide}: it has the side stream, behind all that was given
 * to the main one before and ahead of all that is given to it later. So other work of the session need not
 * know that there are two. A third one only copies, see {@link CudaUploads}.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaStreams {
    /** The number of no stream and no event. */
    static final int NONE = -1;

    private final CudaSession session;
    private final CudaDriver driver;
    private int main = NONE;
    private int side = NONE;
    private int forked = NONE;
    private int joined = NONE;

    /** Where the next work goes. */
    private int current = NONE;

    private boolean isCaptured;

    CudaStreams(CudaSession session, CudaDriver driver) {
        this.session = session;
        this.driver = driver;
    }

    /** Makes the main stream. */
    void open() {
        main = made("a stream", driver::createStream);
        current = main;
    }

    /** Makes the side stream, unless it is there; to be asked for before the first {@link #sideBySide}. */
    void openSide() {
        // Whatever fails, what was made stays for the next attempt, or for close.
        if (forked == NONE) {
            forked = made("an event", driver::createEvent);
        }
        if (joined == NONE) {
            joined = made("an event", driver::createEvent);
        }
        if (side == NONE) {
            side = made("a second stream", driver::createStream);
        }
    }

    /** A call of the driver that hands a number back. */
    private interface Maker {
        int make(int[] number);
    }

    private int made(String what, Maker maker) {
        int[] number = new int[1];
        session.check(what, maker.make(number));
        return number[0];
    }

    /** Destroys them all and returns the first failure's code. */
    int close() {
        int code = CudaDriver.SUCCESS;
        if (side != NONE) {
            code = driver.destroyStream(side);
        }
        if (forked != NONE) {
            code = CudaSession.first(code, driver.destroyEvent(forked));
        }
        if (joined != NONE) {
            code = CudaSession.first(code, driver.destroyEvent(joined));
        }
        if (main != NONE) {
            code = CudaSession.first(code, driver.destroyStream(main));
        }
        main = side = forked = joined = current = NONE;
        return code;
    }

    int main() {
        return main;
    }

    int current() {
        return current;
    }

    boolean isOnSide() {
        return current == side && side != NONE;
    }

    /**
     * Enqueues the same work for two things, neither of which reads or writes what the other writes; then, in
     * the order of the streams, comes whatever is next.
     */
    <A, B> void sideBySide(BiConsumer<A, B> work, A with, B onMain, B onSide) {
        boolean complete = false;
        try {
            fork();
            work.accept(with, onMain);
            current = side;
            work.accept(with, onSide);
            join();
            complete = true;
        } finally {
            current = main;
            if (!complete && !isCaptured) {
                // The first failure is the one to report. Half of the work must not run on beside what comes next.
                driver.synchronizeStream(side);
            }
        }
    }

    private void fork() {
        session.check("recording an event", driver.recordEvent(forked, main));
        session.check("waiting for an event", driver.waitForEvent(side, forked));
    }

    private void join() {
        session.check("recording an event", driver.recordEvent(joined, side));
        session.check("waiting for an event", driver.waitForEvent(main, joined));
    }

    /** From now on, work is recorded instead of done, in both streams; returns the driver's code. */
    int beginCapture() {
        int code = driver.beginCapture(main);
        isCaptured = code == CudaDriver.SUCCESS;
        return code;
    }

    /** Ends the recording and returns the driver's code. */
    int endCapture(int[] graph) {
        isCaptured = false;
        return driver.endCapture(main, graph);
    }
}
