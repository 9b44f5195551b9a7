package dev.gru4j.cuda;

import dev.gru4j.backend.Availability;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks for everything the backend needs, in the order in which it is needed, and says what is missing
 * first, with its remedy. Makes no context: that takes a while, and only {@code open} needs one.
 */
final class CudaProbe {
    /** The first that the driver shows; CUDA_VISIBLE_DEVICES chooses among several. */
    static final int DEVICE = 0;

    /** CUDA 12.0: the oldest driver whose calls are used as JCuda 12 declares them. */
    private static final int MIN_DRIVER = 12000;

    /** sm_75, Turing: the oldest target of the CUDA 13 compiler. */
    private static final int MIN_CAPABILITY = 75;

    private static final String DRIVER_LIBRARY = "libcuda.so.1";

    private static final String USE_SIMD = "or use the simd backend, which needs no GPU";

    /** What the backend would run on; {@code device} and {@code image} are there if it is available. */
    record Result(Availability availability, @Nullable CudaDevice device, @Nullable CudaImage image,
            boolean emulated) {}

    private static @Nullable Result cached;

    private CudaProbe() {}

    /** The result of the first look, which is not repeated: drivers do not come and go under a running JVM. */
    static synchronized Result result() {
        Result known = cached;
        if (known == null) {
            known = probe();
            cached = known;
        }
        return known;
    }

    private static Result probe() {
        boolean emulated = CudaEmulator.isRequested();
        try {
            Availability libraries = emulated ? emulator() : platform(DRIVER_LIBRARY);
            if (libraries.isAvailable()) {
                libraries = jcuda();
            }
            return libraries.isAvailable()
                    ? probe(JCudaLoader::load, emulated)
                    : new Result(libraries, null, null, emulated);
        } catch (LinkageError e) {
            return unavailable(
                    emulated,
                    "a native library could not be loaded: " + cause(e),
                    "if the folder for temporary files forbids execution, name another with -Djava.io.tmpdir=FOLDER");
        }
    }

    /** Whether a driver, GPU or emulator, can run the backend. */
    static Result probe(Supplier<CudaDriver> load, boolean emulated) {
        CudaDriver driver = load.get();
        int code = driver.init();
        int[] version = new int[1];
        int[] count = new int[1];
        if (code == CudaDriver.SUCCESS) {
            code = driver.driverVersion(version);
        }
        if (code == CudaDriver.SUCCESS) {
            if (version[0] < MIN_DRIVER) {
                return unavailable(
                        emulated,
                        "the NVIDIA driver supports CUDA " + CudaDevice.version(version[0]) + "; "
                                + CudaDevice.version(MIN_DRIVER) + " or newer expected",
                        "install NVIDIA driver 525 or newer, " + USE_SIMD);
            }
            code = driver.deviceCount(count);
        }
        if (code == CudaDriver.NO_DEVICE || (code == CudaDriver.SUCCESS && count[0] == 0)) {
            return unavailable(
                    emulated,
                    "the NVIDIA driver finds no GPU",
                    "check nvidia-smi and CUDA_VISIBLE_DEVICES, " + USE_SIMD);
        }
        if (code == CudaDriver.SUCCESS) {
            code = driver.selectDevice(DEVICE);
        }
        if (code != CudaDriver.SUCCESS) {
            return failing(emulated, driver.errorName(code));
        }
        try {
            return probe(CudaDevice.of(driver), emulated);
        } catch (CudaException e) {
            return failing(emulated, e.getMessage());
        }
    }

    private static Result probe(CudaDevice device, boolean emulated) {
        if (device.capability() < MIN_CAPABILITY) {
            return unavailable(
                    emulated,
                    String.format(
                            Locale.ROOT,
                            "%s has compute capability %d.%d; %d.%d or newer expected",
                            device.name(),
                            device.capability() / 10,
                            device.capability() % 10,
                            MIN_CAPABILITY / 10,
                            MIN_CAPABILITY % 10),
                    "use a GPU of the Turing generation (2018) or newer, " + USE_SIMD);
        }
        return packed(device, emulated ? CudaImage.forEmulator() : CudaImage.forDevice(device), emulated);
    }

    /** The last thing needed: kernels for the device. */
    static Result packed(CudaDevice device, @Nullable CudaImage image, boolean emulated) {
        if (image == null) {
            return unavailable(
                    emulated,
                    "there are no kernels for " + device.name() + " in this build (" + CudaImage.reason() + ")",
                    "build again where nvcc is installed (CUDA toolkit 12.8 or newer), " + USE_SIMD);
        }
        return new Result(Availability.available(), device, image, emulated);
    }

    @SuppressWarnings("restricted") // Only looks whether the library is there; no function of it is called.
    static Availability platform(String driverLibrary) {
        String os = System.getProperty("os.name", "");
        String architecture = System.getProperty("os.arch", "");
        if (!os.equals("Linux") || !architecture.equals("amd64")) {
            return Availability.unavailable(
                    "it runs on Linux on x86-64 only; this is " + os + " on " + architecture, "use the simd backend");
        }
        // Asked for here, although JCuda's library needs it anyway: its own failure to find it is a wall of text.
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(driverLibrary, arena);
        } catch (IllegalArgumentException e) {
            return Availability.unavailable(
                    driverLibrary + " was not found: no NVIDIA driver on this machine",
                    "install the NVIDIA driver, 525 or newer, " + USE_SIMD);
        }
        return Availability.available();
    }

    private static Availability emulator() {
        Path library = CudaEmulator.library();
        if (library == null) {
            return Availability.unavailable(
                    "the emulator was asked for, but " + CudaEmulator.searched() + " does not exist",
                    "build it with native/emulator/build (needs g++), or name it with -D"
                            + CudaEmulator.LIBRARY_PROPERTY + "=FILE");
        }
        CudaEmulator.load(library);
        return Availability.available();
    }

    private static Availability jcuda() {
        if (!JCudaLoader.hasJCuda()) {
            return Availability.unavailable(
                    "JCuda was not found",
                    "put jcuda-12.6.0.jar and " + JCudaLoader.nativesJar() + " on the class path");
        }
        if (!JCudaLoader.hasNatives()) {
            return Availability.unavailable(
                    "JCuda's native library was not found", "put " + JCudaLoader.nativesJar() + " on the class path");
        }
        return Availability.available();
    }

    private static Result failing(boolean emulated, @Nullable String error) {
        return unavailable(
                emulated, "the NVIDIA driver answers " + error, "check that nvidia-smi works, " + USE_SIMD);
    }

    private static Result unavailable(boolean emulated, String reason, String remedy) {
        return new Result(Availability.unavailable(reason, remedy), null, null, emulated);
    }

    /** JCuda reports a library that cannot be loaded with two stack traces; the first one's first line says why. */
    static String cause(LinkageError e) {
        String message = String.valueOf(e.getMessage());
        return message.lines()
                .filter(line -> line.contains(UnsatisfiedLinkError.class.getName()))
                .map(line -> line.substring(line.indexOf(": ") + 2))
                .findFirst()
                .or(() -> message.lines().findFirst())
                .orElse(e.toString());
    }
}
