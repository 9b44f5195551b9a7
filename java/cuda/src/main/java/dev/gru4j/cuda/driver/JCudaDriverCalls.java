package dev.gru4j.cuda.driver;

import static jcuda.driver.JCudaDriver.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import jcuda.LogLevel;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * {@link CudaDriver} on JCuda. Public with a public constructor because {@link JCudaLoader} loads it in
 * a class loader of its own.
 *
 * <p>A launch hands JCuda one direct buffer that holds the address of the argument struct: the usual
 * nested {@code Pointer.to(Pointer.to(…))} costs 4 to 11 µs a launch, this 0.3 to 0.7 (measured on the
 * CPU side alone).
 */
public final class JCudaDriverCalls implements CudaDriver {
    /** Gives access to the number behind a device address. */
    private static final class DeviceAddress extends CUdeviceptr {
        long value() {
            return getNativePointer() + getByteOffset();
        }
    }

    /** A host address, from or to a number. */
    private static final class HostAddress extends Pointer {
        HostAddress() {}

        HostAddress(long address) {
            super(address);
        }

        long value() {
            return getNativePointer() + getByteOffset();
        }
    }

    /** Objects of JCuda's by the numbers given out for them; a number is used again when its object is gone. */
    private static final class Handles<T> {
        private final List<@Nullable T> objects = new ArrayList<>();

        /** Keeps what a call made, if it did, and puts its number into {@code number}. */
        int add(int code, T made, int[] number) {
            if (code == SUCCESS) {
                int free = objects.indexOf(null);
                if (free < 0) {
                    objects.add(made);
                    free = objects.size() - 1;
                } else {
                    objects.set(free, made);
                }
                number[0] = free;
            }
            return code;
        }

        T get(int number) {
            return Objects.requireNonNull(objects.get(number), "destroyed before");
        }

        /** The object of a number that is given back. */
        T remove(int number) {
            return Objects.requireNonNull(objects.set(number, null), "destroyed before");
        }
    }

    /** JCuda makes addresses from numbers as offsets to this. */
    private static final CUdeviceptr ZERO = new CUdeviceptr();

    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final CUcontext popped = new CUcontext();
    private final CUmodule module = new CUmodule();
    private final Handles<CUstream> streams = new Handles<>();
    private final Handles<CUfunction> functions = new Handles<>();
    private final Handles<CUevent> events = new Handles<>();
    private final Handles<CUgraph> graphs = new Handles<>();
    private final Handles<CUgraphExec> executables = new Handles<>();
    private final MemorySegment arguments;
    private final Pointer argumentList;

    /** Loads JCuda's native library, and with it the driver's. */
    public JCudaDriverCalls() {
        JCudaDriver.setLogLevel(LogLevel.LOG_QUIET); // every code is reported by its caller
        // Never freed while this object lives: the driver may be asked to launch at any time.
        Arena arena = Arena.ofAuto();
        arguments = arena.allocate(MAX_ARGUMENT_BYTES, 16);
        MemorySegment list = arena.allocate(ValueLayout.ADDRESS);
        list.set(ValueLayout.ADDRESS, 0, arguments);
        argumentList = Pointer.to(list.asByteBuffer().order(ByteOrder.nativeOrder()));
    }

    @Override
    public String errorName(int code) {
        String[] name = new String[1];
        cuGetErrorName(code, name);
        return name[0] == null ? "CUresult " + code : name[0];
    }

    @Override
    public int init() {
        return cuInit(0);
    }

    @Override
    public int driverVersion(int[] version) {
        return cuDriverGetVersion(version);
    }

    @Override
    public int deviceCount(int[] count) {
        return cuDeviceGetCount(count);
    }

    @Override
    public int selectDevice(int ordinal) {
        return cuDeviceGet(device, ordinal);
    }

    @Override
    public int deviceName(byte[] name) {
        return cuDeviceGetName(name, name.length, device);
    }

    @Override
    public int totalMemory(long[] bytes) {
        return cuDeviceTotalMem(bytes, device);
    }

    @Override
    public int deviceAttribute(int attribute, int[] value) {
        return cuDeviceGetAttribute(value, attribute, device);
    }

    @Override
    public int retainContext() {
        return cuDevicePrimaryCtxRetain(context, device);
    }

    @Override
    public int releaseContext() {
        return cuDevicePrimaryCtxRelease(device);
    }

    @Override
    public int pushContext() {
        return cuCtxPushCurrent(context);
    }

    @Override
    public int popContext() {
        return cuCtxPopCurrent(popped);
    }

    @Override
    public int createStream(int[] stream) {
        CUstream created = new CUstream();
        return streams.add(cuStreamCreate(created, CUstream_flags.CU_STREAM_NON_BLOCKING), created, stream);
    }

    @Override
    public int synchronizeStream(int stream) {
        return cuStreamSynchronize(streams.get(stream));
    }

    @Override
    public int destroyStream(int stream) {
        return cuStreamDestroy(streams.remove(stream));
    }

