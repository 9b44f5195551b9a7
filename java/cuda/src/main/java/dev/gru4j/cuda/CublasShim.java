package dev.gru4j.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The library of {@code native/cublas}: it bears the name that JCublas2 asks for and hands calls on to another cuBLAS. */
final class CublasShim {
    private static final String RESOURCE = "cublas/libgru4j-cublas-shim.so";

    private CublasShim() {}

    /**
     * Loads the shim and lets it hand everything on to this library.
     *
     * @return null, or why it cannot
     */
    @SuppressWarnings("restricted") // A native library is what the shim is.
    static @Nullable String forwardTo(String library) {
        Path file = null;
        try (InputStream in = CublasShim.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                return library + " is there, but the build made no shim for it: " + missing();
            }
            // Only the owner may enter a folder that createTempDirectory makes.
            file = Files.createTempDirectory("gru4j-cublas-").resolve("libgru4j-cublas-shim.so");
            Files.copy(in, file);
            SymbolLookup shim = SymbolLookup.libraryLookup(file, Arena.global());
            MethodHandle forwardTo = Linker.nativeLinker()
                    .downcallHandle(
                            shim.findOrThrow("gru4j_cublas_forward_to"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
            return forward(forwardTo, library) < 0 ? "the shim cannot open " + library : null;
        } catch (IOException | IllegalArgumentException e) {
            return "the shim for " + library + " cannot be loaded: " + e.getMessage();
        } finally {
            delete(file);
        }
    }

    private static int forward(MethodHandle forwardTo, String library) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(library);
            return (int) forwardTo.invokeExact(path);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("gru4j_cublas_forward_to", e);
        }
    }

    /** Why the build made none. */
    private static String missing() {
        try (InputStream in = CublasShim.class.getResourceAsStream("cublas/missing")) {
            return in == null
                    ? "run native/cublas/build"
                    : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** A library that is loaded needs its file no more. */
    private static void delete(@Nullable Path file) {
        if (file != null) {
            try {
                Files.deleteIfExists(file);
                Files.deleteIfExists(Objects.requireNonNull(file.getParent()));
            } catch (IOException e) {
                // It stays in the folder for temporary files: a cleaner's task, not a reason to stop.
                System.getLogger("dev.gru4j").log(System.Logger.Level.DEBUG, "{0} was not deleted: {1}", file, e);
            }
        }
    }
}
