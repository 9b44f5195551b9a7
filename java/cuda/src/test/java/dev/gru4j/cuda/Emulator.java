package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/**
 * The emulator's controls: which device it plays, and which calls of the driver fail. They are the
 * process's own, so tests that use them reset them, and none runs beside another.
 */
final class Emulator {
    private static final int CUDA_SUCCESS = 0;

    private Emulator() {}

    /** Ends the test as skipped where there is no emulator: the build found no compiler. */
    static void assumeBuilt() {
        Path library = CudaEmulator.library();
        Assumptions.assumeTrue(library != null, () -> CudaEmulator.searched() + " was not built: no g++");
        Availability availability = new CudaBackendProvider().availability();
        assertEquals("available", availability.toString());
    }

    static GruBackend backend() {
        return backend(KernelFamily.AUTO);
    }

    static GruBackend backend(KernelFamily family) {
        return new CudaBackendProvider().open(BackendOptions.DEFAULT.withKernels(family));
    }

    /** A backend that launches everything one by one. */
    static GruBackend backendWithoutGraphs(KernelFamily family) {
        System.setProperty(CudaGraphs.PROPERTY, "false");
        try {
            return backend(family);
        } finally {
            System.clearProperty(CudaGraphs.PROPERTY);
        }
    }

    /** A session without cuBLAS. */
    static CudaSession session(ProductPrecision precision) {
        CudaProbe.Result found = CudaProbe.result();
        return new CudaSession(
                JCudaLoader.load(),
                Objects.requireNonNull(found.device()),
                Objects.requireNonNull(found.image()),
                precision);
    }

    /** The stand-in for cuBLAS that lies beside the emulator. */
    static Path cublas() {
        return Objects.requireNonNull(CudaEmulator.library()).resolveSibling("libgru4j-cublas-emulator.so");
    }

    /** A backend whose large products go through JCublas2. */
    static GruBackend backendWithCublas() {
        return backendWithCublas(KernelFamily.AUTO);
    }

    static GruBackend backendWithCublas(KernelFamily family) {
        System.setProperty(CublasLibrary.PROPERTY, cublas().toString());
        try {
            return backend(family);
        } finally {
            System.clearProperty(CublasLibrary.PROPERTY);
        }
    }

    /** Changes a setting of the device. */
    static void set(String setting, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle set = function(
                    "gru4j_emulator_set",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
            int code = (int) set.invokeExact(arena.allocateFrom(setting), value);
            assertEquals(0, code, "no setting " + setting);
        } catch (Throwable e) {
            throw new AssertionError("gru4j_emulator_set", e);
        }
    }

    /** The nth call from now of a driver function, 1 being the next, returns {@code code} and does nothing. */
    static void fail(String driverFunction, int nth, int code) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle fail = function(
                    "gru4j_emulator_fail",
                    FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            fail.invokeExact(arena.allocateFrom(driverFunction), nth, code);
        } catch (Throwable e) {
            throw new AssertionError("gru4j_emulator_fail", e);
        }
    }

    /** The nth call from now of a driver function is lost: it succeeds and does nothing. */
    static void lose(String driverFunction, int nth) {
        fail(driverFunction, nth, -1);
    }

    /** How often a driver function was called since the last reset. */
    static long calls(String driverFunction) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle calls = function(
                    "gru4j_emulator_calls", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
            return (long) calls.invokeExact(arena.allocateFrom(driverFunction));
        } catch (Throwable e) {
            throw new AssertionError("gru4j_emulator_calls", e);
        }
    }

    /** Streams, events and graphs that were not destroyed. */
    static long openHandles() {
        try {
            MethodHandle open =
                    function("gru4j_emulator_open_handles", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
            return (long) open.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError("gru4j_emulator_open_handles", e);
        }
    }

    /** The settings the process started with; no call fails. */
    static void reset() {
        try {
            function("gru4j_emulator_reset", FunctionDescriptor.ofVoid()).invokeExact();
        } catch (Throwable e) {
            throw new AssertionError("gru4j_emulator_reset", e);
        }
    }

    /** Bytes of device memory that are taken, counted by a driver of the test's own. */
    static long usedBytes() {
        CudaDriver driver = JCudaLoader.load();
        long[] free = new long[1];
        long[] total = new long[1];
        assertEquals(CUDA_SUCCESS, driver.init());
        assertEquals(CUDA_SUCCESS, driver.selectDevice(0));
        assertEquals(CUDA_SUCCESS, driver.retainContext());
        assertEquals(CUDA_SUCCESS, driver.pushContext());
        assertEquals(CUDA_SUCCESS, driver.memoryInfo(free, total));
        assertEquals(CUDA_SUCCESS, driver.popContext());
        assertEquals(CUDA_SUCCESS, driver.releaseContext());
        return total[0] - free[0];
    }

    @SuppressWarnings("restricted") // The emulator's own functions.
    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        SymbolLookup library =
                SymbolLookup.libraryLookup(Objects.requireNonNull(CudaEmulator.library()), Arena.global());
        MemorySegment address = library.find(name).orElseThrow(() -> new AssertionError("no function " + name));
        return Linker.nativeLinker().downcallHandle(address, descriptor);
    }
}
