package dev.gru4j.cuda;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Devices that a plan can be made for without having one: a plan is a function of what {@link CudaDevice} knows of a
 * device. The numbers are those of the CUDA programming guide (shared memory by compute capability) and of NVIDIA's
 * data sheets (multiprocessors, memory); what a driver tells of its memory is some per cent less.
 */
final class CudaDevices {
    private static final long GIB = 1L << 30;
    private static final int MAX_THREADS = 1024;
    private static final int MAX_SHARED_BYTES = 48 << 10;

    /** CUDA 13.0, the version that the kernels are compiled with. */
    private static final int DRIVER_VERSION = 13000;

    private static final List<CudaDevice> KNOWN = List.of(
            device("T4", 75, 40, 16, 64),
            device("A100", 80, 108, 80, 163),
            device("RTX 3090", 86, 82, 24, 99),
            device("L40S", 89, 142, 48, 99),
            device("H100", 90, 132, 80, 227),
            device("H200", 90, 132, 141, 227),
            device("B200", 100, 148, 180, 227),
            device("RTX 5090", 120, 170, 32, 99));

    private CudaDevices() {}

    private static CudaDevice device(String name, int capability, int multiprocessors, int memoryGib, int sharedKib) {
        return new CudaDevice(
                name, capability, DRIVER_VERSION, memoryGib * GIB, multiprocessors, MAX_THREADS, MAX_SHARED_BYTES,
                sharedKib << 10, true, Integer.MAX_VALUE);
    }

    static List<String> names() {
        return KNOWN.stream().map(CudaDevice::name).toList();
    }

    /**
     * The device of that name; neither case nor blanks and hyphens matter: {@code rtx3090}.
     *
     * @throws IllegalArgumentException if it is unknown; the message lists the known ones
     */
    static CudaDevice named(String name) {
        return KNOWN.stream()
                .filter(device -> plain(device.name()).equals(plain(name)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown device '" + name + "'; known: "
                        + KNOWN.stream().map(CudaDevice::name).collect(Collectors.joining(", "))));
    }

    private static String plain(String name) {
        return name.replaceAll("[ _-]", "").toLowerCase(Locale.ROOT);
    }
}
