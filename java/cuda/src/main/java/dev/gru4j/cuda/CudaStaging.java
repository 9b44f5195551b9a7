package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;

/**
 * Copies between ordinary host memory and the device, through two page-locked chunks that take turns:
 * while the device reads one, the CPU fills the other. An upload returns when its last chunk is
 * enqueued, so it does not wait for the kernels enqueued before it.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaStaging {
    /** Large enough that a copy's start-up, some µs, does not count at 25 GB/s and more. */
    private static final long CHUNK_BYTES = 4 << 20;

    private static final int CHUNKS = 2;

    private final CudaSession session;
    private final CudaDriver driver;
    private final long[] address = new long[CHUNKS];
    private final MemorySegment[] memory = new MemorySegment[CHUNKS];
    private final int[] event = new int[CHUNKS];
    private int chunks;
    private int next;

    CudaStaging(CudaSession session, CudaDriver driver) {
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

    /** Frees what {@link #open} took and returns the first failure's code. */
    int close() {
        int code = CudaDriver.SUCCESS;
        while (chunks > 0) {
            chunks--;
            code = CudaSession.first(code, driver.destroyEvent(event[chunks]));
            code = CudaSession.first(code, driver.freeHost(address[chunks]));
        }
        return code;
    }

    void upload(long device, MemorySegment source) {
        for (long done = 0; done < source.byteSize(); done += CHUNK_BYTES) {
            long bytes = Math.min(CHUNK_BYTES, source.byteSize() - done);
            int k = next;
            next = (next + 1) % CHUNKS;
            // The chunk's previous copy may still be under way.
            session.checkWork(driver.synchronizeEvent(event[k]));
            MemorySegment.copy(source, done, memory[k], 0, bytes);
            session.check("copying to the device",
                    driver.copyToDevice(device + done, address[k], bytes, session.streams().main()));
            session.check("recording an event", driver.recordEvent(event[k], session.streams().main()));
        }
    }

    void download(MemorySegment target, long device) {
        long bytes = target.byteSize();
        long chunkCount = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
        // Uploads before this are in the same stream, so a chunk that is written here has been read by then.
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
}
