package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/**
 * Copies from the device to ordinary host memory that the caller waits for, through two page-locked
 * chunks that take turns: while the device writes one, the CPU empties the other. They take their place
 * in the main stream, so they read what the calls before them have computed. A result that the caller
 * does not want to wait for yet is {@link CudaReadback}'s.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaDownloads {
    private static final long CHUNK_BYTES = CudaUploads.Ring.DEFAULT.chunkBytes();

    private static final int CHUNKS = 2;

    private final CudaSession session;
    private final CudaDriver driver;
    private final long[] address = new long[CHUNKS];
    private final MemorySegment[] memory = new MemorySegment[CHUNKS];
    private final int[] event = new int[CHUNKS];
    private int chunks;

    /** Places for results that were not closed yet. */
    private final Set<CudaReadback> readbacks = new HashSet<>();

    CudaDownloads(CudaSession session, CudaDriver driver) {
        this.session = session;
        this.driver = driver;
    }

    @SuppressWarnings("restricted") // The driver allocated that many bytes at that address.
    void open() {
        long[] host = new long[1];
        int[] created = new int[1];
        for (int k = 0; k < CHUNKS; k++) {
            session.check("allocating " + CHUNK_BYTES + " bytes of page-locked memory",
                    driver.allocateHost(CHUNK_BYTES, host));
            int code = driver.createEvent(created);
            if (code != CudaDriver.SUCCESS) {
                driver.freeHost(host[0]);
            }
            session.check("an event", code);
            address[k] = host[0];
            memory[k] = MemorySegment.ofAddress(host[0]).reinterpret(CHUNK_BYTES);
            event[k] = created[0];
            chunks = k + 1;
        }
    }

    /** Fills {@code target} with the bytes from {@code device} on. */
    void download(MemorySegment target, long device) {
        long bytes = target.byteSize();
        long chunkCount = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
        // All events of a download are waited for, so nothing writes a chunk when the next one begins.
        for (long chunk = 0; chunk < chunkCount + 1; chunk++) {
            if (chunk < chunkCount) {
                int k = (int) (chunk % CHUNKS);
                session.check(
                        "copying to the host",
                        driver.copyToHost(address[k], device + chunk * CHUNK_BYTES, length(bytes, chunk),
                                session.streams().main()));
                session.check("recording an event", driver.recordEvent(event[k], session.streams().main()));
            }
            if (chunk > 0) {
                int k = (int) ((chunk - 1) % CHUNKS);
                session.checkWork(driver.synchronizeEvent(event[k]));
                MemorySegment.copy(memory[k], 0, target, (chunk - 1) * CHUNK_BYTES, length(bytes, chunk - 1));
            }
        }
    }

    private static long length(long bytes, long chunk) {
        return Math.min(CHUNK_BYTES, bytes - chunk * CHUNK_BYTES);
    }

    /** A place for results that are waited for later. */
    CudaReadback readback(int floats) {
        CudaReadback readback = CudaReadback.open(session, driver, floats);
        readbacks.add(readback);
        return readback;
    }

    /** Frees a place, once, and returns the driver's code. */
    int close(CudaReadback readback) {
        return readbacks.remove(readback) ? readback.release() : CudaDriver.SUCCESS;
    }

    /** Frees everything, places that are still open included, and returns the first failure's code. */
    int close() {
        int code = CudaDriver.SUCCESS;
        for (CudaReadback readback : readbacks) {
            code = CudaSession.first(code, readback.release());
        }
        readbacks.clear();
        while (chunks > 0) {
            chunks--;
            code = CudaSession.first(code, driver.destroyEvent(event[chunks]));
            code = CudaSession.first(code, driver.freeHost(address[chunks]));
        }
        return code;
    }
}
