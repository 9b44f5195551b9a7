package dev.gru4j.cli;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
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
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
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
    // Notes in a checkpoint besides the settings.
    private static final String CLOCK = "clock";
    private static final String BACKEND = "backend";

    private static final float MAX_GRADIENT_NORM = 1f;
    private static final int PREFETCH = 4;

    /** Properties that say how backends compute, the emulator in place of a GPU among them. */
    private static final List<String> PROPERTIES = List.of(
            "gru4j.cuda.cublas",
            "gru4j.cuda.emulator",
            "gru4j.cuda.family",
            "gru4j.cuda.graphs",
            "gru4j.cuda.precision",
            "gru4j.simd.bits");

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

    /**
     * What is trained, and how.
     *
     * @param seed of parameters and dropout masks
     * @param clock time of the run unless the command line says something else
     */
    record Job<B extends Batch>(
            TrainableModel<B> model,
            BatchSource<B> source,
            Adam.Options adam,
            Schedule schedule,
            long seed,
            Duration clock,
            Progress.Units units) {}

    /** Draws the parameters of a new run; those of a resumed one come with the checkpoint. */
    <B extends Batch> TrainingSummary train(GruBackend backend, Job<B> job, Settings settings, LossHistory history)
            throws IOException {
        LossScaling scaling = limits.lossScale.resolve(settings, backend.precision());
        if (scaling != null) {
            terminal.print("scaling  of the loss: %s", scaling.description());
        }
        TrainingOptions options = options(backend, job, settings).withLossScaling(scaling);
        // The interruption is closed last: until then the JVM waits, so that the last line is printed, too.
        try (Interruption interruption = new Interruption();
                Adam optimizer = new Adam(backend, job.model().parameters(), job.adam());
                Trainer<B> trainer =
                        new Trainer<>(backend, job.model(), job.source(), optimizer, job.schedule(), options)) {
            if (checkpoint == null) {
                job.model().initialize(job.seed());
            } else {
                trainer.restore(checkpoint);
            }
            TrainingSummary summary;
            try (Progress progress = new Progress(terminal, job.units())) {
                summary = trainer.listener(progress).listener(history).run(interruption);
            }
            if (summary.end() == TrainingSummary.End.STOPPED) {
                terminal.remark("stopped after step %d; go on with: %s", summary.steps(), resumeCommand());
            }
            return summary;
        }
    }

    private TrainingOptions options(GruBackend backend, Job<?> job, Settings settings) {
        Long steps = limits.steps();
        Duration clock = limits.clock();
        if (checkpoint != null) {
            if (clock != null && checkpoint.totalSteps() > 0) {
                throw new UsageException("--minutes cannot change a run whose number of steps is fixed at "
                        + checkpoint.totalSteps() + "; resume it without, or start a new run");
            }
            String before = checkpoint.notes().get(BACKEND);
            if (!backend.name().equals(before)) {
                terminal.remark(
                        "the run was begun on backend %s: the last bits of its weights will not be those of an"
                                + " undisturbed run",
                        before);
            }
            if (steps == null && clock == null) {
                String recorded = checkpoint.notes().get(CLOCK);
                steps = checkpoint.totalSteps() > 0 ? checkpoint.totalSteps() : null;
                clock = steps != null ? null : recorded == null ? job.clock() : Duration.parse(recorded);
            }
        } else if (steps == null && clock == null) {
            clock = job.clock();
        }
        Map<String, String> notes = new HashMap<>(settings.notes());
        notes.put(BACKEND, backend.name());
        if (clock != null) {
            notes.put(CLOCK, clock.toString());
        }
        return new TrainingOptions(
                steps == null ? 0 : steps,
                clock,
                job.seed(),
                MAX_GRADIENT_NORM,
                folder.resolve(RunLimits.CHECKPOINT),
                limits.checkpointEvery,
                PREFETCH,
                notes,
                null);
    }

    private String resumeCommand() {
        return "./gru4j " + command + " --resume --out " + ShellWord.quote(folder.toString())
                + properties(System.getProperties());
    }

    /** The command that repeats a finished run on this machine, bit for bit. */
    String repeatCommand(TrainingSummary summary, Settings settings, GruBackend backend) {
        return "./gru4j " + command + " --steps " + summary.steps() + " " + settings.arguments() + " --backend "
                + backend.name() + properties(System.getProperties());
    }

    /** Those of {@link #PROPERTIES} that are set, as options of the JVM. */
    static String properties(Properties all) {
        return PROPERTIES.stream()
                .filter(all.stringPropertyNames()::contains)
                .map(name -> " " + ShellWord.quote("-D" + name + "=" + all.getProperty(name)))
                .collect(Collectors.joining());
    }
}
