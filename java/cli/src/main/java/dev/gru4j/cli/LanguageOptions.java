package dev.gru4j.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of a language model; all of them are settings of a run ({@link Settings}). */
final class LanguageOptions {
    static final int HIDDEN = 256;
    static final int LONG_RUN_HIDDEN = 512;
    static final int EMBEDDING = 64;
    static final int BATCH = 64;
    static final int WINDOW = 128;
    static final float LEARNING_RATE = 0.004f;
    static final float WEIGHT_DECAY = 0.2f;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Learn from this UTF-8 text instead of the Unicode character names.")
    private @Nullable Path text;

    @Option(names = "--seed", paramLabel = "N", description = "Key of all random numbers. Default: 1.")
    private @Nullable Long seed;

    @Option(names = "--layers", paramLabel = "L", description = "Stacked GRU layers. Default: 1.")
    private @Nullable Integer layers;

    @Option(
            names = "--hidden",
            paramLabel = "H",
            description = "Hidden size. Default: " + HIDDEN + "; " + LONG_RUN_HIDDEN + " from --minutes 5 on.")
    private @Nullable Integer hidden;

    @Option(names = "--embedding", paramLabel = "I", description = "Width of a character. Default: " + EMBEDDING + ".")
    private @Nullable Integer embedding;

    @Option(names = "--batch", paramLabel = "B", description = "Rows of a batch. Default: " + BATCH + ".")
    private @Nullable Integer batch;

    @Option(
            names = "--window",
            paramLabel = "T",
            description = "Steps of truncated backpropagation in a --text. Default: " + WINDOW + ".")
    private @Nullable Integer window;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            description = "Probability that a feature between two layers is dropped. Default: 0.")
    private @Nullable Float dropout;

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
            long seed,
            int layers,
            int hidden,
            int embedding,
            int batch,
            int window,
            float dropout,
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
                settings.seed(seed, 1),
                settings.integer("layers", layers, 1, 1),
                settings.integer("hidden", hidden, longRun ? LONG_RUN_HIDDEN : HIDDEN, 1),
                settings.integer("embedding", embedding, EMBEDDING, 1),
                settings.integer("batch", batch, BATCH, 1),
                file == null ? WINDOW : settings.integer("window", window, WINDOW, 1),
                settings.number("dropout", dropout, 0f, true, 1f),
                settings.number("learning-rate", learningRate, LEARNING_RATE, false, Float.POSITIVE_INFINITY),
                settings.number("weight-decay", weightDecay, WEIGHT_DECAY, true, Float.POSITIVE_INFINITY));
    }
}
