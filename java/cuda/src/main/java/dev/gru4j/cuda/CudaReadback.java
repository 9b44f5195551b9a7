package dev.gru4j.cuda;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Page-locked memory that the device copies results to, with an event behind the latest copy. The copies
 * are in the main stream, so they read what the calls before them computed, and what comes after them
 * may overwrite it. They are small: a stream of their own would need two events for each, which take
 * longer than they do.
 */
final class CudaReadback implements FloatReadback {
    private final CudaSession session;
    private final CudaDriver driver;
    private final int length;
    private MemorySegment memory = MemorySegment.NULL;
    private int event = CudaStreams.NONE;

    private CudaReadback(CudaSession session, CudaDriver driver, int length) {
        this.session = session;
        this.driver = driver;
        this.length = length;
    }

    /** A place of that many floats, all zero; to be called by a thread that has entered the session. */
    @SuppressWarnings("restricted") // The driver allocated that many bytes at that address.
    static CudaReadback open(CudaSession session, CudaDriver driver, int length) {
        if (length < 0) {
            throw new IllegalArgumentException("length is " + length + " floats; 0 or more expected");
        }
        CudaReadback readback = new CudaReadback(session, driver, length);
        long bytes = CudaFloatMemory.bytes("floats", length);
        long[] address = new long[1];
        session.check("allocating " + bytes + " bytes of page-locked memory", driver.allocateHost(bytes, address));
        readback.memory = MemorySegment.ofAddress(address[0]).reinterpret(bytes).fill((byte) 0);
        int[] created = new int[1];
        int code = driver.createEvent(created);
        if (code == CudaDriver.SUCCESS) {
            readback.event = created[0];
        } else {
            readback.release();
        }
        session.check("an event", code);
        return readback;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void copy(FloatMemory source, long at, int to, int count) {
        Objects.checkFromIndexSize(at, count, source.length());
        Objects.checkFromIndexSize(to, count, length);
        long from = CudaFloatMemory.address("source", source, session) + at * Float.BYTES;
        session.enter();
        try {
            checkOpen();
            if (count > 0) {
                session.check("copying to the host",
                        driver.copyToHost(memory.address() + (long) to * Float.BYTES, from,
                                (long) count * Float.BYTES, session.streams().main()));
                session.check("recording an event", driver.recordEvent(event, session.streams().main()));
            }
        } finally {
            session.leave();
        }
    }

    @Override
    public boolean isDone() {
        session.enter();
        try {
            checkOpen();
            int code = driver.queryEvent(event);
            if (code == CudaDriver.NOT_READY) {
                return false;
            }
            session.checkWork(code);
            return true;
        } finally {
            session.leave();
        }
    }

    @Override
    public void get(int at, float[] target, int to, int count) {
        Objects.checkFromIndexSize(at, count, length);
        Objects.checkFromIndexSize(to, count, target.length);
        session.enter();
        try {
            checkOpen();
            session.checkWork(driver.synchronizeEvent(event));
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, (long) at * Float.BYTES, target, to, count);
        } finally {
            session.leave();
        }
    }

    @Override
    public void close() {
        if (!session.enterUnlessClosed()) {
            return;
        }
        try {
            session.check("freeing page-locked memory", session.downloads().close(this));
        } finally {
            session.leave();
        }
    }

    /**
     * Frees everything when the copies under way are done, and returns the first failure's code; to be called
     * by a thread that has entered the session.
     */
    int release() {
        int code = CudaDriver.SUCCESS;
        if (event != CudaStreams.NONE) {
            code = CudaSession.first(code, driver.synchronizeEvent(event));
            code = CudaSession.first(code, driver.destroyEvent(event));
            event = CudaStreams.NONE;
        }
        if (!memory.equals(MemorySegment.NULL)) {
            code = CudaSession.first(code, driver.freeHost(memory.address()));
            memory = MemorySegment.NULL;
        }
        return code;
    }

    private void checkOpen() {
        if (event == CudaStreams.NONE) {
            throw new IllegalStateException("readback of " + length + " floats was closed");
        }
    }
}
