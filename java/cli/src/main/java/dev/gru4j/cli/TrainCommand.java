package dev.gru4j.cli;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.TrainingSummary;
import dev.gru4j.training.model.Evaluation;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * The main job: a character-level language model. Without options it learns the names of the Unicode
 * characters for about a minute and reports held-out bits per character beside n-gram models, samples, a
 * loss curve, the weights, and the command that repeats the run.
 */
@Command(
        name = "train",
        description = {
            "Train a character-level language model.",
            "Without options: on the names of the Unicode characters, for about a minute."
        })
final class TrainCommand implements Callable<Integer> {
    private static final Duration DEFAULT_CLOCK = Duration.ofSeconds(60);

    /** From here on the larger default hidden size pays. */
    private static final Duration LONG_RUN = Duration.ofMinutes(5);

    private static final int WARMUP_STEPS = 100;
    private static final int DECAY_PERCENT = 50;
    /** Second moments of so few steps need a short memory. */
    private static final float BETA2 = 0.99f;

    private static final int[] NGRAM_ORDERS = {0, 2, 4};
    private static final int SAMPLES = 6;

    private final Terminal terminal;

    @Mixin
    private final BackendChoice choice = new BackendChoice();

    @Mixin
    private final PrecisionChoice products = new PrecisionChoice();

    @Mixin
    private final RunLimits limits = new RunLimits();

    @Mixin
    private final LanguageOptions options = new LanguageOptions();

    TrainCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Duration clock = limits.clock();
        TrainingRun run = TrainingRun.prepare(terminal, "train", limits);
        Settings settings = run.settings();
        var chosen = options.resolve(settings, clock != null && clock.compareTo(LONG_RUN) >= 0);
        ProductPrecision precision = products.resolve(settings);
        Corpus corpus = Corpus.of(chosen.text(), chosen.batch(), chosen.window(), chosen.seed());
        CompletableFuture<List<Double>> ngramBits = CompletableFuture.supplyAsync(() -> corpus.ngramBits(NGRAM_ORDERS));
        LanguageModelSpec spec = LanguageModelSpec.of(
                corpus.vocabulary().size(), chosen.embedding(), chosen.hidden(), chosen.layers(), chosen.dropout());
        Files.createDirectories(run.folder());
        try (GruBackend backend = choice.open(terminal, precision);
                LanguageModel model = new LanguageModel(
                        backend,
                        spec,
                        Math.max(corpus.training().maxT(), corpus.heldOut().maxT()),
                        Math.max(corpus.training().maxB(), corpus.heldOut().maxB()))) {
            Schedule schedule = Schedule.trapezoid(chosen.learningRate(), WARMUP_STEPS, DECAY_PERCENT);
            terminal.print("text     %s", corpus.description());
            terminal.print(
                    "model    %s, vocabulary %d, %,d parameters",
                    spec.gru(), spec.vocabulary(), model.parameters().length());
            terminal.print("plan     %s", model.description());
            terminal.print("schedule learning rate %s", schedule.description());
            LossHistory history = new LossHistory(Progress.Units.CHARACTERS.lossScale());
            Adam.Options adam = Adam.Options.DEFAULT.withBeta2(BETA2).withWeightDecay(chosen.weightDecay());
            var job = new TrainingRun.Job<>(
                    model, corpus.training(), adam, schedule, chosen.seed(), DEFAULT_CLOCK, Progress.Units.CHARACTERS);
            TrainingSummary summary = run.train(backend, job, settings, history);
            if (summary.end() == TrainingSummary.End.STOPPED) {
                return Interruption.EXIT_STATUS;
            }
            Path weights = run.folder().resolve(RunLimits.WEIGHTS);
            LanguageModelFile.write(model, corpus.vocabulary(), weights);
            double bits = report(model, corpus, ngramBits.join(), summary, history);
            samples(model, corpus, chosen.seed());
            chart(run.folder(), history, bits, ngramBits.join());
            terminal.print("weights  %s", weights);
            terminal.print("repeat   %s", run.repeatCommand(summary, settings, backend));
            return 0;
        }
    }

    private double report(
            LanguageModel model,
            Corpus corpus,
            List<Double> ngramBits,
            TrainingSummary summary,
            LossHistory history) {
        Evaluation evaluation = model.evaluate(corpus.heldOut());
        if (evaluation.targets() != corpus.events()) {
            throw new IllegalStateException("the GRU predicted " + evaluation.targets() + " events, the n-gram models "
                    + corpus.events() + "; the same ones expected");
        }
        double bits = evaluation.bitsPerTarget();
        terminal.print("");
        terminal.print(
                "%s. Held-out bits per character, over %,d events%s:",
                history.summary(summary, Progress.Units.CHARACTERS),
                evaluation.targets(),
                corpus.given() == 0 ? " (characters and ends of names)" : "");
        for (int i = 0; i < NGRAM_ORDERS.length; i++) {
            terminal.print("  order-%d n-gram  %6.3f", NGRAM_ORDERS[i], ngramBits.get(i));
        }
        terminal.print("  GRU             %6.3f", bits);
        return bits;
    }

    private void samples(LanguageModel model, Corpus corpus, long seed) {
        terminal.print("");
        terminal.print("Samples:");
        try (var sampler = model.sampler()) {
            LanguageSampling.print(
                    terminal, sampler, corpus.vocabulary(), corpus.prompt(), corpus.prompt().isEmpty() ? SAMPLES : 1,
                    1f,
                    seed);
        }
        terminal.print("");
    }

    private void chart(Path folder, LossHistory history, double bits, List<Double> ngramBits) throws IOException {
        double[] steps = history.steps();
        if (steps.length == 0) {
            return; // a finished run was resumed: nothing new to draw
        }
        List<Charts.Line> lines = new ArrayList<>();
        lines.add(new Charts.Line("training", steps, history.losses()));
        lines.add(Charts.Line.level("held out, at the end", steps, bits));
        for (int i = 0; i < NGRAM_ORDERS.length; i++) {
            lines.add(Charts.Line.level("order-" + NGRAM_ORDERS[i] + " n-gram, held out", steps, ngramBits.get(i)));
        }
        Charts.write(terminal, folder.resolve("loss.png"), "Loss", "step", "bits per character", lines);
    }
}
