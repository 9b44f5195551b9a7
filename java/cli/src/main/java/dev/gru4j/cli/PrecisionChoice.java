package dev.gru4j.cli;

import dev.gru4j.backend.ProductPrecision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The option that says what the operands of matrix products are rounded to. Unlike the backend it decides what a run
 * computes, so it is a setting of the run ({@link Settings}): recorded in its checkpoints, kept when it is resumed.
 * Weights are fp32 in every precision, and may be used in another one than they were trained in.
 */
final class PrecisionChoice {
    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "Of matrix products: fp32, tf32, 3xtf32, bf16 or fp16. Default: fp32.")
    private @Nullable String name;

    /** As a setting of a training run. */
    ProductPrecision resolve(Settings settings) {
        return settings.precision(name == null ? null : named(name));
    }

    /** For a command that does not train. */
    ProductPrecision withoutRun() {
        return name == null ? ProductPrecision.FP32 : named(name);
    }

    private static ProductPrecision named(String name) {
        try {
            return ProductPrecision.of(name);
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}
