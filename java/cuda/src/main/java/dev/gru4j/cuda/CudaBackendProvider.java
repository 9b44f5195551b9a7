package dev.gru4j.cuda;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.cuda.driver.JCudaLoader;
import java.util.List;

/**
 * Entry of the cuda backend: the first GPU that the driver shows (CUDA_VISIBLE_DEVICES chooses), or the
 * emulator where {@code -Dgru4j.cuda.emulator=true} asks for it.
 */
public final class CudaBackendProvider implements GruBackendProvider {
    static final String NAME = "cuda";

    /** System property: {@code auto}, {@code stepwise} or {@code persistent}. */
    static final String FAMILY_PROPERTY = "gru4j.cuda.family";

    /** For {@link java.util.ServiceLoader}. */
    public CudaBackendProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability() {
        Availability found = CudaProbe.result().availability();
        return found.isAvailable() ? CublasLibrary.availability() : found;
    }

    /** Only the family of kernels matters of the options; left to the backend, {@value #FAMILY_PROPERTY} may name it. */
    @Override
    public GruBackend open(BackendOptions options) {
        CudaProbe.Result found = CudaProbe.result();
        CudaDevice device = found.device();
        CudaImage image = found.image();
        if (device == null || image == null) {
            throw new IllegalStateException("backend 'cuda' is unavailable: " + found.availability());
        }
        KernelFamily family = family(options);
        boolean isWithGraphs = isWithGraphs();
        // A session of its own for every backend: its stream and its memory are nobody else's.
        CudaSession session = new CudaSession(JCudaLoader.load(), device, image);
        boolean complete = false;
        try {
            session.openProducts(found.emulated());
            String description = description(device, image, found.emulated()) + ", " + session.products().description();
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
        boolean isTraining = mode == GruPlan.Mode.TRAINING;
        CudaDirections directions = new CudaDirections(known, spec, maxB, isTraining, family(options));
        CudaLayout layout =
                new CudaLayout(spec, maxT, maxB, isTraining, directions.persistent().flagWords(maxB));
        PlanReport.Builder report = new PlanReport.Builder(NAME)
                .fact("device", known.description() + "; planned for, not run");
        return new CudaExplanation(known, spec, maxT, maxB, directions, layout, isWithGraphs())
                .addTo(report, "large ones by cuBLAS where it is found, else by own kernels", true)
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

    private static boolean isWithGraphs() {
        String wanted = System.getProperty(CudaGraphs.PROPERTY, "true");
        return switch (wanted) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(
                    CudaGraphs.PROPERTY + " is '" + wanted + "'; true or false expected");
        };
    }

    private static String description(CudaDevice device, CudaImage image, boolean emulated) {
        return emulated
                ? "cuda (emulated, no GPU): kernels in fp32 on one CPU thread"
                : "cuda: " + device.description() + ", kernels in fp32 (" + image.name() + ")";
    }
}
