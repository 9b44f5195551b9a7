package dev.gru4j.cuda;

import dev.gru4j.cuda.driver.CudaDriver;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What is known of a device before a context is made on it.
 *
 * @param name as the driver tells it
 * @param capability 10·major + minor of its compute capability: 90 for sm_90
 * @param driverVersion 1000·major + 10·minor of the newest CUDA that the driver supports
 * @param totalBytes of its memory
 * @param multiprocessors number of them
 * @param maxThreads of a block
 * @param maxSharedBytes of dynamic shared memory of a block that did not ask for more
 * @param mostSharedBytes of dynamic shared memory of a block that asked for it
 * @param isCooperative whether it can run all blocks of a launch at once
 * @param maxGridX blocks along x; 65535 along y and z on every device
 */
record CudaDevice(
        String name, int capability, int driverVersion, long totalBytes, int multiprocessors, int maxThreads,
        int maxSharedBytes, int mostSharedBytes, boolean isCooperative, int maxGridX) {
    private static final int MAX_THREADS_PER_BLOCK = 1;
    private static final int MAX_GRID_DIM_X = 5;
    private static final int MAX_SHARED_MEMORY_PER_BLOCK = 8;
    private static final int MULTIPROCESSOR_COUNT = 16;
    private static final int COMPUTE_CAPABILITY_MAJOR = 75;
    private static final int COMPUTE_CAPABILITY_MINOR = 76;
    private static final int COOPERATIVE_LAUNCH = 95;
    private static final int MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;

    /** Reads the selected device. */
    static CudaDevice of(CudaDriver driver) {
        byte[] name = new byte[256];
        check(driver, "the device's name", driver.deviceName(name));
        int end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        int[] version = new int[1];
        check(driver, "the driver's version", driver.driverVersion(version));
        long[] bytes = new long[1];
        check(driver, "the device's memory", driver.totalMemory(bytes));
        return new CudaDevice(
                new String(name, 0, end, StandardCharsets.UTF_8),
                10 * attribute(driver, COMPUTE_CAPABILITY_MAJOR) + attribute(driver, COMPUTE_CAPABILITY_MINOR),
                version[0],
                bytes[0],
                attribute(driver, MULTIPROCESSOR_COUNT),
                attribute(driver, MAX_THREADS_PER_BLOCK),
                attribute(driver, MAX_SHARED_MEMORY_PER_BLOCK),
                attribute(driver, MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
                attribute(driver, COOPERATIVE_LAUNCH) != 0,
                attribute(driver, MAX_GRID_DIM_X));
    }

    /** What either of two kernels that run at once may use: half of the multiprocessors, all else as it is. */
    CudaDevice half() {
        return new CudaDevice(
                name, capability, driverVersion, totalBytes, multiprocessors / 2, maxThreads, maxSharedBytes,
                mostSharedBytes, isCooperative, maxGridX);
    }

    /** {@code NVIDIA H200, sm_90, 132 multiprocessors, 139.8 GiB, driver for CUDA 13.0}. */
    String description() {
        return String.format(
                Locale.ROOT,
                "%s, sm_%d, %d multiprocessors, %.1f GiB, driver for CUDA %s",
                name,
                capability,
                multiprocessors,
                totalBytes / (double) (1L << 30),
                version(driverVersion));
    }

    /** {@code 12.6} for 12060. */
    static String version(int number) {
        return number / 1000 + "." + number % 1000 / 10;
    }

    private static int attribute(CudaDriver driver, int attribute) {
        int[] value = new int[1];
        check(driver, "device attribute " + attribute, driver.deviceAttribute(attribute, value));
        return value[0];
    }

    private static void check(CudaDriver driver, String what, int code) {
        if (code != CudaDriver.SUCCESS) {
            throw new CudaException(code, what + ": " + driver.errorName(code));
        }
    }
}
