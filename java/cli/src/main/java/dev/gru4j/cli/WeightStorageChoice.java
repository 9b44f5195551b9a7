package dev.gru4j.cli;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.WeightStorage;
import picocli.CommandLine.Option;

/**
 * The option that says in which form recurrent weights are kept, of commands that use weights as they are. It pays at
 * B = 1, where no run trains, and changes what is computed.
 */
final class WeightStorageChoice {
    @Option(
            names = "--recurrent-weights",
            paramLabel = "NAME",
            description = "Form in which recurrent weights are kept: fp32, or bf16, of simd and reference, which is"
                    + " faster at B = 1 and changes results. Default: ${DEFAULT-VALUE}.")
    private String name = WeightStorage.FP32.toString();

    /** The options with this one. */
    BackendOptions in(BackendOptions options) {
        try {
            return options.withRecurrentWeights(WeightStorage.of(name));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
