package dev.gru4j.benchmarks.peers.libtorch;

import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Contender;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.peers.NativeLibraries;
import dev.gru4j.benchmarks.peers.Processor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;

/** libtorch with one of the two libraries that it can take its matrix products from: a process each. */
public abstract sealed class LibtorchContender implements Contender {
    private final String name;
    private final String products;

    LibtorchContender(String name, String products) {
        this.name = name;
        this.products = products;
    }

    /** As JavaCPP's preset comes. */
    public static final class OpenBlas extends LibtorchContender {
        public OpenBlas() {
            super("libtorch", "OpenBLAS");
        }

        /** OpenBLAS takes AMD processors with AVX-512 for Haswells, at less than half the speed. */
        @Override
        public Map<String, String> environment(int threads) {
            Map<String, String> variables = new HashMap<>(super.environment(threads));
            if (Processor.isAmdWithAvx512()) {
                variables.put("OPENBLAS_CORETYPE", "SkylakeX");
            }
            return variables;
        }
    }

    /** With MKL in OpenBLAS's place. */
    public static final class Mkl extends LibtorchContender {
        public Mkl() {
            super("libtorch-mkl", "MKL");
        }

        @Override
        public List<String> jvmOptions() {
            return List.of("-Dorg.bytedeco.openblas.load=mkl");
        }
    }

    /** Threads of one runtime that spin between products take the processors from those of the other. */
    @Override
    public Map<String, String> environment(int threads) {
        return Map.of("OMP_WAIT_POLICY", "PASSIVE");
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String description() {
        return "libtorch " + LibtorchLayer.VERSION + " with " + products + ": torch::gru and autograd in fp32";
    }

    @Override
    public final Optional<String> unavailable() {
        try {
            torch.init_num_threads();
            return Optional.empty();
        } catch (LinkageError e) {
            return Optional.of(NativeLibraries.reason(e));
        }
    }

    @Override
    public final Optional<String> refuses(Cell cell) {
        if (cell.variant() == GruVariant.RESET_BEFORE) {
            return Optional.of("PyTorch's GRU is reset-after");
        }
        return cell.precision() == ProductPrecision.FP32
                ? Optional.empty()
                : Optional.of("compared in fp32 only, not in " + cell.precision());
    }

    @Override
    public final List<String> configurations(Cell cell) {
        return List.of("default");
    }

    @Override
    public final Prepared prepare(Cell cell, String configuration, Problem problem) {
        return new LibtorchLayer(cell, problem);
    }
}
