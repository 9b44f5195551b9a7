package dev.gru4j.parity;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.KernelFamily;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * Who is tested: every entry of {@link Backends#all()}, simd once per vector width, cuda once per
 * family of kernels. A subject that cannot run skips its
 * tests, each of which is counted; {@code -Dgru4j.require=NAME,…} turns that into a failure.
 */
final class Subject {
    /** Backends that must run. */
    static final String REQUIRE_PROPERTY = "gru4j.require";

    /** What makes the cuda backend run its kernels on the CPU. */
    private static final String EMULATOR_PROPERTY = "gru4j.cuda.emulator";

    private static final int[] SIMD_WIDTHS = {128, 256, 512};

    /** Two, so that work is split wherever a backend splits it; more are compared bit for bit in SameBitsTest. */
    private static final int THREADS = 2;

    private static final List<Subject> ALL = createAll();

    private final String id;
    private final GruBackendProvider provider;
    private final BackendOptions options;
    private @Nullable GruBackend backend;

    private Subject(String id, GruBackendProvider provider, BackendOptions options) {
        this.id = id;
        this.provider = provider;
        this.options = options;
    }

    /** Every subject that is part of this build or required. */
    static List<Subject> all() {
        Set<String> required = required();
        return ALL.stream()
                .filter(s -> isInBuild(s.provider) || required.contains(s.provider.name()))
                .toList();
    }

    /** Those that can run here. */
    static List<Subject> available() {
        return all().stream().filter(s -> s.availability().isAvailable()).toList();
    }

    /** Known backends whose module is not part of this build. */
    static List<String> notInBuild() {
        return Backends.all().stream()
                .filter(p -> !isInBuild(p))
                .map(GruBackendProvider::name)
                .toList();
    }

    /** Closes every backend that was opened. */
    static void closeAll() {
        ALL.forEach(Subject::close);
    }

    private static List<Subject> createAll() {
        List<Subject> subjects = new ArrayList<>();
        for (GruBackendProvider provider : Backends.all()) {
            BackendOptions options = BackendOptions.DEFAULT.withThreads(THREADS);
            if (provider.name().equals("simd")) {
                for (int bits : SIMD_WIDTHS) {
                    subjects.add(new Subject("simd/" + bits, provider, options.withVectorBits(bits)));
                }
            } else if (provider.name().equals("cuda")) {
                // Never to be mistaken for a GPU in a report.
                String id = Boolean.getBoolean(EMULATOR_PROPERTY) ? "cuda/emulated/" : "cuda/";
                for (KernelFamily family : List.of(KernelFamily.STEPWISE, KernelFamily.PERSISTENT)) {
                    subjects.add(new Subject(id + family, provider, options.withKernels(family)));
                }
            } else {
                subjects.add(new Subject(provider.name(), provider, options));
            }
        }
        return List.copyOf(subjects);
    }

    /** Whether the backend's package is on the class path, be it able to run or not. */
    private static boolean isInBuild(GruBackendProvider provider) {
        String marker = "dev/gru4j/" + provider.name() + "/package-info.class";
        return Subject.class.getClassLoader().getResource(marker) != null;
    }

    private static Set<String> required() {
        return parseRequired(
                System.getProperty(REQUIRE_PROPERTY, ""),
                Backends.all().stream().map(GruBackendProvider::name).toList());
    }

    /**
     * The names of a comma-separated list.
     *
     * @throws IllegalArgumentException if one is not known: a typing error must not require nothing
     */
    static Set<String> parseRequired(String list, List<String> known) {
        Set<String> names = Arrays.stream(list.split(",", -1))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toSet());
        for (String name : names) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        REQUIRE_PROPERTY + " names unknown backend '" + name + "'; known: " + String.join(", ", known));
            }
        }
        return names;
    }

    String id() {
        return id;
    }

    GruBackendProvider provider() {
        return provider;
    }

    BackendOptions options() {
        return options;
    }

    Availability availability() {
        return provider.availability();
    }

    /** Ends the test as skipped, or as failed if this backend is required, when it cannot run. */
    void assumeAvailable() {
        Availability availability = availability();
        if (!availability.isAvailable() && required().contains(provider.name())) {
            throw new AssertionError(
                    REQUIRE_PROPERTY + " demands '" + provider.name() + "', which cannot run: " + availability);
        }
        Assumptions.assumeTrue(availability.isAvailable(), availability::toString);
    }

    /** The subject's backend, opened once; {@link #closeAll} ends it. */
    synchronized GruBackend backend() {
        GruBackend open = backend;
        if (open == null) {
            open = provider.open(options);
            backend = open;
        }
        return open;
    }

    private synchronized void close() {
        GruBackend open = backend;
        if (open != null) {
            open.close();
            backend = null;
        }
    }

    @Override
    public String toString() {
        return id;
    }
}
