package dev.gru4j.parity;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.WeightStorage;
import dev.gru4j.reference.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * Who is tested: every entry of {@link Backends#all()}, simd once per vector width and there once more with recurrent
 * weights in bf16 ({@code simd/512+bf16-weights}), cuda once per family of kernels; an
 * emulated cuda also with the products of the stand-in for cuBLAS; what has reduced precisions, once more in each of
 * them ({@code cuda/emulated/stepwise/bf16}). A subject that cannot run skips its tests, each of
 * which is counted; {@code -Dgru4j.require=NAME,…} turns that into a failure.
 */
final class Subject {
    /** Backends that must run. */
    static final String REQUIRE_PROPERTY = "gru4j.require";

    /** Backends, or subjects by their ids, to test where not all of the build shall be. */
    static final String SUBJECTS_PROPERTY = "gru4j.subjects";

    /** What makes the cuda backend run its kernels on the CPU. */
    private static final String EMULATOR_PROPERTY = "gru4j.cuda.emulator";

    /** What makes the cuda backend leave its large products to a library. */
    private static final String CUBLAS_PROPERTY = "gru4j.cuda.cublas";

    /** The stand-in for cuBLAS that the build made. */
    private static final String STAND_IN_PROPERTY = "gru4j.parity.cublas";

    private static final int[] SIMD_WIDTHS = {128, 256, 512};

    private static final List<ProductPrecision> REDUCED =
            List.of(ProductPrecision.TF32, ProductPrecision.TF32X3, ProductPrecision.BF16, ProductPrecision.FP16);

    /** Those that a library computes; 3xtf32 is left to own kernels. */
    private static final List<ProductPrecision> OF_CUBLAS =
            List.of(ProductPrecision.TF32, ProductPrecision.BF16, ProductPrecision.FP16);

    /** Two, so that work is split wherever a backend splits it; more are compared bit for bit in SameBitsTest. */
    private static final int THREADS = 2;

    private static final List<Subject> ALL = createAll();

    private final String id;
    private final GruBackendProvider provider;
    private final BackendOptions options;

    /** The library of {@link #CUBLAS_PROPERTY} while this subject is opened; empty: the property is left alone. */
    private final String cublas;

    private @Nullable GruBackend backend;

    private Subject(String id, GruBackendProvider provider, BackendOptions options) {
        this(id, provider, options, "");
    }

    private Subject(String id, GruBackendProvider provider, BackendOptions options, String cublas) {
        this.id = id;
        this.provider = provider;
        this.options = options;
        this.cublas = cublas;
    }

    /** The subjects whose products are in fp32. */
    static List<Subject> single() {
        return all().stream().filter(s -> !s.isReduced()).toList();
    }

    /** The others. */
    static List<Subject> reduced() {
        return all().stream().filter(Subject::isReduced).toList();
    }

    /** Every subject that is part of this build or required, of those that {@value #SUBJECTS_PROPERTY} may narrow it to. */
    static List<Subject> all() {
        Set<String> required = namedBy(REQUIRE_PROPERTY);
        Set<String> wanted = namedBy(SUBJECTS_PROPERTY);
        return ALL.stream()
                .filter(s -> isInBuild(s.provider) || required.contains(s.provider.name()))
                .filter(s -> wanted.isEmpty() || wanted.stream().anyMatch(s::isNamedBy))
                .toList();
    }

    /** Whether it is of the backend of that name, has that id, or one that goes on from there: cuda/stepwise. */
    boolean isNamedBy(String name) {
        return provider.name().equals(name) || (id + "/").startsWith(name + "/");
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
                    BackendOptions ofWidth = options.withVectorBits(bits);
                    subjects.add(new Subject("simd/" + bits, provider, ofWidth));
                    subjects.add(new Subject(
                            "simd/" + bits + "+bf16-weights", provider,
                            ofWidth.withRecurrentWeights(WeightStorage.BF16)));
                }
            } else if (provider.name().equals("cuda")) {
                boolean isEmulated = Boolean.getBoolean(EMULATOR_PROPERTY);
                // Never to be mistaken for a GPU in a report.
                String id = isEmulated ? "cuda/emulated/" : "cuda/";
                for (KernelFamily family : List.of(KernelFamily.STEPWISE, KernelFamily.PERSISTENT)) {
                    BackendOptions ofFamily = options.withKernels(family);
                    subjects.add(new Subject(id + family, provider, ofFamily));
                    addReduced(subjects, id + family, provider, ofFamily, "", REDUCED);
                }
                String cublas = System.getProperty(STAND_IN_PROPERTY, "");
                if (isEmulated && !cublas.isEmpty()) {
                    BackendOptions stepwise = options.withKernels(KernelFamily.STEPWISE);
                    String withCublas = id + "stepwise+cublas";
                    subjects.add(new Subject(withCublas, provider, stepwise, cublas));
                    addReduced(subjects, withCublas, provider, stepwise, cublas, OF_CUBLAS);
                }
            } else {
                subjects.add(new Subject(provider.name(), provider, options));
                addReduced(subjects, provider.name(), provider, options, "", REDUCED);
            }
        }
        return List.copyOf(subjects);
    }

    private static void addReduced(
            List<Subject> subjects,
            String id,
            GruBackendProvider provider,
            BackendOptions options,
            String cublas,
            List<ProductPrecision> precisions) {
        for (ProductPrecision precision : precisions) {
            subjects.add(new Subject(id + "/" + precision, provider, options.withPrecision(precision), cublas));
        }
    }

    /** Whether the backend's package is on the class path, be it able to run or not. */
    private static boolean isInBuild(GruBackendProvider provider) {
        String marker = "dev/gru4j/" + provider.name() + "/package-info.class";
        return Subject.class.getClassLoader().getResource(marker) != null;
    }

    private static Set<String> namedBy(String property) {
        List<String> known = new ArrayList<>(
                Backends.all().stream().map(GruBackendProvider::name).toList());
        if (property.equals(SUBJECTS_PROPERTY)) {
            ALL.forEach(s -> known.add(s.id));
        }
        return parseNames(property, System.getProperty(property, ""), known);
    }

    /**
     * The names of a property's comma-separated list.
     *
     * @throws IllegalArgumentException if one is not known: a typing error must not require nothing
     */
    static Set<String> parseNames(String property, String list, List<String> known) {
        Set<String> names = Arrays.stream(list.split(",", -1))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toSet());
        for (String name : names) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        property + " names unknown " + (property.equals(SUBJECTS_PROPERTY) ? "subject" : "backend")
                                + " '" + name + "'; known: " + String.join(", ", known));
            }
        }
        return names;
    }

    String id() {
        return id;
    }

    /** Whether the operands of its products have fewer bits than fp32. */
    private boolean isReduced() {
        return options.precision() != ProductPrecision.FP32;
    }

    /** The arithmetic of the reference that rounds as this subject does, whose error makes its bound. */
    Precision twin() {
        return Precision.of(options.precision());
    }

    /** The form of its recurrent weights; the reference computes with weights in the same form. */
    WeightStorage recurrentWeights() {
        return options.recurrentWeights();
    }

    /** A backend of this subject for so many threads, to be closed by the caller. */
    GruBackend open(int threads) {
        return open(options.withThreads(threads));
    }

    private GruBackend open(BackendOptions chosen) {
        if (cublas.isEmpty()) {
            return provider.open(chosen);
        }
        synchronized (Subject.class) { // one property for all
            String before = System.getProperty(CUBLAS_PROPERTY);
            System.setProperty(CUBLAS_PROPERTY, cublas);
            try {
                return provider.open(chosen);
            } finally {
                if (before == null) {
                    System.clearProperty(CUBLAS_PROPERTY);
                } else {
                    System.setProperty(CUBLAS_PROPERTY, before);
                }
            }
        }
    }

    Availability availability() {
        return provider.availability(options);
    }

    /** Ends the test as skipped, or as failed if this backend is required, when it cannot run. */
    void assumeAvailable() {
        Availability availability = availability();
        if (!availability.isAvailable() && namedBy(REQUIRE_PROPERTY).contains(provider.name())) {
            throw new AssertionError(
                    REQUIRE_PROPERTY + " demands '" + provider.name() + "', but " + id + " cannot run: "
                            + availability);
        }
        Assumptions.assumeTrue(availability.isAvailable(), availability::toString);
    }

    /** The subject's backend, opened once; {@link #closeAll} ends it. */
    synchronized GruBackend backend() {
        GruBackend open = backend;
        if (open == null) {
            open = open(options);
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
