package dev.gru4j.benchmarks.peers.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Contender;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.peers.NativeLibraries;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** DJL on the libtorch that PyTorch publishes, with the MKL in it. */
public final class DjlContender implements Contender {
    private static final String ENGINE = "PyTorch";

    @Override
    public String name() {
        return "djl";
    }

    @Override
    public String description() {
        return "DJL " + Engine.getDjlVersion() + " on libtorch " + Engine.getEngine(ENGINE).getVersion()
                + ": NDArray GRU and autograd in fp32";
    }

    @Override
    public Optional<String> unavailable() {
        try {
            Engine.getEngine(ENGINE);
            return Optional.empty();
        } catch (LinkageError | EngineException e) {
            return Optional.of(NativeLibraries.reason(e));
        }
    }

    @Override
    public Optional<String> refuses(Cell cell) {
        if (cell.variant() == GruVariant.RESET_BEFORE) {
            return Optional.of("PyTorch's GRU is reset-after");
        }
        return cell.precision() == ProductPrecision.FP32
                ? Optional.empty()
                : Optional.of("compared in fp32 only, not in " + cell.precision());
    }

    @Override
    public List<String> configurations(Cell cell) {
        return List.of("default");
    }

    /** Nothing is downloaded and nobody called while something is timed. */
    @Override
    public Map<String, String> environment(int threads) {
        return Map.of("DJL_OFFLINE", "true", "OPT_OUT_TRACKING", "true", "OMP_WAIT_POLICY", "PASSIVE");
    }

    @Override
    public Prepared prepare(Cell cell, String configuration, Problem problem) {
        return new DjlLayer(Engine.getEngine(ENGINE), cell, problem);
    }
}
