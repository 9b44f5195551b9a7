package dev.gru4j.cli;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.Adam;
import dev.gru4j.training.Checkpoint;
import dev.gru4j.training.Schedule;
import dev.gru4j.training.TrainableModel;
import dev.gru4j.training.Trainer;
import dev.gru4j.training.TrainingOptions;
import dev.gru4j.training.TrainingSummary;
import dev.gru4j.training.data.Batch;
import dev.gru4j.training.data.BatchSource;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the training commands share: the folder and its checkpoint, the limit, progress, and Ctrl-C.
 *
 * @param terminal where to
 * @param command name of the command
 * @param limits how long, where to
 * @param folder of checkpoint, weights and chart
 * @param checkpoint to go on from; absent: a new run
 */
record TrainingRun(
        Terminal terminal, String command, RunLimits limits, Path folder, @Nullable Checkpoint checkpoint) {
    private static final String CLOCK = "clock";
    private static final float MAX_GRADIENT_NORM = 1f;
    private static final int PREFETCH = 4;

    /** Reads the checkpoint if the run is a resumed one. */
    static TrainingRun prepare(Terminal terminal, String command, RunLimits limits) throws IOException {
        Path folder = limits.folder(command);
        Path file = folder.resolve(RunLimits.CHECKPOINT);
        return new TrainingRun(terminal, command, limits, folder, limits.resume ? Checkpoint.read(file) : null);
    }

    /** Settings of a new run, or those of the run to go on with. */
    Settings settings() {
        return new Settings(checkpoint == null ? null : checkpoint.notes());
    }

    /** Draws the parameters of a new run; those of a resumed one come with the checkpoint. */
    <B extends Batch> TrainingSummary train(
            GruBackend backend,
            TrainableModel<B> model,
            BatchSource<B> source,
            Adam.Options adam,
            Schedule schedule,
            Settings settings,
            Duration defaultClock,
            Progress.Units units,
            LossHistory history)
            throws IOException {
        long seed = Long.parseLong(settings.notes().getOrDefault("seed", "0"));
        TrainingOptions options = options(settings, seed, defaultClock);
        // The interruption is closed last: until then the JVM waits, so that the last line is printed, too.
        try (Interruption interruption = new Interruption();
                Adam optimizer = new Adam(backend, model.parameters(), adam);
                Trainer<B> trainer = new Trainer<>(backend, model, source, optimizer, schedule, options)) {
            if (checkpoint == null) {
                model.initialize(seed);
            } else {
                trainer.restore(checkpoint);
            }
            TrainingSummary summary;
            try (Progress progress = new Progress(terminal, units)) {
                summary = trainer.listener(progress).listener(history).run(interruption);
            }
            if (summary.end() == TrainingSummary.End.STOPPED) {
                terminal.remark("stopped after step %d; go on with: %s", summary.steps(), resumeCommand());
            }
            return summary;
        }
    }

    private TrainingOptions options(Settings settings, long seed, Duration defaultClock) {
        Long steps = limits.steps();
        Duration clock = limits.clock();
        Map<String, String> notes = new HashMap<>(settings.notes());
        if (steps == null && clock == null) {
            if (checkpoint == null) {
                clock = defaultClock;
            } else if (checkpoint.totalSteps() > 0) {
                steps = checkpoint.totalSteps();
            } else {
                String recorded = checkpoint.notes().get(CLOCK);
                clock = recorded == null ? defaultClock : Duration.parse(recorded);
            }
        }
        if (clock != null) {
            notes.put(CLOCK, clock.toString());
        }
        return new TrainingOptions(
                steps == null ? 0 : steps,
                clock,
                seed,
                MAX_GRADIENT_NORM,
                folder.resolve(RunLimits.CHECKPOINT),
                limits.checkpointEvery,
                PREFETCH,
                notes);
    }

    private String resumeCommand() {
        return "./gru4j " + command + " --resume --out " + ShellWord.quote(folder.toString());
    }

    /** The command that repeats a finished run on this machine, bit for bit. */
    String repeatCommand(TrainingSummary summary, Settings settings, GruBackend backend) {
        return "./gru4j " + command + " --steps " + summary.steps() + " " + settings.arguments() + " --backend "
                + backend.name();
    }
}
