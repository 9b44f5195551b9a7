package dev.gru4j.cuda;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruBackendProvider;
import dev.gru4j.cuda.driver.JCudaLoader;

/**
 * Entry of the cuda backend: the first GPU that the driver shows (CUDA_VISIBLE_DEVICES chooses), or the
 * emulator where {@code -Dgru4j.cuda.emulator=true} asks for it.
 */
public final class CudaBackendProvider implements GruBackendProvider {
    static final String NAME = "cuda";

    /** For {@link java.util.ServiceLoader}. */
    public CudaBackendProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability() {
        return CudaProbe.result().availability();
    }

    /** No option matters here: work is split by the device. */
    @Override
    public GruBackend open(BackendOptions options) {
        CudaProbe.Result found = CudaProbe.result();
        CudaDevice device = found.device();
        CudaImage image = found.image();
        if (device == null || image == null) {
            throw new IllegalStateException("backend 'cuda' is unavailable: " + found.availability());
        }
        // A session of its own for every backend: its stream and its memory are nobody else's.
        CudaSession session = new CudaSession(JCudaLoader.load(), device, image);
        return new CudaBackend(session, description(device, image, found.emulated()));
    }

    private static String description(CudaDevice device, CudaImage image, boolean emulated) {
        return emulated
                ? "cuda (emulated, no GPU): stepwise kernels in fp32 on one CPU thread"
                : "cuda: " + device.description() + ", stepwise kernels in fp32 (" + image.name() + ")";
    }
}
