package dev.gru4j.cuda.driver;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Loads JCuda and {@link JCudaDriverCalls} apart from the rest, so that JCuda's request for its native
 * library comes here and is answered from a private folder. One loader a JVM: a native library belongs
 * to one class loader.
 */
public final class JCudaLoader extends ClassLoader {
    private static final String CALLS = "dev.gru4j.cuda.driver.JCudaDriverCalls";

    /** Loaded here together with what they call, so that JCuda's classes mean the same in them. */
    private static final Set<String> OWN = Set.of(CALLS, "dev.gru4j.cuda.driver.JCublasCalls");

    private static final String NATIVE_DRIVER = "JCudaDriver-12.6.0-linux-x86_64";
    private static final String NATIVE_CUBLAS = "JCublas2-12.6.0-linux-x86_64";

    private static @Nullable JCudaLoader loader;

    private @Nullable Path extracted;

    private JCudaLoader(ClassLoader parent) {
        super("gru4j-jcuda", parent);
    }

    /** Whether JCuda's classes are on the class path. */
    public static boolean hasJCuda() {
        return resource("jcuda/driver/JCudaDriver.class") != null;
    }

    /** Whether JCuda's native library is on the class path. */
    public static boolean hasNatives() {
        return resource(inJar(NATIVE_DRIVER)) != null;
    }

    /** Whether JCublas2's classes and native library are on the class path. */
    public static boolean hasCublas() {
        return resource("jcuda/jcublas/JCublas2.class") != null && resource(inJar(NATIVE_CUBLAS)) != null;
    }

    /** Name of the jar that {@link #hasNatives} looks for. */
    public static String nativesJar() {
        return "jcuda-natives-12.6.0-linux-x86_64.jar";
    }

    /**
     * A driver of its own for the caller.
     *
     * @throws LinkageError if a library cannot be loaded: JCuda's own, or the driver's
     */
    public static synchronized CudaDriver load() {
        JCudaLoader current = loader;
        if (current == null) {
            current = new JCudaLoader(Objects.requireNonNull(JCudaLoader.class.getClassLoader()));
            loader = current;
        }
        try {
            return (CudaDriver) current.loadClass(CALLS).getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            // JCuda's native library is loaded by a static initializer, whose failure arrives here wrapped.
            if (e.getCause() instanceof LinkageError linkage) {
                throw linkage;
            }
            throw new LinkageError(String.valueOf(e.getCause() == null ? e : e.getCause()), e);
        } finally {
            current.deleteExtracted();
        }
    }

    /**
     * Calls of cuBLAS on the driver's streams. A libcublas.so.12 must have been loaded before, or lie where the
     * system's loader looks.
     *
     * @param driver one that {@link #load} gave
     * @throws LinkageError if a library cannot be loaded
     */
    public static synchronized Cublas loadCublas(CudaDriver driver) {
        try {
            return driver.cublas();
        } finally {
            if (loader != null) {
                loader.deleteExtracted();
            }
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        int nested = name.indexOf('$');
        if (!name.startsWith("jcuda.") && !OWN.contains(nested < 0 ? name : name.substring(0, nested))) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known == null ? define(name) : known;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = in.readAllBytes();
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }

    /** JCuda's library out of its jar; {@code -Djava.library.path} is asked where there is none. */
    @Override
    protected @Nullable String findLibrary(String name) {
        URL url = name.equals(NATIVE_DRIVER) || name.equals(NATIVE_CUBLAS) ? resource(inJar(name)) : null;
        if (url == null) {
            return null;
        }
        try (InputStream in = url.openStream()) {
            // Only the owner may enter a folder that createTempDirectory makes.
            Path file = Files.createTempDirectory("gru4j-cuda-").resolve(System.mapLibraryName(name));
            extracted = file;
            Files.copy(in, file);
            return file.toString();
        } catch (IOException e) {
            throw new UncheckedIOException("extracting " + inJar(name), e);
        }
    }

    /** Hides the libraries in the jar from JCuda, which would go on to extract them its own way where this one fails. */
    @Override
    public @Nullable URL getResource(String name) {
        return name.startsWith("lib/lib") ? null : super.getResource(name);
    }

    /** A library that is loaded, or that could not be, needs its file no more. */
    private void deleteExtracted() {
        Path file = extracted;
        if (file != null) {
            extracted = null;
            try {
                Files.deleteIfExists(file);
                Files.deleteIfExists(Objects.requireNonNull(file.getParent()));
            } catch (IOException e) {
                // It stays in the folder for temporary files: a cleaner's task, not a reason to stop.
                System.getLogger("dev.gru4j").log(System.Logger.Level.DEBUG, "{0} was not deleted: {1}", file, e);
            }
        }
    }

    /** Where a native library of JCuda's lies in its jar. */
    private static String inJar(String library) {
        return "lib/lib" + library + ".so";
    }

    private static @Nullable URL resource(String name) {
        return Objects.requireNonNull(JCudaLoader.class.getClassLoader()).getResource(name);
    }
}
