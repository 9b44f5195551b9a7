package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One device context, its streams and the memory taken from it. Every call of the driver that needs a
 * context goes through here, and every return code is looked at.
 *
 * <p>Threads: {@link #enter} makes the caller the only one in here and its thread the owner of the
 * context, {@link #leave} undoes both; enqueueing is short, so nobody waits long. Work runs on one
 * stream, in the order in which it was enqueued; only uploads have another one, see {@link CudaUploads}.
 */
final class CudaSession implements AutoCloseable {
    /** The number of no stream and no event. */
    static final int NONE = -1;

    private final CudaDriver driver;
    private final CudaDevice device;
    private final ReentrantLock lock = new ReentrantLock();

    /** Addresses of device memory not yet freed. */
    private final Set<Long> allocations = new HashSet<>();

    /** Places for results that were not closed yet. */
    private final Set<CudaReadback> readbacks = new HashSet<>();

    private final CudaKernels kernels;
    private final CudaUploads uploads;
    private final CudaDownloads downloads;
    private final CudaArguments arguments;
    private Products products = new OwnProducts("no library was looked for");
    private boolean closed;

    /** The stream of all work, once it was made. */
    private int stream = NONE;

    /** The latest launch, for the message if its failure shows only when somebody waits. */
    private CudaKernels.@Nullable Kernel lastKernel;

    private int lastGridX;
    private int lastGridY;
    private int lastGridZ;

    /**
     * Opens a session on the device.
     *
     * @throws CudaException if the driver refuses; everything is released then
     */
    CudaSession(CudaDriver driver, CudaDevice device, CudaImage image) {
        this(driver, device, image, CudaUploads.CHUNK_BYTES, CudaUploads.MOST_CHUNKS);
    }

    /** The same with another ring of {@link CudaUploads}. */
    CudaSession(CudaDriver driver, CudaDevice device, CudaImage image, long chunkBytes, int mostChunks) {
        this.driver = driver;
        this.device = device;
        this.kernels = new CudaKernels(driver);
        this.arguments = new CudaArguments(driver.arguments());
        this.uploads = new CudaUploads(this, driver, chunkBytes, mostChunks);
        this.downloads = new CudaDownloads(this, driver);
        check("selecting the device", driver.selectDevice(CudaProbe.DEVICE));
        check("a context on " + device.name(), driver.retainContext());
        boolean complete = false;
        try {
            check("making the context current", driver.pushContext());
            openInContext(image);
            complete = true;
        } finally {
            if (!complete) {
                driver.releaseContext();
            }
        }
    }

    /** Opens all that lives in the context, which is current, and leaves it. */
    private void openInContext(CudaImage image) {
        boolean complete = false;
        try {
            int[] created = new int[1];
            check("a stream", driver.createStream(created));
            stream = created[0];
            kernels.load(image, this);
            uploads.open();
            downloads.open();
            check("leaving the context", driver.popContext());
            complete = true;
        } finally {
            if (!complete) {
                // The first failure is the one to report; these undo whatever had succeeded.
                releaseInContext();
                driver.popContext();
            }
        }
    }

    /** Undoes {@link #openInContext} and returns the first failure's code. */
    private int releaseInContext() {
        int code = uploads.close();
        code = first(code, downloads.close());
        code = first(code, kernels.unload());
        if (stream != NONE) {
            code = first(code, driver.destroyStream(stream));
            stream = NONE;
        }
        return code;
    }

    /** The stream of all work. */
    int stream() {
        return stream;
    }

    CudaDevice device() {
        return device;
    }

    /**
     * Looks for a library for the large products; without this call, own kernels compute them.
     *
     * @throws IllegalStateException if the one that is asked for cannot be used; the session stays open
     */
    void openProducts(boolean emulated) {
        products = CublasLibrary.open(this, driver, emulated);
    }

    /** Who computes the large products. */
    Products products() {
        return products;
    }

    /** Makes the caller the only one in here, and the context current on its thread. */
    void enter() {
        lock.lock();
        boolean entered = false;
        try {
            if (closed) {
                throw new IllegalStateException("backend 'cuda' was closed");
            }
            check("making the context current", driver.pushContext());
            entered = true;
        } finally {
            if (!entered) {
                lock.unlock();
            }
        }
    }

    void leave() {
        try {
            check("leaving the context", driver.popContext());
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all enqueued work is done. */
    void synchronize() {
        enter();
        try {
            checkWork(driver.synchronizeStream(stream));
        } finally {
            leave();
        }
    }

    // ---- memory ------------------------------------------------------------------------------------

    /**
     * New device memory, all zero.
     *
     * @param bytes a multiple of 4
     */
    long allocate(long bytes) {
        enter();
        try {
            long[] address = new long[1];
            int code = driver.allocate(bytes, address);
            if (code == CudaDriver.OUT_OF_MEMORY) {
                throw new CudaException(code, outOfMemory(bytes));
            }
            check("allocating " + bytes + " bytes of device memory", code);
            allocations.add(address[0]);
            boolean cleared = false;
            try {
                check("clearing " + bytes + " bytes of device memory",
                        driver.fill(address[0], 0, bytes / Integer.BYTES, stream));
                cleared = true;
            } finally {
                if (!cleared) {
                    allocations.remove(address[0]);
                    driver.free(address[0]);
                }
            }
            return address[0];
        } finally {
            leave();
        }
    }

    private String outOfMemory(long bytes) {
        long[] free = new long[1];
        long[] total = new long[1];
        String left = driver.memoryInfo(free, total) == CudaDriver.SUCCESS
                ? free[0] + " bytes free of " + total[0]
                : "free memory unknown";
        return "out of device memory on " + device.name() + ": " + bytes + " bytes asked, " + left
                + "; a smaller batch, hidden size or sequence needs less";
    }

    /** Frees device memory; nothing to do once the session is closed. */
    void free(long address) {
        lock.lock();
        try {
            if (closed || !allocations.remove(address)) {
                return;
            }
            enter();
            try {
                check("freeing device memory", driver.free(address));
            } finally {
                leave();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Copies host memory to the device; the host side may be reused at once. */
    void upload(long address, MemorySegment source) {
        enter();
        try {
            uploads.upload(address, source);
        } finally {
            leave();
        }
    }

    /** Copies device memory to the host, when the work enqueued before is done. */
    void download(MemorySegment target, long address) {
        enter();
        try {
            downloads.download(target, address);
        } finally {
            leave();
        }
    }

    /** A place for results that are waited for later. */
    CudaReadback readback(int floats) {
        enter();
        try {
            CudaReadback readback = CudaReadback.open(this, driver, floats);
            readbacks.add(readback);
            return readback;
        } finally {
            leave();
        }
    }

    /** Frees a place for results; nothing to do once the session is closed. */
    void close(CudaReadback readback) {
        lock.lock();
        try {
            if (closed || !readbacks.remove(readback)) {
                return;
            }
            enter();
            try {
                check("freeing page-locked memory", readback.release());
            } finally {
                leave();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sets {@code words} 32-bit words. */
    void fill(long address, int word, long words) {
        if (words == 0) {
            return;
        }
        enter();
        try {
            check("filling device memory", driver.fill(address, word, words, stream));
        } finally {
            leave();
        }
    }

    /** Copies floats on the device; the ranges must not overlap. */
    void copy(long to, long from, long floats) {
        if (floats == 0) {
            return;
        }
        enter();
        try {
            check("copying device memory", driver.copyOnDevice(to, from, floats * Float.BYTES, stream));
        } finally {
            leave();
        }
    }

    // ---- launches ----------------------------------------------------------------------------------

    /** The argument struct of the next launch, empty. To be filled and launched by a thread that has entered. */
    CudaArguments arguments() {
        return arguments.clear();
    }

    /** {@link #launch(CudaKernels.Kernel, long, int, int, int)} without a second and third dimension. */
    void launch(CudaKernels.Kernel kernel, long gridX, int sharedBytes) {
        launch(kernel, gridX, 1, 1, sharedBytes);
    }

    /**
     * Enqueues a kernel, a persistent one with all its blocks at once, with the {@link #arguments()} written
     * last, on gridX·gridY·gridZ blocks.
     */
    void launch(CudaKernels.Kernel kernel, long gridX, int gridY, int gridZ, int sharedBytes) {
        arguments.finish(kernel.symbol(), kernel.argumentBytes());
        if (gridX > device.maxGridX()) {
            throw new IllegalArgumentException(kernel.symbol() + " would need a grid of " + gridX + " blocks; "
                    + device.name() + " allows " + device.maxGridX());
        }
        int function = kernels.function(kernel);
        int code = kernel.isPersistent()
                ? driver.launchCooperative(function, (int) gridX, gridY, gridZ, kernel.threads(), sharedBytes, stream)
                : driver.launch(function, (int) gridX, gridY, gridZ, kernel.threads(), sharedBytes, stream);
        if (code != CudaDriver.SUCCESS) {
            throw new CudaException(code, kernel.symbol() + ": grid " + grid((int) gridX, gridY, gridZ) + ", block "
                    + kernel.threads() + ", " + sharedBytes + " bytes shared: " + driver.errorName(code)
                    + "; this device allows blocks of " + device.maxThreads() + " threads and "
                    + (kernel.isPersistent() ? device.mostSharedBytes() : device.maxSharedBytes()) + " bytes shared");
        }
        lastKernel = kernel;
        lastGridX = (int) gridX;
        lastGridY = gridY;
        lastGridZ = gridZ;
    }

    private static String grid(int x, int y, int z) {
        return z == 1 ? y == 1 ? Integer.toString(x) : x + "x" + y : x + "x" + y + "x" + z;
    }

    // ---- time --------------------------------------------------------------------------------------

    /** A new event that can be timed. */
    int timedEvent() {
        enter();
        try {
            int[] event = new int[1];
            check("creating an event", driver.createTimedEvent(event));
            return event[0];
        } finally {
            leave();
        }
    }

    /** Enqueues the event behind all work given so far. */
    void record(int event) {
        enter();
        try {
            check("recording an event", driver.recordEvent(event, stream));
        } finally {
            leave();
        }
    }

    /** Milliseconds between two recorded events; waits for the second. */
    float elapsed(int start, int end) {
        enter();
        try {
            checkWork(driver.synchronizeEvent(end));
            float[] milliseconds = new float[1];
            check("timing two events", driver.elapsed(start, end, milliseconds));
            return milliseconds[0];
        } finally {
            leave();
        }
    }

    /** Gives an event back; nothing to do once the session is closed, which ends the context and its events. */
    void destroyEvent(int event) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            enter();
            try {
                check("destroying an event", driver.destroyEvent(event));
            } finally {
                leave();
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- errors ------------------------------------------------------------------------------------

    void check(String what, int code) {
        if (code != CudaDriver.SUCCESS) {
            throw new CudaException(code, what + ": " + driver.errorName(code) + " on " + device.name());
        }
    }

    /** Looks at the code of a call that waited, where failures of kernels show. */
    void checkWork(int code) {
        if (code != CudaDriver.SUCCESS) {
            CudaKernels.@Nullable Kernel last = lastKernel;
            String where = last == null
                    ? ""
                    : "; the latest kernel was " + last.symbol() + ", grid " + grid(lastGridX, lastGridY, lastGridZ)
                            + ", block " + last.threads();
            throw new CudaException(
                    code, "work on " + device.name() + " failed: " + driver.errorName(code) + where);
        }
    }

    /** Releases everything, memory that is still open included. Closing twice does nothing. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            enter();
            int code = CudaDriver.SUCCESS;
            try {
                // One failure must not keep the rest alive; the first is reported.
                code = first(code, driver.synchronizeStream(stream));
                code = first(code, products.close());
                for (long address : allocations) {
                    code = first(code, driver.free(address));
                }
                allocations.clear();
                for (CudaReadback readback : readbacks) {
                    code = first(code, readback.release());
                }
                readbacks.clear();
                code = first(code, releaseInContext());
            } finally {
                closed = true;
                leave();
            }
            code = first(code, driver.releaseContext());
            checkWork(code);
        } finally {
            lock.unlock();
        }
    }

    static int first(int code, int next) {
        return code == CudaDriver.SUCCESS ? next : code;
    }
}
