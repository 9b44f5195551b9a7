package dev.gru4j.cli;

import dev.gru4j.backend.LossScaling;
import dev.gru4j.backend.ProductPrecision;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the loss is scaled in training; a setting of a run ({@link Settings}) whose default depends on the precision. */
final class LossScaleOption {
    private static final String DYNAMIC = "dynamic";
    private static final String NONE = "none";

    @Option(
            names = "--loss-scale",
            paramLabel = "S",
            description = "What the loss is multiplied by in training: dynamic, none, or a power of two for the whole"
                    + " run. Default: dynamic where products are in fp16, else none.")
    private @Nullable String given;

    /** The scaling of a run with products in that precision; absent: none. */
    @Nullable
    LossScaling resolve(Settings settings, ProductPrecision precision) {
        String fallback = precision == ProductPrecision.FP16 ? DYNAMIC : NONE;
        String chosen = settings.text("loss-scale", given, fallback);
        return switch (chosen) {
            case DYNAMIC -> LossScaling.DYNAMIC;
            case NONE -> null;
            default -> fixed(chosen);
        };
    }

    private static LossScaling fixed(String number) {
        try {
            return LossScaling.fixed(Float.parseFloat(number));
        } catch (IllegalArgumentException e) { // no number, or no power of two
            throw new UsageException("--loss-scale is " + number + "; " + DYNAMIC + ", " + NONE
                    + " or a power of two such as 1024 expected");
        }
    }
}
