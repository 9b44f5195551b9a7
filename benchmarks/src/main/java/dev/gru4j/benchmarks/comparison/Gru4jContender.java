package dev.gru4j.benchmarks.comparison;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import java.util.List;
import java.util.Optional;

/** One of gru4j's backends, through its public layer: {@link dev.gru4j.Gru} and {@link dev.gru4j.GruTraining}. */
public abstract sealed class Gru4jContender implements Contender {
    private final String backend;

    Gru4jContender(String backend) {
        this.backend = backend;
    }

    /** The Vector API. */
    public static final class Simd extends Gru4jContender {
        public Simd() {
            super("simd");
        }
    }

    /** The equations in scalar Java: slow on purpose, so for tiny shapes only. */
    public static final class Reference extends Gru4jContender {
        /** About a second of it. */
        private static final double MOST_FLOP = 1e9;

        public Reference() {
            super("reference");
        }

        @Override
        public Optional<String> refuses(Cell cell) {
            return cell.flop() > MOST_FLOP
                    ? Optional.of(String.format("scalar: %.1f GFLOP a call are too many", cell.flop() / 1e9))
                    : super.refuses(cell);
        }
    }

    /** An NVIDIA GPU, tensors on the host: what a call costs with both ways over the bus. */
    public static final class Cuda extends Gru4jContender {
        public Cuda() {
            super("cuda");
        }
    }

    /** The same GPU with all tensors on the device: what a call costs inside a training run. */
    public static final class CudaResident extends Gru4jContender {
        public CudaResident() {
            super("cuda");
        }

        @Override
        public String name() {
            return super.name() + "-resident";
        }

        @Override
        public Prepared prepare(Cell cell, String configuration, Problem problem) {
            return new Gru4jResident("cuda", options(cell), cell, problem);
        }
    }

    @Override
    public String name() {
        return "gru4j-" + backend;
    }

    @Override
    public final String description() {
        try (GruBackend opened = Backends.open(backend, BackendOptions.DEFAULT)) {
            return opened.description();
        }
    }

    @Override
    public final Optional<String> unavailable() {
        return reason(BackendOptions.DEFAULT);
    }

    @Override
    public Optional<String> refuses(Cell cell) {
        return reason(options(cell));
    }

    private Optional<String> reason(BackendOptions options) {
        Availability availability = Backends.named(backend).availability(options);
        return availability.isAvailable() ? Optional.empty() : Optional.of(availability.toString());
    }

    @Override
    public final List<String> configurations(Cell cell) {
        return List.of("default");
    }

    @Override
    public Prepared prepare(Cell cell, String configuration, Problem problem) {
        return cell.mode() == Mode.INFERENCE
                ? new Gru4jInference(backend, options(cell), cell, problem)
                : new Gru4jTraining(backend, options(cell), cell, problem);
    }

    private static BackendOptions options(Cell cell) {
        return BackendOptions.DEFAULT.withThreads(cell.threads()).withPrecision(cell.precision());
    }
}
