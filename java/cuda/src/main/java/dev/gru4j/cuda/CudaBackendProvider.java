package dev.gru4j.cuda;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.WeightStorage;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.util.List;
import java.util.Locale;

/**
 * Entry of the cuda backend: the first GPU that the driver shows (CUDA_VISIBLE_DEVICES chooses), or the
 * emulator where {@code -Dgru4j.cuda.emulator=true} asks for it.
 */
public final class CudaBackendProvider implements GruBackendProvider {
    static final String NAME = "cuda";

    /** System property: {@code auto}, {@code stepwise} or {@code persistent}. */
    static final String FAMILY_PROPERTY = "gru4j.cuda.family";

    /** System property: a name of {@link ProductPrecision}. */
    static final String PRECISION_PROPERTY = "gru4j.cuda.precision";

    /** sm_80, Ampere: the oldest tensor cores that know all precisions. */
    private static final int MIN_REDUCED_CAPABILITY = 80;

    /** For {@link java.util.ServiceLoader}. */
    public CudaBackendProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability(BackendOptions options) {
        CudaProbe.Result found = CudaProbe.result();
        CudaDevice device = found.device();
        if (device == null || !found.availability().isAvailable()) {
            return found.availability();
        }
        ProductPrecision precision;
        try {
            precision = precision(options);
        } catch (IllegalArgumentException e) {
            return Availability.unavailable(String.valueOf(e.getMessage()), "correct the property or leave it out");
        }
        Availability suits = optionsOn(device, options, precision);
        return suits.isAvailable() ? CublasLibrary.availability() : suits;
    }

    /** Whether a device can do what the options ask for, in the precision that they and properties make. */
    private static Availability optionsOn(CudaDevice device, BackendOptions options, ProductPrecision precision) {
        if (options.recurrentWeights() != WeightStorage.FP32) {
            return Availability.unavailable(
                    "it keeps recurrent weights in fp32 only, not in " + options.recurrentWeights(),
                    "use the simd or the reference backend, or precision " + ProductPrecision.BF16);
        }
        return precisionOn(device, precision);
    }

    /** Whether a device has the tensor cores that a precision needs. */
    static Availability precisionOn(CudaDevice device, ProductPrecision precision) {
        if (precision == ProductPrecision.FP32 || device.capability() >= MIN_REDUCED_CAPABILITY) {
            return Availability.available();
        }
        return Availability.unavailable(
                String.format(
                        Locale.ROOT,
                        "%s has compute capability %d.%d; %d.%d or newer expected for %s",
                        device.name(),
                        device.capability() / 10,
                        device.capability() % 10,
                        MIN_REDUCED_CAPABILITY / 10,
                        MIN_REDUCED_CAPABILITY % 10,
                        precision),
                "use fp32, or a GPU of the Ampere generation (2020) or newer");
    }

    /**
     * The family of kernels and the precision matter of the options. Where they are left to the backend, AUTO and
     * fp32, {@value #FAMILY_PROPERTY} and {@value #PRECISION_PROPERTY} may name others.
     */
    @Override
    public GruBackend open(BackendOptions options) {
        CudaProbe.Result found = CudaProbe.result();
        CudaDevice device = found.device();
        CudaImage image = found.image();
        if (device == null || image == null) {
            throw new IllegalStateException("backend 'cuda' is unavailable: " + found.availability());
        }
        KernelFamily family = family(options);
        ProductPrecision precision = precision(options);
        Availability suits = optionsOn(device, options, precision);
        if (!suits.isAvailable()) {
            throw new IllegalStateException("backend 'cuda' is unavailable: " + suits);
        }
        boolean isWithGraphs = isWithGraphs();
        // A session of its own for every backend: its stream and its memory are nobody else's.
        CudaSession session = new CudaSession(JCudaLoader.load(), device, image, precision);
        boolean complete = false;
        try {
            session.openProducts(found.emulated());
            String description = description(device, image, precision, found.emulated()) + ", "
                    + session.products().description();
            complete = true;
            return new CudaBackend(session, family, isWithGraphs, description);
        } finally {
            if (!complete) {
                session.close();
            }
        }
    }

    @Override
    public List<String> devices() {
        return CudaDevices.names();
    }

    @Override
    public PlanReport planFor(
            String device, BackendOptions options, GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        CudaDevice known = CudaDevices.named(device);
        ProductPrecision precision = precision(options);
        Availability suits = optionsOn(known, options, precision);
        if (!suits.isAvailable()) {
            throw new IllegalArgumentException(suits.toString());
        }
        boolean isTraining = mode == GruPlan.Mode.TRAINING;
        CudaDirections directions = new CudaDirections(known, spec, maxB, isTraining, family(options), precision);
        CudaLayout layout =
                new CudaLayout(spec, maxT, maxB, isTraining, directions.persistent().flagWords(maxB));
        PlanReport.Builder report = new PlanReport.Builder(NAME)
                .fact("device", known.description() + "; planned for, not run");
        boolean hasLibrary = CublasLibrary.multiplies(precision);
        String products = hasLibrary
                ? "large products by cuBLAS where it is found, else by own kernels"
                : CublasLibrary.none(precision).description();
        return new CudaExplanation(known, spec, maxT, maxB, precision, directions, layout, isWithGraphs())
                .addTo(report, products, hasLibrary)
                .build(spec, maxT, maxB, mode, layout.workspaceLength(), layout.reserveLength());
    }

    private static KernelFamily family(BackendOptions options) {
        if (options.kernels() != KernelFamily.AUTO) {
            return options.kernels();
        }
        String named = System.getProperty(FAMILY_PROPERTY, "");
        try {
            return named.isEmpty() ? KernelFamily.AUTO : KernelFamily.of(named);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(FAMILY_PROPERTY + ": " + e.getMessage(), e);
        }
    }

    private static ProductPrecision precision(BackendOptions options) {
        if (options.precision() != ProductPrecision.FP32) {
            return options.precision();
        }
        String named = System.getProperty(PRECISION_PROPERTY, "");
        try {
            return named.isEmpty() ? ProductPrecision.FP32 : ProductPrecision.of(named);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(PRECISION_PROPERTY + ": " + e.getMessage(), e);
        }
    }

    private static boolean isWithGraphs() {
        String wanted = System.getProperty(CudaGraphs.PROPERTY, "true");
        return switch (wanted) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(
                    CudaGraphs.PROPERTY + " is '" + wanted + "'; true or false expected");
        };
    }

    private static String description(
            CudaDevice device, CudaImage image, ProductPrecision precision, boolean emulated) {
        return emulated
                ? "cuda (emulated, no GPU): products in " + precision + " on one CPU thread"
                : "cuda: " + device.description() + ", products in " + precision + " (" + image.name() + ")";
    }
}
