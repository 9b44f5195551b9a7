package dev.gru4j.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of a language model; all of them are settings of a run ({@link Settings}). */
final class LanguageOptions {
    static final int HIDDEN = 256;
    static final int LONG_RUN_HIDDEN = 512;
    static final int WINDOW = 128;
    static final float LEARNING_RATE = 0.004f;
    static final float WEIGHT_DECAY = 0.2f;

    @Mixin
    private final SequenceModelOptions common = new SequenceModelOptions();

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Learn from this UTF-8 text instead of the Unicode character names.")
    private @Nullable Path text;

    @Option(
            names = "--hidden",
            paramLabel = "H",
            description = "Hidden size. Default: " + HIDDEN + "; " + LONG_RUN_HIDDEN + " from --minutes 5 on.")
    private @Nullable Integer hidden;

    @Option(
            names = "--window",
            paramLabel = "T",
            description = "Steps of truncated backpropagation in a --text. Default: " + WINDOW + ".")
    private @Nullable Integer window;

    @Option(
            names = "--learning-rate",
            paramLabel = "R",
            description = "Highest learning rate of the schedule. Default: " + LEARNING_RATE + ".")
    private @Nullable Float learningRate;

    @Option(
            names = "--weight-decay",
            paramLabel = "W",
            description = "Decoupled weight decay of Adam. Default: " + WEIGHT_DECAY + ".")
    private @Nullable Float weightDecay;

    /** What a run computes with. */
    record Resolved(
            @Nullable Path text,
            SequenceModelOptions.Resolved common,
            int hidden,
            int window,
            float learningRate,
            float weightDecay) {}

    /** @param longRun whether there is time for the larger default */
    Resolved resolve(Settings settings, boolean longRun) {
        String file = settings.text("text", text == null ? null : text.toString());
        if (file == null && window != null) {
            throw new UsageException("--window is for a --text; names are as long as they are");
        }
        return new Resolved(
                file == null ? null : Path.of(file),
                common.resolve(settings),
                settings.integer("hidden", hidden, longRun ? LONG_RUN_HIDDEN : HIDDEN, 1),
                file == null ? WINDOW : settings.integer("window", window, WINDOW, 1),
                settings.number("learning-rate", learningRate, LEARNING_RATE, false, Float.POSITIVE_INFINITY),
                settings.number("weight-decay", weightDecay, WEIGHT_DECAY, true, Float.POSITIVE_INFINITY));
    }
}
