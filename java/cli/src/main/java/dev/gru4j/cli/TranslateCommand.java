package dev.gru4j.cli;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.TrainingSummary;
import dev.gru4j.training.data.NearestPair;
import dev.gru4j.training.data.PairBatches;
import dev.gru4j.training.data.TranslationPairs;
import dev.gru4j.training.data.TranslationPairs.Pair;
import dev.gru4j.training.data.TranslationScore;
import dev.gru4j.training.data.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The textbook use of a GRU, English to French: trains an encoder-decoder on names the JDK knows in both
 * languages, judges it on held-out pairs beside two baselines, then translates what it is given.
 */
@Command(
        name = "translate",
        description = {
            "Train an encoder-decoder to translate, then translate.",
            "Without options: English to French, names of the JDK's locale data, about two minutes.",
            "Lines to translate are the arguments or, without any, standard input."
        })
final class TranslateCommand implements Callable<Integer> {
    private static final Duration DEFAULT_CLOCK = Duration.ofMinutes(2);
    private static final int WARMUP_STEPS = 100;
    private static final int DECAY_PERCENT = 50;
    /** Second moments of so few steps need a short memory. */
    private static final float BETA2 = 0.99f;

    private static final int EXAMPLES = 8;

    /** What the user types may be longer than any pair. */
    private static final int LEAST_MAX_T = 100;

    private final Terminal terminal;

    @Mixin
    private final BackendChoice choice = new BackendChoice();

    @Mixin
    private final PrecisionChoice products = new PrecisionChoice();

    @Mixin
    private final RunLimits limits = new RunLimits();

    @Mixin
    private final TranslateOptions options = new TranslateOptions();

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Translate with weights of an earlier run instead of training.")
    private @Nullable Path weights;

    @Parameters(paramLabel = "LINE", arity = "0..*", description = "Lines to translate.")
    private List<String> lines = List.of();

    TranslateCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Path trained = weights;
        if (trained != null) {
            if (limits.resume) {
                throw new UsageException("--weights and --resume exclude each other: weights are used as they are");
            }
            try (GruBackend backend = choice.open(terminal, products.withoutRun());
                    Translator translator = Translator.read(backend, trained)) {
                translateLines(translator);
            }
            return 0;
        }
        return train();
    }

    private int train() throws IOException {
        TrainingRun run = TrainingRun.prepare(terminal, "translate", limits);
        Settings settings = run.settings();
        TranslateOptions.Resolved chosen = options.resolve(settings);
        ProductPrecision precision = products.resolve(settings);
        Path file = chosen.pairs();
        TranslationPairs pairs = file == null ? TranslationPairs.ofJdk() : TranslationPairs.read(file);
        Vocabulary source = Vocabulary.of(pairs.training().stream().map(Pair::source).toList());
        Vocabulary target = Vocabulary.of(pairs.training().stream().map(Pair::target).toList());
        PairBatches batches = new PairBatches(
                pairs.training().stream().map(p -> source.encode(p.source())).toList(),
                pairs.training().stream().map(p -> target.encode(p.target())).toList(),
                Vocabulary.END,
                chosen.batch(),
                chosen.seed());
        Files.createDirectories(run.folder());
        try (GruBackend backend = choice.open(terminal, precision);
                Translator translator = new Translator(
                        backend,
                        source,
                        target,
                        chosen.embedding(),
                        chosen.hidden(),
                        chosen.layers(),
                        chosen.dropout(),
                        longest(pairs, Pair::source),
                        longest(pairs, Pair::target) + 1,
                        chosen.batch())) {
            Schedule schedule = Schedule.trapezoid(chosen.learningRate(), WARMUP_STEPS, DECAY_PERCENT);
            terminal.print(
                    "pairs    %,d, %,d more held out (%s)",
                    pairs.training().size(),
                    pairs.heldOut().size(),
                    file == null ? "English to French, the JDK's locale data" : file);
            terminal.print(
                    "model    encoder %s, decoder %s, %,d parameters",
                    translator.model().spec().encoder(),
                    translator.model().spec().decoder(),
                    translator.model().parameters().length());
            terminal.print("schedule learning rate %s", schedule.description());
            LossHistory history = new LossHistory(Progress.Units.CHARACTERS.lossScale());
            Adam.Options adam = Adam.Options.DEFAULT.withBeta2(BETA2).withWeightDecay(chosen.weightDecay());
            var job = new TrainingRun.Job<>(
                    translator.model(), batches, adam, schedule, chosen.seed(), DEFAULT_CLOCK,
                    Progress.Units.CHARACTERS);
            TrainingSummary summary = run.train(backend, job, settings, history);
            if (summary.end() == TrainingSummary.End.STOPPED) {
                return Interruption.EXIT_STATUS;
            }
            Path weightFile = run.folder().resolve(RunLimits.WEIGHTS);
            translator.write(weightFile);
            report(translator, pairs, summary, history);
            if (history.steps().length > 0) {
                Charts.write(
                        terminal,
                        run.folder().resolve("loss.png"),
                        "Loss",
                        "step",
                        "bits per character",
                        List.of(new Charts.Line("training", history.steps(), history.losses())));
            }
            terminal.print("weights  %s", weightFile);
            terminal.print("repeat   %s", run.repeatCommand(summary, settings, backend));
            terminal.print(
                    "again    ./gru4j translate --weights %s 'Northern Norway'",
                    ShellWord.quote(weightFile.toString()));
            terminal.print("");
            translateLines(translator);
            return 0;
        }
    }

    private static int longest(TranslationPairs pairs, Function<Pair, String> side) {
        return Stream.concat(pairs.training().stream(), pairs.heldOut().stream())
                .map(side)
                .mapToInt(text -> text.codePointCount(0, text.length()))
                .reduce(LEAST_MAX_T, Math::max);
    }

    private void report(Translator translator, TranslationPairs pairs, TrainingSummary summary, LossHistory history) {
        List<Pair> heldOut = pairs.heldOut();
        NearestPair nearest = new NearestPair(pairs.training());
        List<String> answers = translator.translate(heldOut.stream().map(Pair::source).toList());
        terminal.print("");
        terminal.print(
                "%s. On %,d held-out pairs:",
                history.summary(summary, Progress.Units.CHARACTERS), heldOut.size());
        terminal.print("  %-24s %11s  %20s", "", "exact match", "character error rate");
        print("copy the source", TranslationScore.of(heldOut, source -> source));
        print("nearest training pair", TranslationScore.of(heldOut, source -> nearest.nearest(source).target()));
        print("GRU encoder-decoder", TranslationScore.of(heldOut, answers));
        terminal.print("");
        terminal.print("Held-out examples:");
        int step = Math.max(1, heldOut.size() / EXAMPLES);
        for (int i = 0; i < heldOut.size() && i / step < EXAMPLES; i += step) {
            Pair pair = heldOut.get(i);
            boolean right = answers.get(i).equals(pair.target());
            terminal.print(
                    "  %s -> %s%s", pair.source(), answers.get(i), right ? "" : "   (wrong: " + pair.target() + ")");
        }
        terminal.print("");
    }

    private void print(String name, TranslationScore score) {
        terminal.print("  %-24s %9.1f %%  %18.1f %%", name, 100 * score.exact(), 100 * score.characterErrorRate());
    }

    /** Translates the arguments or, without any, standard input line by line until its end. */
    private void translateLines(Translator translator) throws IOException {
        if (!lines.isEmpty()) {
            for (String line : lines) {
                translateLine(translator, line);
            }
            return;
        }
        if (terminal.interactive()) {
            terminal.remark("Type a line to translate; an empty one or Ctrl-D ends.");
        }
        while (true) {
            if (terminal.interactive()) {
                terminal.out().print("> ");
                terminal.out().flush();
            }
            String line = terminal.in().readLine();
            if (line == null || (line.isBlank() && terminal.interactive())) {
                return;
            }
            translateLine(translator, line);
        }
    }

    private void translateLine(Translator translator, String line) {
        if (line.isEmpty()) {
            terminal.print("");
            return;
        }
        String objection = translator.objection(line);
        if (!objection.isEmpty()) {
            terminal.remark("%s", objection);
            return;
        }
        String unknown = translator.unknownCharacters(line);
        if (!unknown.isEmpty()) {
            terminal.remark("not in the training pairs: %s", unknown);
        }
        terminal.print("%s", translator.translate(List.of(line)).getFirst());
    }
}
