package dev.gru4j.cuda.driver;

import static jcuda.driver.JCudaDriver.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jcuda.LogLevel;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

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

    /** JCuda makes addresses from numbers as offsets to this. */
    private static final CUdeviceptr ZERO = new CUdeviceptr();

    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final CUcontext popped = new CUcontext();
    private final CUstream stream = new CUstream();
    private final CUmodule module = new CUmodule();
    private final List<CUfunction> functions = new ArrayList<>();
    private final List<CUevent> events = new ArrayList<>();
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
    public int createStream() {
        return cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
    }

    @Override
    public int synchronizeStream() {
        return cuStreamSynchronize(stream);
    }

    @Override
    public int destroyStream() {
        return cuStreamDestroy(stream);
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
        int code = cuModuleGetFunction(found, module, name);
        if (code == SUCCESS) {
            function[0] = functions.size();
            functions.add(found);
        }
        return code;
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
        int code = cuEventCreate(created, flags);
        if (code == SUCCESS) {
            event[0] = events.size();
            events.add(created);
        }
        return code;
    }

    @Override
    public int destroyEvent(int event) {
        return cuEventDestroy(events.get(event));
    }

    @Override
    public int recordEvent(int event) {
        return cuEventRecord(events.get(event), stream);
    }

    @Override
    public int synchronizeEvent(int event) {
        return cuEventSynchronize(events.get(event));
    }

    @Override
    public int elapsed(int start, int end, float[] milliseconds) {
        return cuEventElapsedTime(milliseconds, events.get(start), events.get(end));
    }

    @Override
    public int copyToDevice(long to, long host, long bytes) {
        return cuMemcpyHtoDAsync(device(to), new HostAddress(host), bytes, stream);
    }

    @Override
    public int copyToHost(long host, long from, long bytes) {
        return cuMemcpyDtoHAsync(new HostAddress(host), device(from), bytes, stream);
    }

    @Override
    public int copyOnDevice(long to, long from, long bytes) {
        return cuMemcpyDtoDAsync(device(to), device(from), bytes, stream);
    }

    @Override
    public int fill(long to, int word, long words) {
        return cuMemsetD32Async(device(to), word, words, stream);
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public int launch(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        return cuLaunchKernel(
                functions.get(function), gridX, gridY, gridZ, threads, 1, 1, sharedBytes, stream, argumentList, null);
    }

    @Override
    public int launchCooperative(int function, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        return cuLaunchCooperativeKernel(
                functions.get(function), gridX, gridY, gridZ, threads, 1, 1, sharedBytes, stream, argumentList);
    }

    @Override
    public int allowSharedBytes(int function, int sharedBytes) {
        return cuFuncSetAttribute(
                functions.get(function), CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                sharedBytes);
    }

    @Override
    public Cublas cublas() {
        return new JCublasCalls(stream);
    }

    private static CUdeviceptr device(long address) {
        return ZERO.withByteOffset(address);
    }
}
