package dev.gru4j.benchmarks.peers.onednn;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Contender;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.peers.NativeLibraries;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;

/**
 * oneDNN. Its configurations are the layouts of the weights and, in inference, also the forward of training, since now
 * and then that is the faster one.
 */
public final class OneDnnContender implements Contender {
    private static final String OF_TRAINING = "-of-training";

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public String description() {
        dnnl_version_t version = dnnl.dnnl_version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch()
                + " on GNU OpenMP: lbr_gru and vanilla_gru in fp32";
    }

    @Override
    public Optional<String> unavailable() {
        try {
            dnnl.dnnl_version();
            return Optional.empty();
        } catch (LinkageError e) {
            return Optional.of(NativeLibraries.reason(e));
        }
    }

    @Override
    public Optional<String> refuses(Cell cell) {
        return cell.precision() == ProductPrecision.FP32
                ? Optional.empty()
                : Optional.of("compared in fp32 only, not in " + cell.precision());
    }

    @Override
    public List<String> configurations(Cell cell) {
        List<String> names = new ArrayList<>();
        for (WeightsLayout layout : WeightsLayout.values()) {
            names.add(layout.toString());
        }
        if (cell.mode() == Mode.INFERENCE) {
            for (WeightsLayout layout : WeightsLayout.values()) {
                names.add(layout + OF_TRAINING);
            }
        }
        return names;
    }

    @Override
    public Prepared prepare(Cell cell, String configuration, Problem problem) {
        boolean ofTraining = cell.mode() == Mode.TRAINING || configuration.endsWith(OF_TRAINING);
        return new OneDnnLayer(
                cell, WeightsLayout.of(configuration.replace(OF_TRAINING, "")),
                ofTraining ? dnnl.dnnl_forward_training : dnnl.dnnl_forward_inference, problem);
    }
}
