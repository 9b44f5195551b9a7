package dev.gru4j.cli;

import dev.gru4j.BiasMode;
import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.GruPlan;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The problem that is to be planned for. */
final class PlanOptions {
    @Option(names = "--T", paramLabel = "T", required = true, description = "Steps of the longest sequence.")
    private int steps;

    @Option(names = "--B", paramLabel = "B", required = true, description = "Rows of the largest batch.")
    private int rows;

    @Option(names = "--I", paramLabel = "I", required = true, description = "Input size.")
    private int inputSize;

    @Option(names = "--H", paramLabel = "H", required = true, description = "Hidden size.")
    private int hiddenSize;

    @Option(names = "--layers", paramLabel = "L", description = "Stacked layers. Default: ${DEFAULT-VALUE}.")
    private int layers = 1;

    @Option(
            names = "--directions",
            paramLabel = "NAME",
            description = "forward, reverse or bidirectional. Default: ${DEFAULT-VALUE}.")
    private String directions = name(Directions.FORWARD);

    @Option(names = "--bidirectional", description = "The same as --directions bidirectional.")
    private boolean bidirectional;

    @Option(
            names = "--variant",
            paramLabel = "NAME",
            description = "reset-after (PyTorch, cuDNN, Keras) or reset-before (Cho et al.). Default: ${DEFAULT-VALUE}.")
    private String variant = name(GruVariant.RESET_AFTER);

    @Option(names = "--bias", paramLabel = "NAME", description = "both, input or none. Default: ${DEFAULT-VALUE}.")
    private String bias = name(BiasMode.BOTH);

    @Option(
            names = "--mode",
            paramLabel = "NAME",
            description = "inference, training or both: a plan for each. Default: ${DEFAULT-VALUE}.")
    private String mode = "both";

    int steps() {
        return atLeast("--T", steps, 0);
    }

    int rows() {
        return atLeast("--B", rows, 1);
    }

    GruSpec spec() {
        atLeast("--I", inputSize, 1);
        atLeast("--H", hiddenSize, 1);
        if (layers < 1 || layers > GruSpec.MAX_LAYERS) {
            throw new UsageException("--layers is " + layers + "; 1 to " + GruSpec.MAX_LAYERS + " expected");
        }
        Directions chosen = named("--directions", directions, Directions.values());
        if (bidirectional && chosen == Directions.REVERSE) {
            throw new UsageException("--bidirectional and --directions reverse exclude each other");
        }
        return new GruSpec(
                inputSize,
                hiddenSize,
                layers,
                bidirectional ? Directions.BIDIRECTIONAL : chosen,
                named("--variant", variant, GruVariant.values()),
                named("--bias", bias, BiasMode.values()),
                0);
    }

    List<GruPlan.Mode> modes() {
        return switch (mode) {
            case "inference" -> List.of(GruPlan.Mode.INFERENCE);
            case "training" -> List.of(GruPlan.Mode.TRAINING);
            case "both" -> List.of(GruPlan.Mode.values());
            default -> throw new UsageException("--mode is '" + mode + "'; inference, training or both expected");
        };
    }

    private static int atLeast(String option, int value, int least) {
        if (value < least) {
            throw new UsageException(option + " is " + value + "; at least " + least + " expected");
        }
        return value;
    }

    /** As options write a constant: {@code reset-after} for RESET_AFTER. */
    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @SafeVarargs
    private static <E extends Enum<E>> E named(String option, String text, E... constants) {
        for (E constant : constants) {
            if (name(constant).equals(text)) {
                return constant;
            }
        }
        throw new UsageException(option + " is '" + text + "'; one of "
                + Arrays.stream(constants).map(PlanOptions::name).collect(Collectors.joining(", ")) + " expected");
    }
}
