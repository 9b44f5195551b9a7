package dev.gru4j.cli;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.training.Adam;
import dev.gru4j.training.ParameterFiles;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.TrainingSummary;
import dev.gru4j.training.data.ForecastBaselines;
import dev.gru4j.training.data.SeriesBatches;
import dev.gru4j.training.model.Forecaster;
import dev.gru4j.training.model.ForecasterSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Learns one column of a CSV file and forecasts it: judged on the held-out last fifth beside persistence and
 * the seasonal naive forecast, then beyond the end of the file.
 */
@Command(
        name = "forecast",
        description = "Forecast a column of a CSV file, beside persistence and the seasonal naive forecast.")
final class ForecastCommand implements Callable<Integer> {
    private static final Duration DEFAULT_CLOCK = Duration.ofSeconds(30);
    private static final int WARMUP_STEPS = 50;
    private static final int DECAY_PERCENT = 50;
    private static final Adam.Options ADAM = Adam.Options.DEFAULT.withWeightDecay(0.01f);

    /** The shortest window training draws; the longest is the one that forecasts are made from. */
    private static final int MIN_LENGTH = 2;

    private static final Progress.Units UNITS = new Progress.Units("squared deviations", 1, "forecasts", "forecasts");

    private final Terminal terminal;

    @Mixin
    private final BackendChoice choice = new BackendChoice();

    @Mixin
    private final PrecisionChoice products = new PrecisionChoice();

    @Mixin
    private final RunLimits limits = new RunLimits();

    @Mixin
    private final ForecastOptions options = new ForecastOptions();

    ForecastCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        TrainingRun run = TrainingRun.prepare(terminal, "forecast", limits);
        Settings settings = run.settings();
        ForecastOptions.Resolved chosen = options.resolve(settings);
        ProductPrecision precision = products.resolve(settings);
        ForecastTask task = ForecastTask.of(chosen);
        ScaledSeries scaled = ScaledSeries.of(task.series(), task.training(), "column '" + chosen.column() + "'");
        SeriesBatches batches = new SeriesBatches(
                scaled.trainingFeatures(task.training()),
                ScaledSeries.FEATURES,
                ScaledSeries.TARGET,
                task.horizon(),
                Math.min(MIN_LENGTH, task.window()),
                task.window(),
                chosen.batch(),
                chosen.seed());
        GruSpec gru = GruSpec.of(ScaledSeries.FEATURES, chosen.hidden()).withLayers(chosen.layers());
        Files.createDirectories(run.folder());
        try (GruBackend backend = choice.open(terminal, precision);
                Forecaster model = new Forecaster(
                        backend,
                        new ForecasterSpec(gru, task.horizon()),
                        Math.max(task.window(), batches.maxT()),
                        Math.max(chosen.batch(), batches.maxB()))) {
            terminal.print(
                    "series   %,d values of '%s', the last %,d held out; %s",
                    task.series().length,
                    chosen.column(),
                    task.series().length - task.training(),
                    task.season() == 1 ? "no season found" : "season " + task.season());
            terminal.print(
                    "model    %s, windows of %d to %d values, horizon %d, %,d parameters",
                    gru,
                    Math.min(MIN_LENGTH, task.window()),
                    task.window(),
                    task.horizon(),
                    model.parameters().length());
            LossHistory history = new LossHistory(1);
            Schedule schedule = Schedule.trapezoid(chosen.learningRate(), WARMUP_STEPS, DECAY_PERCENT);
            var job = new TrainingRun.Job<>(model, batches, ADAM, schedule, chosen.seed(), DEFAULT_CLOCK, UNITS);
            TrainingSummary summary = run.train(backend, job, settings, history);
            if (summary.end() == TrainingSummary.End.STOPPED) {
                return Interruption.EXIT_STATUS;
            }
            Path weights = run.folder().resolve(RunLimits.WEIGHTS);
            ParameterFiles.write(
                    model.parameters(), ModelMetadata.of(weights, "forecaster").prefixed(), weights);
            report(model, scaled, task, chosen, summary, history);
            chart(run.folder(), model, scaled, task, chosen);
            terminal.print("weights  %s", weights);
            terminal.print("repeat   %s", run.repeatCommand(summary, settings, backend));
            return 0;
        }
    }

    /** The model's forecast from each number of known values. */
    private static List<float[]> forecasts(
            Forecaster model, ScaledSeries scaled, ForecastTask task, int batch, int... known) {
        List<float[]> forecasts = new ArrayList<>();
        for (int from = 0; from < known.length; from += batch) {
            int rows = Math.min(batch, known.length - from);
            float[] differences = model.predict(scaled.windows(known, from, rows, task.window(), task.horizon()));
            for (int row = 0; row < rows; row++) {
                forecasts.add(scaled.levels(known[from + row], differences, row * task.horizon(), task.horizon()));
            }
        }
        return forecasts;
    }

    private void report(
            Forecaster model,
            ScaledSeries scaled,
            ForecastTask task,
            ForecastOptions.Resolved chosen,
            TrainingSummary summary,
            LossHistory history) {
        float[] series = task.series();
        int[] origins = task.origins();
        List<float[]> ours = forecasts(model, scaled, task, chosen.batch(), origins);
        terminal.print("");
        terminal.print(
                "%s. Mean absolute error of %,d forecasts of the held-out part, %d values each:",
                history.summary(summary, UNITS), origins.length, task.horizon());
        print("persistence", error(task, i -> ForecastBaselines.persistence(series, origins[i], task.horizon())));
        print(
                "seasonal naive",
                error(
                        task,
                        i -> ForecastBaselines.seasonalNaive(series, origins[i], task.horizon(), task.season())));
        print("GRU", error(task, ours::get));
        terminal.print("");
        terminal.print("The next %d values:", task.horizon());
        for (float value : forecasts(model, scaled, task, chosen.batch(), series.length).getFirst()) {
            terminal.print("  %s", value);
        }
        terminal.print("");
    }

    private static double error(ForecastTask task, IntFunction<float[]> forecast) {
        int[] origins = task.origins();
        double sum = 0;
        for (int i = 0; i < origins.length; i++) {
            sum += ForecastBaselines.meanAbsoluteError(task.series(), origins[i], forecast.apply(i));
        }
        return sum / origins.length;
    }

    private void print(String name, double error) {
        terminal.print("  %-16s %.6g", name, error);
    }

    private void chart(
            Path folder, Forecaster model, ScaledSeries scaled, ForecastTask task, ForecastOptions.Resolved chosen)
            throws IOException {
        float[] series = task.series();
        int known = series.length - task.horizon();
        int from = Math.max(0, known - 2 * Math.max(task.window(), task.horizon()));
        List<float[]> ours = forecasts(model, scaled, task, chosen.batch(), known, series.length);
        List<Charts.Line> lines = List.of(
                line("known", from, Arrays.copyOfRange(series, from, series.length)),
                line("GRU, held out", known, ours.get(0)),
                line(
                        "seasonal naive, held out",
                        known,
                        ForecastBaselines.seasonalNaive(series, known, task.horizon(), task.season())),
                line("GRU, beyond the file", series.length, ours.get(1)));
        Charts.write(
                terminal,
                folder.resolve("forecast.png"),
                "Forecast of " + chosen.column(),
                "record",
                chosen.column(),
                lines);
    }

    private static Charts.Line line(String name, int from, float[] values) {
        double[] x = new double[values.length];
        double[] y = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            x[i] = from + i + 1;
            y[i] = values[i];
        }
        return new Charts.Line(name, x, y);
    }
}
