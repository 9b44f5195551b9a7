package dev.gru4j.cuda;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.driver.CudaDriver;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The cuBLAS that this JVM uses, or why it uses none. JCublas2 is bound to the first one that is loaded, so there is
 * one a JVM; {@code none} can be asked for at any time.
 *
 * <p>Looked for in this order: what the system property {@value #PROPERTY} names (a file, or the folder it lies in);
 * the system loader's path; {@link CublasSearch}. Version 12, which JCublas2 links to, comes before 13 and 11, which
 * {@link CublasShim} stands in front of.
 *
 * @param path as it was opened: a file, or a name that the system's loader knows
 * @param version major version by its name
 * @param isStandIn whether it is the emulator's
 */
record CublasLibrary(String path, int version, boolean isStandIn) {
    /** {@code auto}, {@code none}, or a path. */
    static final String PROPERTY = "gru4j.cuda.cublas";

    private static final String AUTO = "auto";
    private static final String NONE = "none";

    /** What JCublas2 12.6 links to. */
    static final int DIRECT_VERSION = 12;

    /** In the order in which they are looked for. */
    private static final int[] VERSIONS = {DIRECT_VERSION, 13, 11};

    private static final Pattern NAME = Pattern.compile("libcublas\\.so\\.(\\d+)(\\..*)?");

    /** A symbol that only the emulator's stand-ins have. */
    private static final String STAND_IN = "gru4j_cublas_stand_in";

    private static @Nullable CublasLibrary loaded;

    /** The setting under which {@link #loaded} was found, or {@link #failure} came about. */
    private static String triedSetting = "";

    private static String failure = "";

    /** A library that could not be used, and why. */
    private static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(String reason) {
            super(reason);
        }
    }

    /** Whether cuBLAS has products in that precision at all. */
    static boolean multiplies(ProductPrecision precision) {
        return precision != ProductPrecision.TF32X3;
    }

    /** The products of a precision in which it has none. */
    static OwnProducts none(ProductPrecision precision) {
        return new OwnProducts("cuBLAS has none in " + precision);
    }

    /**
     * Who computes the large products of a session.
     *
     * @throws IllegalStateException if the property names a library that cannot be used
     */
    static Products open(CudaSession session, CudaDriver driver, boolean emulated) {
        String setting = setting();
        if (setting.equals(NONE)) {
            return new OwnProducts(PROPERTY + "=" + NONE);
        }
        if (!multiplies(session.precision())) {
            return none(session.precision());
        }
        boolean isNamed = !setting.equals(AUTO);
        if (emulated && !isNamed) {
            return new OwnProducts("the emulator's stand-in for cuBLAS is used only where " + PROPERTY + " names it");
        }
        if (!JCudaLoader.hasCublas()) {
            return new OwnProducts("JCublas2 or its native library was not found on the class path");
        }
        CublasLibrary library = get(setting, emulated);
        Products products =
                library == null ? new OwnProducts(failure()) : CublasProducts.open(session, driver, library);
        if (isNamed && products instanceof OwnProducts own) {
            throw new IllegalStateException(PROPERTY + "=" + setting + ": " + own.reason());
        }
        return products;
    }

    /** Unavailable if the property names what does not exist. */
    static Availability availability() {
        String setting = setting();
        if (setting.equals(AUTO) || setting.equals(NONE) || Files.isReadable(Path.of(setting))) {
            return Availability.available();
        }
        return Availability.unavailable(
                PROPERTY + " names " + setting + ", which does not exist",
                "name libcublas.so.12, .13 or .11, or leave the property out");
    }

    private static String setting() {
        String setting = System.getProperty(PROPERTY, "");
        return setting.isEmpty() ? AUTO : setting;
    }

    private static synchronized @Nullable CublasLibrary get(String setting, boolean emulated) {
        CublasLibrary known = loaded;
        if (known != null) {
            if (setting.equals(triedSetting)) {
                return known;
            }
            failure = known.path + " is in use in this JVM already";
            return null;
        }
        if (!setting.equals(triedSetting)) {
            triedSetting = setting;
            try {
                loaded = setting.equals(AUTO) ? find(CublasSearch.ofMachine()) : open(named(setting), emulated);
            } catch (Unusable e) {
                failure = String.valueOf(e.getMessage());
            }
        }
        return loaded;
    }

    private static synchronized String failure() {
        return failure;
    }

    private static CublasLibrary find(CublasSearch search) throws Unusable {
        String reason = "no libcublas.so.12, 13 or 11 was found";
        for (int version : VERSIONS) {
            Path file = search.find(version);
            String[] candidates = file == null
                    ? new String[] {"libcublas.so." + version}
                    : new String[] {"libcublas.so." + version, file.toString()};
            for (String candidate : candidates) {
                try {
                    return open(candidate, false);
                } catch (Unusable e) {
                    // A name that the loader does not know is not worth a word; a file that is there is.
                    reason = candidate.indexOf('/') < 0 ? reason : String.valueOf(e.getMessage());
                }
            }
        }
        throw new Unusable(reason);
    }

    private static String named(String setting) throws Unusable {
        Path path = Path.of(setting).toAbsolutePath();
        if (!Files.isDirectory(path)) {
            return path.toString();
        }
        for (int version : VERSIONS) {
            Path file = path.resolve("libcublas.so." + version);
            if (Files.isReadable(file)) {
                return file.toString();
            }
        }
        throw new Unusable("no libcublas.so.12, 13 or 11 in that folder");
    }

    private static CublasLibrary open(String path, boolean emulated) throws Unusable {
        Path file = Path.of(path);
        Matcher name = NAME.matcher(file.getFileName().toString());
        int version = name.matches() ? Integer.parseInt(name.group(1)) : DIRECT_VERSION;
        if (file.isAbsolute()) {
            // cuBLAS asks for it by name alone, which the loader need not find outside its path.
            Path light = file.resolveSibling("libcublasLt.so." + version);
            if (Files.isReadable(light)) {
                lookup(light.toString());
            }
        }
        boolean isStandIn = lookup(path).find(STAND_IN).isPresent();
        if (isStandIn != emulated) {
            throw new Unusable(
                    path + (emulated ? " cannot work on the emulator's memory" : " works on the emulator only"));
        }
        if (version != DIRECT_VERSION) {
            String reason = CublasShim.forwardTo(path);
            if (reason != null) {
                throw new Unusable(reason);
            }
        }
        return new CublasLibrary(path, version, isStandIn);
    }

    /** Opens a library until the JVM ends; a native library that asks for its name gets it from now on. */
    @SuppressWarnings("restricted") // A native library is what this class is about.
    private static SymbolLookup lookup(String path) throws Unusable {
        try {
            return path.indexOf('/') < 0
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(Path.of(path), Arena.global());
        } catch (IllegalArgumentException e) {
            throw new Unusable(path + " cannot be opened");
        }
    }

    /** {@code cuBLAS 12.6.4 (/usr/local/cuda/lib64/libcublas.so.12)}. */
    String description(int number) {
        return String.format(
                Locale.ROOT,
                "%s %d.%d.%d (%s%s)",
                isStandIn ? "a stand-in for cuBLAS" : "cuBLAS",
                number / 10000,
                number / 100 % 100,
                number % 100,
                path,
                version == DIRECT_VERSION ? "" : ", through the shim");
    }
}
