package dev.gru4j.backend;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * How a backend is chosen: the first of cuda, simd, reference that can run with the options, the precision
 * among them, or the one that {@code -Dgru4j.backend=NAME} names. A forced backend that cannot run fails
 * with its reason; there is never a silent fallback. The choice and every refusal are logged once each,
 * with the remedy.
 */
public final class Backends {
    /** System property that forces a backend. */
    public static final String PROPERTY = "gru4j.backend";

    /** Best first. */
    private static final List<String> ORDER = List.of("cuda", "simd", "reference");

    private static final Logger LOG = System.getLogger("dev.gru4j");

    private static final Set<String> LOGGED = ConcurrentHashMap.newKeySet();

    private Backends() {}

    /** Every known backend, best first, the missing ones included as unavailable. */
    public static List<GruBackendProvider> all() {
        List<GruBackendProvider> found = new ArrayList<>();
        // A provider whose classes cannot be linked (no incubator module, no JCuda) must not hide the others.
        var iterator = ServiceLoader.load(GruBackendProvider.class, Backends.class.getClassLoader())
                .iterator();
        List<String> broken = new ArrayList<>();
        while (true) {
            try {
                if (!iterator.hasNext()) {
                    break;
                }
                found.add(iterator.next());
            } catch (ServiceConfigurationError | LinkageError e) {
                // A provider that could not be made is wrapped: what was missing is the cause.
                broken.add(String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause()));
            }
        }
        for (String name : ORDER) {
            if (found.stream().noneMatch(p -> p.name().equals(name))) {
                found.add(new MissingProvider(name, broken));
            }
        }
        found.sort(Comparator.comparingInt(p -> ORDER.contains(p.name()) ? ORDER.indexOf(p.name()) : ORDER.size()));
        return List.copyOf(found);
    }

    /**
     * The backend of that name.
     *
     * @throws IllegalArgumentException if the name is unknown; the message lists the known ones
     */
    public static GruBackendProvider named(String name) {
        List<GruBackendProvider> all = all();
        return all.stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown backend '" + name + "'; known: "
                        + all.stream().map(GruBackendProvider::name).collect(Collectors.joining(", "))));
    }

    /** {@link #open(BackendOptions)} with everything left to the backend. */
    public static GruBackend open() {
        return open(BackendOptions.DEFAULT);
    }

    /**
     * Opens the backend that {@value #PROPERTY} names or, without it, the best that can run with these options.
     *
     * @throws IllegalArgumentException if the property names an unknown backend
     * @throws IllegalStateException if it names one that cannot run, with the reason and the remedy
     */
    public static GruBackend open(BackendOptions options) {
        String forced = System.getProperty(PROPERTY, "");
        return forced.isEmpty() ? openBest(options) : open(forced, options);
    }

    /**
     * Opens the backend of that name, and no other.
     *
     * @throws IllegalArgumentException if the name is unknown
     * @throws IllegalStateException if it cannot run, with the reason and the remedy
     */
    public static GruBackend open(String name, BackendOptions options) {
        GruBackendProvider provider = named(name);
        Availability availability = provider.availability(options);
        if (!availability.isAvailable()) {
            throw new IllegalStateException("backend '" + name + "' was requested but is unavailable: " + availability);
        }
        return provider.open(options);
    }

    private static GruBackend openBest(BackendOptions options) {
        for (GruBackendProvider provider : all()) {
            Availability availability = provider.availability(options);
            if (availability.isAvailable()) {
                GruBackend backend = provider.open(options);
                logOnce("backend " + backend.description());
                return backend;
            }
            logOnce("backend " + provider.name() + " not used: " + availability);
        }
        throw new IllegalStateException("no backend can run, not even the reference: is gru4j-core complete?");
    }

    /** Every choice and every refusal is news once: a program may open many backends. */
    private static void logOnce(String message) {
        if (LOGGED.add(message)) {
            LOG.log(Level.INFO, message);
        }
    }

    /** Stands for a backend whose module is not on the class or module path, or cannot be linked. */
    private record MissingProvider(String name, List<String> broken) implements GruBackendProvider {
        @Override
        public Availability availability(BackendOptions options) {
            if (name.equals("simd") && ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
                return Availability.unavailable(
                        "module jdk.incubator.vector is not loaded",
                        "start java with --add-modules jdk.incubator.vector");
            }
            String cause = broken.isEmpty() ? "" : " (" + String.join("; ", broken) + ")";
            return Availability.unavailable(
                    "gru4j-" + name + " was not found" + cause, "put gru4j-" + name + " on the class or module path");
        }

        @Override
        public GruBackend open(BackendOptions options) {
            throw new IllegalStateException("backend '" + name + "' is unavailable: " + availability(options));
        }
    }
}
