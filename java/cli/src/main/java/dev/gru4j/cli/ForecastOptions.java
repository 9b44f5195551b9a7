package dev.gru4j.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of a forecast; all of them are settings of a run ({@link Settings}). */
final class ForecastOptions {
    static final int HIDDEN = 48;
    static final int BATCH = 32;
    static final float LEARNING_RATE = 0.003f;

    @Option(names = "--csv", paramLabel = "FILE", description = "CSV file (RFC 4180, UTF-8) with a header.")
    private @Nullable Path csv;

    @Option(names = "--column", paramLabel = "NAME", description = "The column to forecast.")
    private @Nullable String column;

    @Option(names = "--horizon", paramLabel = "N", description = "Values to forecast.")
    private @Nullable Integer horizon;

    @Option(
            names = "--season",
            paramLabel = "N",
            description = "Values per season, for the seasonal naive baseline; 0: estimated. Default: 0.")
    private @Nullable Integer season;

    @Option(
            names = "--window",
            paramLabel = "T",
            description = "Values the model looks back at, at most; 0: two seasons and two horizons. Default: 0.")
    private @Nullable Integer window;

    @Option(names = "--seed", paramLabel = "N", description = "Key of all random numbers. Default: 1.")
    private @Nullable Long seed;

    @Option(names = "--layers", paramLabel = "L", description = "Stacked GRU layers. Default: 1.")
    private @Nullable Integer layers;

    @Option(names = "--hidden", paramLabel = "H", description = "Hidden size. Default: " + HIDDEN + ".")
    private @Nullable Integer hidden;

    @Option(names = "--batch", paramLabel = "B", description = "Windows of a batch. Default: " + BATCH + ".")
    private @Nullable Integer batch;

    @Option(
            names = "--learning-rate",
            paramLabel = "R",
            description = "Highest learning rate of the schedule. Default: " + LEARNING_RATE + ".")
    private @Nullable Float learningRate;

    /** What a run computes with. */
    record Resolved(
            Path csv,
            String column,
            int horizon,
            int season,
            int window,
            long seed,
            int layers,
            int hidden,
            int batch,
            float learningRate) {}

    Resolved resolve(Settings settings) {
        String file = settings.text("csv", csv == null ? null : csv.toString());
        String name = settings.text("column", column);
        if (file == null || name == null) {
            throw new UsageException((file == null ? "--csv FILE" : "--column NAME") + " is missing");
        }
        int values = settings.integer("horizon", horizon, 0, 0);
        if (values == 0) {
            throw new UsageException("--horizon N is missing; at least 1 expected");
        }
        return new Resolved(
                Path.of(file),
                name,
                values,
                settings.integer("season", season, 0, 0),
                settings.integer("window", window, 0, 0),
                settings.seed(seed, 1),
                settings.integer("layers", layers, 1, 1),
                settings.integer("hidden", hidden, HIDDEN, 1),
                settings.integer("batch", batch, BATCH, 1),
                settings.number("learning-rate", learningRate, LEARNING_RATE, false, Float.POSITIVE_INFINITY));
    }
}
