package dev.gru4j.cuda.driver;

import java.lang.foreign.MemorySegment;

/**
 * The calls of the CUDA driver that the backend makes, on one device. Every one of them returns the
 * driver's {@code CUresult}, 0 for success, and hands results back in the first element of its array
 * arguments, as the driver does. Addresses are numbers; functions, streams, events and graphs are
 * numbers that this object gave out.
 *
 * <p>Not thread-safe. Calls below {@link #pushContext} need the context to be current on the thread.
 */
public interface CudaDriver {
    /** {@code CUDA_SUCCESS}. */
    int SUCCESS = 0;

    /** {@code CUDA_ERROR_OUT_OF_MEMORY}. */
    int OUT_OF_MEMORY = 2;

    /** {@code CUDA_ERROR_NO_DEVICE}. */
    int NO_DEVICE = 100;

    /** {@code CUDA_ERROR_NOT_READY}. */
    int NOT_READY = 600;

    /** {@code CUDA_ERROR_UNKNOWN}. */
    int UNKNOWN = 999;

    /** Bytes of {@link #arguments()}, the most that a kernel can take. */
    int MAX_ARGUMENT_BYTES = 4096;

    /** The driver's name for a code, such as {@code CUDA_ERROR_OUT_OF_MEMORY}. */
    String errorName(int code);

    int init();

    /** 1000·major + 10·minor of the newest CUDA that the driver supports. */
    int driverVersion(int[] version);

    int deviceCount(int[] count);

    /** Chooses the device that all further calls mean. */
    int selectDevice(int ordinal);

    /** Zero-terminated. */
    int deviceName(byte[] name);

    int totalMemory(long[] bytes);

    /** One of the driver's {@code CU_DEVICE_ATTRIBUTE_…} numbers. */
    int deviceAttribute(int attribute, int[] value);

    /** Makes the device's primary context and holds it. */
    int retainContext();

    /** Gives the primary context up. */
    int releaseContext();

    int pushContext();

    int popContext();

    /** A stream that no other stream waits for, the driver's default one included, unless it is told to. */
    int createStream(int[] stream);

    int synchronizeStream(int stream);

    int destroyStream(int stream);

    /** Loads the kernels: a cubin, or PTX with a closing zero byte. */
    int loadModule(byte[] image);

    int unloadModule();

    int getFunction(String name, int[] function);

    /** Free and total bytes of the device. */
    int memoryInfo(long[] free, long[] total);

    int allocate(long bytes, long[] address);

    int free(long address);

    /** Page-locked host memory, which copies can read and write while the CPU goes on. */
    int allocateHost(long bytes, long[] address);

    int freeHost(long address);

    /** An event to wait for. */
    int createEvent(int[] event);

    /** An event whose time can be asked for. */
    int createTimedEvent(int[] event);

    int destroyEvent(int event);

    /** Enqueues the event behind all work of the stream. */
    int recordEvent(int event, int stream);

    /** Lets all later work of the stream wait for the latest record of the event. */
    int waitForEvent(int stream, int event);

    int synchronizeEvent(int event);

    /** Success if the latest record of the event was reached, or there was none; {@link #NOT_READY} if not. */
    int queryEvent(int event);

    /** The time between two timed events that the device has reached. */
    int elapsed(int start, int end, float[] milliseconds);

    /** Enqueues a copy from page-locked host memory. */
    int copyToDevice(long device, long host, long bytes, int stream);

    /** Enqueues a copy to page-locked host memory. */
    int copyToHost(long host, long device, long bytes, int stream);

    /** Enqueues a copy; the ranges must not overlap. */
    int copyOnDevice(long to, long from, long bytes, int stream);

    /** Enqueues the filling of {@code words} 32-bit words. */
    int fill(long device, int word, long words, int stream);

    /**
     * Where the next launch takes its arguments from, {@value #MAX_ARGUMENT_BYTES} bytes: the one struct
     * that every kernel of ours takes, by value. Free again as soon as {@link #launch} returns.
     */
    MemorySegment arguments();

    /** Enqueues a kernel on a grid of blocks of so many threads, with the struct in {@link #arguments()}. */
    int launch(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes, int stream);

    /** The same with all blocks running at once, so that they may wait for one another; refused where they cannot. */
    int launchCooperative(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes, int stream);

    /**
     * From now on, work given to the stream is not done but recorded, and so is that of streams that wait for
     * an event of it. Until {@link #endCapture}, by the same thread, that thread must not allocate, free,
     * synchronize or load; other threads may.
     */
    int beginCapture(int stream);

    /** Ends the recording; every stream that joined it must have been waited for by this one. */
    int endCapture(int stream, int[] graph);

    /** Makes a graph that can be launched out of a recorded one, which is needed no more. */
    int instantiateGraph(int graph, int[] executable);

    /** Enqueues all that was recorded, as one piece of work. */
    int launchGraph(int executable, int stream);

    int destroyGraph(int graph);

    int destroyExecutable(int executable);

    /** Allows launches of a function with more shared memory than a block gets without asking. */
    int allowSharedBytes(int function, int sharedBytes);

    /**
     * Calls of cuBLAS on this driver's streams; use {@link JCudaLoader#loadCublas}.
     *
     * @throws LinkageError if JCublas2 or a library it needs cannot be loaded
     */
    Cublas cublas();
}
