package dev.gru4j.benchmarks.peers.onnxruntime;

import ai.onnxruntime.OrtEnvironment;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Contender;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.peers.NativeLibraries;
import java.util.List;
import java.util.Optional;

/** ONNX Runtime on its CPU provider: inference of both variants. */
public final class OnnxRuntimeContender implements Contender {
    @Override
    public String name() {
        return "onnxruntime";
    }

    @Override
    public String description() {
        return "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion()
                + ", CPU provider: GRU node in fp32, weights packed by the session";
    }

    @Override
    public Optional<String> unavailable() {
        try {
            OrtEnvironment.getEnvironment();
            return Optional.empty();
        } catch (LinkageError e) {
            return Optional.of(NativeLibraries.reason(e));
        }
    }

    @Override
    public Optional<String> refuses(Cell cell) {
        if (cell.mode() == Mode.TRAINING) {
            return Optional.of("cannot train: the published library is built without it");
        }
        return cell.precision() == ProductPrecision.FP32
                ? Optional.empty()
                : Optional.of("compared in fp32 only, not in " + cell.precision());
    }

    @Override
    public List<String> configurations(Cell cell) {
        return List.of("default");
    }

    @Override
    public Prepared prepare(Cell cell, String configuration, Problem problem) {
        return new OnnxRuntimeLayer(cell, problem);
    }
}
