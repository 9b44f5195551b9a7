package dev.gru4j.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of a translation model; all of them are settings of a run ({@link Settings}). */
final class TranslateOptions {
    static final int HIDDEN = 256;
    static final float LEARNING_RATE = 0.003f;
    static final float WEIGHT_DECAY = 0.1f;

    @Mixin
    private final SequenceModelOptions common = new SequenceModelOptions();

    @Option(
            names = "--pairs",
            paramLabel = "FILE",
            description = "Learn from this UTF-8 file, one source<TAB>target per line, instead of the JDK's names.")
    private @Nullable Path pairs;

    @Option(
            names = "--hidden",
            paramLabel = "H",
            description = "Hidden size of the decoder, an even number: the encoder reads both ways with half of it each."
                    + " Default: " + HIDDEN + ".")
    private @Nullable Integer hidden;

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
            @Nullable Path pairs,
            SequenceModelOptions.Resolved common,
            int hidden,
            float learningRate,
            float weightDecay) {}

    Resolved resolve(Settings settings) {
        String file = settings.text("pairs", pairs == null ? null : pairs.toString());
        Resolved resolved = new Resolved(
                file == null ? null : Path.of(file),
                common.resolve(settings),
                settings.integer("hidden", hidden, HIDDEN, 2),
                settings.number("learning-rate", learningRate, LEARNING_RATE, false, Float.POSITIVE_INFINITY),
                settings.number("weight-decay", weightDecay, WEIGHT_DECAY, true, Float.POSITIVE_INFINITY));
        if (resolved.hidden() % 2 != 0) {
            throw new UsageException("--hidden is " + resolved.hidden() + "; an even number expected");
        }
        return resolved;
    }
}