    CUstream stream(int stream) {
        return streams.get(stream);
    }

    @Override
    public int loadModule(byte[] image) {
        return cuModuleLoadData(module, image);
    }

    @Override
    public int unloadModule() {
        return cuModuleUnload(module);
    }

    @Override
    public int getFunction(String name, int[] function) {
        CUfunction found = new CUfunction();
        return functions.add(cuModuleGetFunction(found, module, name), found, function);
    }

    @Override
    public int memoryInfo(long[] free, long[] total) {
        return cuMemGetInfo(free, total);
    }

    @Override
    public int allocate(long bytes, long[] address) {
        DeviceAddress allocated = new DeviceAddress();
        int code = cuMemAlloc(allocated, bytes);
        address[0] = allocated.value();
        return code;
    }

    @Override
    public int free(long address) {
        return cuMemFree(device(address));
    }

    @Override
    public int allocateHost(long bytes, long[] address) {
        HostAddress allocated = new HostAddress();
        int code = cuMemHostAlloc(allocated, bytes, 0);
        address[0] = allocated.value();
        return code;
    }

    @Override
    public int freeHost(long address) {
        return cuMemFreeHost(new HostAddress(address));
    }

    @Override
    public int createEvent(int[] event) {
        return createEvent(CUevent_flags.CU_EVENT_DISABLE_TIMING, event);
    }

    @Override
    public int createTimedEvent(int[] event) {
        return createEvent(CUevent_flags.CU_EVENT_DEFAULT, event);
    }

    private int createEvent(int flags, int[] event) {
        CUevent created = new CUevent();
        return events.add(cuEventCreate(created, flags), created, event);
    }

    @Override
    public int destroyEvent(int event) {
        return cuEventDestroy(events.remove(event));
    }

    @Override
    public int recordEvent(int event, int stream) {
        return cuEventRecord(events.get(event), streams.get(stream));
    }

    @Override
    public int waitForEvent(int stream, int event) {
        return cuStreamWaitEvent(streams.get(stream), events.get(event), 0);
    }

    @Override
    public int synchronizeEvent(int event) {
        return cuEventSynchronize(events.get(event));
    }

    @Override
    public int queryEvent(int event) {
        return cuEventQuery(events.get(event));
    }

    @Override
    public int elapsed(int start, int end, float[] milliseconds) {
        return cuEventElapsedTime(milliseconds, events.get(start), events.get(end));
    }

    @Override
    public int copyToDevice(long to, long host, long bytes, int stream) {
        return cuMemcpyHtoDAsync(device(to), new HostAddress(host), bytes, streams.get(stream));
    }

    @Override
    public int copyToHost(long host, long from, long bytes, int stream) {
        return cuMemcpyDtoHAsync(new HostAddress(host), device(from), bytes, streams.get(stream));
    }

    @Override
    public int copyOnDevice(long to, long from, long bytes, int stream) {
        return cuMemcpyDtoDAsync(device(to), device(from), bytes, streams.get(stream));
    }

    @Override
    public int fill(long to, int word, long words, int stream) {
        return cuMemsetD32Async(device(to), word, words, streams.get(stream));
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public int launch(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes, int stream) {
        return cuLaunchKernel(
                functions.get(function), gridX, gridY, gridZ, threads, 1, 1, sharedBytes, streams.get(stream),
                argumentList, null);
    }

    @Override
    public int launchCooperative(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes,
            int stream) {
        return cuLaunchCooperativeKernel(
                functions.get(function), gridX, gridY, gridZ, threads, 1, 1, sharedBytes, streams.get(stream),
                argumentList);
    }

    /** Thread-local mode: what other threads do meanwhile is no part of the recording and does not spoil it. */
    @Override
    public int beginCapture(int stream) {
        return cuStreamBeginCapture(streams.get(stream), CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    }

    @Override
    public int endCapture(int stream, int[] graph) {
        CUgraph recorded = new CUgraph();
        return graphs.add(cuStreamEndCapture(streams.get(stream), recorded), recorded, graph);
    }

    @Override
    public int instantiateGraph(int graph, int[] executable) {
        CUgraphExec made = new CUgraphExec();
        return executables.add(cuGraphInstantiate(made, graphs.get(graph), 0), made, executable);
    }

    @Override
    public int launchGraph(int executable, int stream) {
        return cuGraphLaunch(executables.get(executable), streams.get(stream));
    }

    @Override
    public int destroyGraph(int graph) {
        return cuGraphDestroy(graphs.remove(graph));
    }

    @Override
    public int destroyExecutable(int executable) {
        return cuGraphExecDestroy(executables.remove(executable));
    }

    @Override
    public int allowSharedBytes(int function, int sharedBytes) {
        return cuFuncSetAttribute(
                functions.get(function), CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                sharedBytes);
    }

    @Override
    public Cublas cublas() {
        return new JCublasCalls(this);
    }

    private static CUdeviceptr device(long address) {
        return ZERO.withByteOffset(address);
    }
}
