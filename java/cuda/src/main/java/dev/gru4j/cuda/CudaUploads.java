package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies from ordinary host memory to the device, of which only the last part takes its turn among the
 * work: first the CPU copies to page-locked memory, then the copy stream takes that over the bus to
 * memory of its own on the device, whatever the device computes meanwhile, and at last the main stream
 * copies it to where it belongs, at the speed of the device's memory. So an upload is ordered with the
 * work as any other call is, its address stays what it was, the next batch crosses the bus while the
 * last one is computed, and the host waits for nothing.
 *
 * <p>Page-locked and device memory come in pairs, the chunks of a ring. Uploads fill one chunk after
 * another, several small ones the same. Who waits for whom:
 *
 * <ul>
 *   <li>the main stream, before it reads the device's side of a chunk, for {@code crossed}, recorded in
 *       the copy stream behind the copy that wrote it;
 *   <li>the host, before it writes the page-locked side of a chunk again, for {@code crossed} of the last
 *       copy that read it;
 *   <li>the copy stream, before it writes the device's side of a chunk again, for {@code consumed},
 *       recorded in the main stream behind all copies out of it when the ring moved on.
 * </ul>
 *
 * <p>The second is the only wait of the host. It happens when the ring has come round to a chunk whose
 * copies have not all crossed, which cannot happen while the ring is larger than what is uploaded in the
 * time the device is behind; therefore it gets another chunk then, up to a limit. So the chunks are
 * allocated in the first steps of a run and not again.
 *
 * <p>To be called by a thread that has entered the session.
 */
final class CudaUploads {
    /**
     * Sizes of the ring.
     *
     * @param chunkBytes bytes of a chunk, a multiple of {@value #ALIGNMENT}
     * @param mostChunks chunks at most
     */
    record Ring(long chunkBytes, int mostChunks) {
        /**
         * Chunks so large that a copy's start-up, some µs, does not count at 25 GB/s and more; and so many that a batch of
         * up to 60 MiB crosses the bus while the one before is computed.
         */
        static final Ring DEFAULT = new Ring(4 << 20, 16);
    }

    /** Bytes between the starts of two uploads in one chunk: copies on the device are fastest at such addresses. */
    private static final long ALIGNMENT = 256;

    private final CudaSession session;
    private final CudaDriver driver;
    private final long chunkBytes;
    private final int mostChunks;
    private final List<Chunk> chunks = new ArrayList<>();
    private int stream = CudaStreams.NONE;

    /** The chunk that uploads go to now, and how much of it is taken. */
    private int current;

    private long used;

    /** One piece of the ring; what is not there yet, or no more, is 0 or {@link CudaStreams#NONE}. */
    private static final class Chunk {
        private long host;
        private MemorySegment memory = MemorySegment.NULL;
        private long device;
        private int crossed = CudaStreams.NONE;
        private int consumed = CudaStreams.NONE;
    }

    CudaUploads(CudaSession session, CudaDriver driver, Ring ring) {
        this.session = session;
        this.driver = driver;
        this.chunkBytes = ring.chunkBytes();
        this.mostChunks = ring.mostChunks();
    }

    void open() {
        int[] created = new int[1];
        session.check("a stream", driver.createStream(created));
        stream = created[0];
    }

    /** Copies all of {@code source} to {@code address}; the source may be changed as soon as this returns. */
    void upload(long address, MemorySegment source) {
        for (long done = 0; done < source.byteSize();) {
            Chunk chunk = chunkWithRoom();
            long at = used;
            long bytes = Math.min(chunkBytes - at, source.byteSize() - done);
            // Taken whatever comes: where a call fails, these bytes may still cross, but nobody reads them there.
            used = Math.min(chunkBytes, Math.ceilDiv(at + bytes, ALIGNMENT) * ALIGNMENT);
            MemorySegment.copy(source, done, chunk.memory, at, bytes);
            enqueue(chunk, at, bytes, address + done);
            done += bytes;
        }
    }

