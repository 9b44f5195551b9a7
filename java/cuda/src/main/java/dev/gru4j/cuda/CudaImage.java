package dev.gru4j.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The compiled kernels that are loaded on a device: machine code made for its generation, or PTX, which
 * the driver compiles when it is loaded. The build packs them as resources, where it finds nvcc.
 *
 * @param name of the resource
 * @param bytes what the driver is given
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
record CudaImage(String name, byte[] bytes) {
    private static final String FOLDER = "kernels/";

    /** Machine code runs on later members of its own generation only: sm_80 on sm_86, not on sm_90. */
    private static final int[] CUBINS = {120, 100, 90, 89, 86, 80};

    /** CUDA 13: a driver as new as the newest compiler that may have made the machine code. Older ones compile the PTX. */
    private static final int MIN_CUBIN_DRIVER = 13000;

    /** What PTX there is, for these devices and all later ones; that of sm_75 has no kernels with tensor cores. */
    private static final int[] PTX = {80, 75};

    /** The best image for a device; null if none was packed. */
    static @Nullable CudaImage forDevice(CudaDevice device) {
        for (String name : names(device.capability(), device.driverVersion())) {
            CudaImage image = read(name);
            if (image != null) {
                return name.endsWith(".ptx") ? image.terminated() : image;
            }
        }
        return null;
    }

    /** The images that run on a device, the best one first. */
    static List<String> names(int capability, int driverVersion) {
        List<String> names = new ArrayList<>();
        for (int target : CUBINS) {
            if (driverVersion >= MIN_CUBIN_DRIVER && target <= capability && target / 10 == capability / 10) {
                names.add("sm_" + target + ".cubin");
            }
        }
        for (int target : PTX) {
            if (target <= capability) {
                names.add("compute_" + target + ".ptx");
            }
        }
        return names;
    }

    /** The driver reads PTX as a C string. */
    private CudaImage terminated() {
        return new CudaImage(name, Arrays.copyOf(bytes, bytes.length + 1));
    }

    /** Why none was packed, in the words of the build. */
    static String reason() {
        CudaImage packed = read("packed");
        return packed == null
                ? "the build did not get to them"
                : new String(packed.bytes(), StandardCharsets.UTF_8)
                        .lines()
                        .findFirst()
                        .orElse("")
                        .replaceFirst("^no kernels: ", "");
    }

    /**
     * What the emulator is given: it has the kernels inside, compares which sources they came from, and learns how many
     * registers they take on a GPU, if the build knows.
     */
    static @Nullable CudaImage forEmulator() {
        CudaImage sources = read("sources");
        return sources == null ? null : sources.terminated();
    }

    private static @Nullable CudaImage read(String name) {
        try (InputStream in = CudaImage.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? null : new CudaImage(name, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + name, e);
        }
    }
}
