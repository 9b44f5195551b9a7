package dev.gru4j.cuda;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.driver.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One device context, its streams, graphs and the memory taken from it. Every call of the driver that needs a
 * context goes through here, and every return code is looked at.
 *
 * <p>Threads: {@link #enter} makes the caller the only one in here and its thread the owner of the
 * context, {@link #leave} undoes both; enqueueing is short, so nobody waits long. Work is done in the order
 * in which it was enqueued, but for what {@link CudaStreams} lets run side by side; uploads cross the bus on
 * their own, see {@link CudaUploads}.
 */
final class CudaSession implements AutoCloseable {
    private final CudaDriver driver;
    private final CudaDevice device;
    private final ProductPrecision precision;
    private final ReentrantLock lock = new ReentrantLock();

    /** Addresses of device memory not yet freed. */
    private final Set<Long> allocations = new HashSet<>();

    private final CudaStreams streams;
    private final CudaRecorder recorder;
    private final CudaKernels kernels;
    private final CudaUploads uploads;
    private final CudaDownloads downloads;
    private final CudaArguments arguments;
    private Products products = new OwnProducts("no library was looked for");
    private boolean closed;

    /** The latest launch, for the message if its failure shows only when somebody waits. */
    private CudaKernels.@Nullable Kernel lastKernel;

    private int lastGridX;
    private int lastGridY;
    private int lastGridZ;

    /** The latest graph, if it was launched after that. */
    private @Nullable CudaGraph lastGraph;

    /**
     * Opens a session on the device.
     *
     * @param precision of its matrix products; the device has it
     * @throws CudaException if the driver refuses; everything is released then
     */
    CudaSession(CudaDriver driver, CudaDevice device, CudaImage image, ProductPrecision precision) {
        this(driver, device, image, precision, CudaUploads.Ring.DEFAULT);
    }

    /** The same with another ring for uploads. */
    CudaSession(
            CudaDriver driver, CudaDevice device, CudaImage image, ProductPrecision precision,
            CudaUploads.Ring ring) {
        this.driver = driver;
        this.device = device;
        this.precision = precision;
        this.streams = new CudaStreams(this, driver);
        this.recorder = new CudaRecorder(this, driver);
        this.kernels = new CudaKernels(driver);
        this.arguments = new CudaArguments(driver.arguments());
        this.uploads = new CudaUploads(this, driver, ring);
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
        CudaRecorder.lock();
        try {
            streams.open();
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
            CudaRecorder.unlock();
        }
    }

    /** Undoes {@link #openInContext} and returns the first failure's code. */
    private int releaseInContext() {
        int code = uploads.close();
        code = first(code, downloads.close());
        code = first(code, kernels.unload());
        return first(code, streams.close());
    }

    /** To be used by a thread that has entered. */
    CudaStreams streams() {
        return streams;
    }

    /** Records graphs and launches them; to be used by a thread that has entered. */
    CudaRecorder recorder() {
        return recorder;
    }

    CudaDevice device() {
        return device;
    }

    /** To be used by a thread that has entered; {@link #check} is for its codes. */
    CudaDriver driver() {
        return driver;
    }

    CudaDownloads downloads() {
        return downloads;
    }

    /** What the operands of its matrix products are rounded to. */
    ProductPrecision precision() {
        return precision;
    }

    /**
     * Looks for a library for the large products; without this call, own kernels compute them.
     *
     * @throws IllegalStateException if the one that is asked for cannot be used; the session stays open
     */
    void openProducts(boolean emulated) {
        CudaRecorder.lock();
        try {
            products = CublasLibrary.open(this, driver, emulated);
        } finally {
            CudaRecorder.unlock();
        }
    }

    /** Makes ready for work that runs side by side; for the first time this takes a stream, and memory of cuBLAS. */
    void openSide() {
        enter();
        try {
            streams.openSide();
            products.openSide();
        } finally {
            leave();
        }
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

    /** {@link #enter}, for whoever gives something back; false, and nothing, if closing took it already. */
    boolean enterUnlessClosed() {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            enter();
            return true;
        } finally {
            lock.unlock();
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
            checkWork(driver.synchronizeStream(streams.main()));
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
                        driver.fill(address[0], 0, bytes / Integer.BYTES, streams.main()));
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
        if (!enterUnlessClosed()) {
            return;
        }
        try {
            if (allocations.remove(address)) {
                check("freeing device memory", driver.free(address));
            }
        } finally {
            leave();
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

    /** Sets {@code words} 32-bit words. */
    void fill(long address, int word, long words) {
        if (words == 0) {
            return;
        }
        enter();
        try {
            check("filling device memory", driver.fill(address, word, words, streams.current()));
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
            check("copying device memory", driver.copyOnDevice(to, from, floats * Float.BYTES, streams.current()));
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
                ? driver.launchCooperative(function, (int) gridX, gridY, gridZ, kernel.threads(), sharedBytes,
                        streams.current())
                : driver.launch(function, (int) gridX, gridY, gridZ, kernel.threads(), sharedBytes, streams.current());
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
        lastGraph = null;
        recorder.note(kernel.symbol());
    }

    /** The latest launch is this one's. */
    void noteGraph(CudaGraph graph) {
        lastGraph = graph;
    }

    private static String grid(int x, int y, int z) {
        return z == 1 ? y == 1 ? Integer.toString(x) : x + "x" + y : x + "x" + y + "x" + z;
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
            throw new CudaException(
                    code, "work on " + device.name() + " failed: " + driver.errorName(code) + latest());
        }
    }

    /** What failed may be it, or anything before. */
    private String latest() {
        CudaGraph graph = lastGraph;
        if (graph != null) {
            return "; the latest launch was a graph of " + graph.contents() + "; with -D" + CudaGraphs.PROPERTY
                    + "=false they are launched one by one";
        }
        CudaKernels.@Nullable Kernel last = lastKernel;
        return last == null
                ? ""
                : "; the latest kernel was " + last.symbol() + ", grid " + grid(lastGridX, lastGridY, lastGridZ)
                        + ", block " + last.threads();
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
            CudaRecorder.lock();
            try {
                // One failure must not keep the rest alive; the first is reported.
                code = first(code, driver.synchronizeStream(streams.main()));
                code = first(code, products.close());
                code = first(code, recorder.close());
                for (long address : allocations) {
                    code = first(code, driver.free(address));
                }
                allocations.clear();
                code = first(code, releaseInContext());
            } finally {
                closed = true;
                CudaRecorder.unlock();
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
