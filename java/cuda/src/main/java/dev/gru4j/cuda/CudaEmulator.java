package dev.gru4j.cuda;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import org.jspecify.annotations.Nullable;

/**
 * The emulator of {@code native/emulator}: a library that stands in for the CUDA driver and runs the
 * kernels on the CPU, for tests. Used only when {@value #PROPERTY} is {@code true}.
 */
final class CudaEmulator {
    /** System property that asks for the emulator instead of a GPU. */
    static final String PROPERTY = "gru4j.cuda.emulator";

    /** System property that names its library; without it, the one that the build made. */
    static final String LIBRARY_PROPERTY = "gru4j.cuda.emulator.library";

    private static final Path BUILT = Path.of("java", "cuda", "target", "emulator", "libgru4j-cuda-emulator.so");

    private CudaEmulator() {}

    static boolean isRequested() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** The library; null if there is none. */
    static @Nullable Path library() {
        String named = System.getProperty(LIBRARY_PROPERTY, "");
        if (!named.isEmpty()) {
            Path path = Path.of(named).toAbsolutePath();
            return Files.isReadable(path) ? path : null;
        }
        Path built = above(codeFolder());
        return built == null ? above(Path.of("").toAbsolutePath()) : built;
    }

    /** Where it was looked for. */
    static String searched() {
        String named = System.getProperty(LIBRARY_PROPERTY, "");
        return named.isEmpty() ? BUILT.toString() : named;
    }

    /**
     * Loads the library. Its name for the linker is the driver's, so JCuda's library finds it where it
     * looks for the driver.
     *
     * @throws UnsatisfiedLinkError if it cannot be loaded
     */
    @SuppressWarnings("restricted") // A native library is what the emulator is.
    static void load(Path library) {
        System.load(library.toString());
    }

    /** The build's library in the source tree that {@code folder} is a part of. */
    private static @Nullable Path above(@Nullable Path folder) {
        for (Path parent = folder; parent != null; parent = parent.getParent()) {
            Path library = parent.resolve(BUILT);
            if (Files.isReadable(library)) {
                return library;
            }
        }
        return null;
    }

    private static @Nullable Path codeFolder() {
        CodeSource source = CudaEmulator.class.getProtectionDomain().getCodeSource();
        try {
            return source == null ? null : Path.of(source.getLocation().toURI());
        } catch (URISyntaxException | IllegalArgumentException e) {
            return null; // not a file: there is no source tree around it
        }
    }
}