    /** Enqueues the way of the bytes at {@code at} of a chunk to {@code address}. */
    private void enqueue(Chunk chunk, long at, long bytes, long address) {
        session.check("copying to the device",
                driver.copyToDevice(chunk.device + at, chunk.host + at, bytes, stream));
        session.check("recording an event", driver.recordEvent(chunk.crossed, stream));
        session.check("waiting for an event", driver.waitForEvent(session.streams().main(), chunk.crossed));
        session.check("copying on the device",
                driver.copyOnDevice(address, chunk.device + at, bytes, session.streams().main()));
    }

    /** The chunk that the next bytes go to; the ring moves on when the last one is full. */
    private Chunk chunkWithRoom() {
        if (chunks.isEmpty()) {
            session.check(allocating(), grow(0));
            current = 0;
            used = 0;
        } else if (used == chunkBytes) {
            moveOn();
        }
        return chunks.get(current);
    }

    private void moveOn() {
        Chunk left = chunks.get(current);
        session.check("recording an event", driver.recordEvent(left.consumed, session.streams().main()));
        int next = (current + 1) % chunks.size();
        boolean isNew = chunks.size() < mostChunks && !hasCrossed(chunks.get(next)) && tryToGrow(current + 1);
        if (isNew) {
            next = current + 1;
        } else {
            Chunk chunk = chunks.get(next);
            session.checkWork(driver.synchronizeEvent(chunk.crossed));
            session.check("waiting for an event", driver.waitForEvent(stream, chunk.consumed));
        }
        current = next;
        used = 0;
    }

    private boolean hasCrossed(Chunk chunk) {
        int code = driver.queryEvent(chunk.crossed);
        if (code == CudaDriver.NOT_READY) {
            return false;
        }
        session.checkWork(code);
        return true;
    }

    /** Whether there was memory for another chunk; without it the host waits more often, and that is all. */
    private boolean tryToGrow(int index) {
        int code = grow(index);
        if (code != CudaDriver.OUT_OF_MEMORY) {
            session.check(allocating(), code);
        }
        return code == CudaDriver.SUCCESS;
    }

    private String allocating() {
        return "allocating " + chunkBytes + " bytes each of page-locked and of device memory for uploads";
    }

    /** Adds a chunk at that place of the ring, or nothing; the driver's code. */
    @SuppressWarnings("restricted") // The driver allocated that many bytes at that address.
    private int grow(int index) {
        Chunk chunk = new Chunk();
        long[] address = new long[1];
        int[] event = new int[1];
        int code = driver.allocateHost(chunkBytes, address);
        if (code == CudaDriver.SUCCESS) {
            chunk.host = address[0];
            chunk.memory = MemorySegment.ofAddress(address[0]).reinterpret(chunkBytes);
            code = driver.allocate(chunkBytes, address);
        }
        if (code == CudaDriver.SUCCESS) {
            chunk.device = address[0];
            code = driver.createEvent(event);
        }
        if (code == CudaDriver.SUCCESS) {
            chunk.crossed = event[0];
            code = driver.createEvent(event);
        }
        if (code == CudaDriver.SUCCESS) {
            chunk.consumed = event[0];
            chunks.add(index, chunk);
        } else {
            release(chunk);
        }
        return code;
    }

    /** Frees what there is of a chunk; the first failure's code. */
    private int release(Chunk chunk) {
        int code = CudaDriver.SUCCESS;
        for (int event : new int[] {chunk.consumed, chunk.crossed}) {
            if (event != CudaStreams.NONE) {
                code = CudaSession.first(code, driver.destroyEvent(event));
            }
        }
        if (chunk.device != 0) {
            code = CudaSession.first(code, driver.free(chunk.device));
        }
        if (chunk.host != 0) {
            code = CudaSession.first(code, driver.freeHost(chunk.host));
        }
        return code;
    }

    /** Waits for what is under way, frees everything, and returns the first failure's code. */
    int close() {
        if (stream == CudaStreams.NONE) {
            return CudaDriver.SUCCESS;
        }
        int code = driver.synchronizeStream(stream);
        for (Chunk chunk : chunks) {
            code = CudaSession.first(code, release(chunk));
        }
        chunks.clear();
        code = CudaSession.first(code, driver.destroyStream(stream));
        stream = CudaStreams.NONE;
        return code;
    }
}
