package dev.gru4j.cli;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of every training command: how long, where to, from where on, with which scale of the loss. */
final class RunLimits {
    static final String CHECKPOINT = "checkpoint.safetensors";
    static final String WEIGHTS = "weights.safetensors";

    /** Ends a run; one of the two. */
    static final class Limit {
        @Option(
                names = "--steps",
                paramLabel = "N",
                description = "Train N steps. The same seed and N give the same weights, bit for bit.")
        private @Nullable Long steps;

        @Option(names = "--minutes", paramLabel = "M", description = "Train about M minutes; fractions allowed.")
        private @Nullable Double minutes;
    }

    @ArgGroup(exclusive = true, multiplicity = "0..1")
    private @Nullable Limit limit;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder for checkpoint, weights and chart; default: runs/COMMAND.")
    private @Nullable Path out;

    @Option(names = "--resume", description = "Go on from the checkpoint in the folder of --out.")
    boolean resume;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            description = "Steps between checkpoints; 0: only at the end and on Ctrl-C. Default: ${DEFAULT-VALUE}.")
    long checkpointEvery = 200;

    @Mixin
    final LossScaleOption lossScale = new LossScaleOption();

    /** {@code --steps}, or {@code null}. */
    @Nullable
    Long steps() {
        Long steps = limit == null ? null : limit.steps;
        if (steps != null && steps < 1) {
            throw new UsageException("--steps is " + steps + "; at least 1 expected");
        }
        return steps;
    }

    /** {@code --minutes}, or {@code null}. */
    @Nullable
    Duration clock() {
        Double minutes = limit == null ? null : limit.minutes;
        if (minutes == null) {
            return null;
        }
        if (!(minutes > 0 && minutes < 1e6)) {
            throw new UsageException("--minutes is " + minutes + "; a positive number expected");
        }
        return Duration.ofMillis(Math.max(1, Math.round(minutes * 60_000)));
    }

    /** The folder, {@code runs/COMMAND} unless told otherwise. */
    Path folder(String command) {
        if (checkpointEvery < 0) {
            throw new UsageException("--checkpoint-every is " + checkpointEvery + "; 0 or more expected");
        }
        Path chosen = out;
        return chosen == null ? Path.of("runs", command) : chosen;
    }
}
