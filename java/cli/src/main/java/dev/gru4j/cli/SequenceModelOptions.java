package dev.gru4j.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the models of characters have in common; all of it are settings of a run ({@link Settings}). */
final class SequenceModelOptions {
    private static final int EMBEDDING = 64;
    private static final int BATCH = 64;

    @Option(names = "--seed", paramLabel = "N", description = "Key of all random numbers. Default: 1.")
    private @Nullable Long seed;

    @Option(names = "--layers", paramLabel = "L", description = "Stacked GRU layers. Default: 1.")
    private @Nullable Integer layers;

    @Option(names = "--embedding", paramLabel = "I", description = "Width of a character. Default: " + EMBEDDING + ".")
    private @Nullable Integer embedding;

    @Option(names = "--batch", paramLabel = "B", description = "Rows of a batch. Default: " + BATCH + ".")
    private @Nullable Integer batch;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            description = "Probability that a feature between two layers is dropped. Default: 0.")
    private @Nullable Float dropout;

    /** What a run computes with. */
    record Resolved(long seed, int layers, int embedding, int batch, float dropout) {}

    Resolved resolve(Settings settings) {
        return new Resolved(
                settings.seed(seed, 1),
                settings.integer("layers", layers, 1, 1),
                settings.integer("embedding", embedding, EMBEDDING, 1),
                settings.integer("batch", batch, BATCH, 1),
                settings.number("dropout", dropout, 0f, true, 1f));
    }
}
