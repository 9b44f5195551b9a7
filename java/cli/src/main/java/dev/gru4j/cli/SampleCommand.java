package dev.gru4j.cli;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.data.Vocabulary;
import dev.gru4j.training.model.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes text with a language model that {@code train} left behind. */
@Command(name = "sample", description = "Draw names, or the continuation of a text, from a trained language model.")
final class SampleCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private final BackendChoice choice = new BackendChoice();

    @Mixin
    private final PrecisionChoice products = new PrecisionChoice();

    @Mixin
    private final WeightStorageChoice storage = new WeightStorageChoice();

    @Option(
            names = "--weights",
            paramLabel = "FILE",
            description = "Weights written by train. Default: ${DEFAULT-VALUE}.")
    private Path weights = Path.of("runs", "train", RunLimits.WEIGHTS);

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Go on with this text; without it whole sequences from their beginning.")
    private String prompt = "";

    @Option(names = "--count", paramLabel = "N", description = "Samples. Default: ${DEFAULT-VALUE}.")
    private int count = 10;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            description = "Below 1 prefers likely characters, 0 always takes the likeliest. Default: ${DEFAULT-VALUE}.")
    private float temperature = 1f;

    @Option(names = "--seed", paramLabel = "N", description = "Key of the draws. Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    SampleCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        if (count < 1) {
            throw new UsageException("--count is " + count + "; at least 1 expected");
        }
        if (!(temperature >= 0 && temperature < Float.POSITIVE_INFINITY)) {
            throw new UsageException("--temperature is " + temperature + "; 0 or more expected");
        }
        BackendOptions options = storage.in(choice.options()).withPrecision(products.withoutRun());
        Vocabulary vocabulary = LanguageModelFile.vocabulary(weights);
        try (GruBackend backend = choice.open(terminal, options);
                LanguageModel model = LanguageModelFile.read(backend, weights);
                var sampler = model.sampler()) {
            LanguageSampling.print(terminal, sampler, vocabulary, prompt, count, temperature, seed);
        }
        return 0;
    }
}
