package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A training run at the end of a step, as one safetensors file: parameters under their own names,
 * optimizer state, carried state, loss scale, and as metadata step, seed, time and the configuration of model,
 * optimizer, schedule and data. A checksum over all of it makes damage visible. Batches and dropout
 * masks are functions of seed and step, so no other position or random state exists.
 *
 * <p>Written to a temporary file beside it, forced to the disk and renamed, so that at any moment the
 * file is either the old checkpoint or the new one.
 */
public final class Checkpoint {
    private static final String FORMAT = "gru4j.format";
    private static final String FORMAT_VALUE = "checkpoint 1";
    private static final String STEP = "progress.step";
    private static final String TOTAL_STEPS = "progress.total_steps";
    private static final String ELAPSED = "progress.elapsed_nanos";
    private static final String NOTE = "note.";

    /** Prefixes of the metadata that a resumed run must agree with. */
    private static final List<String> CONFIGURATION = List.of("model.", "optimizer.", "data.", "run.");

    /**
     * How far a run is.
     *
     * @param step steps done
     * @param totalSteps 0 while the clock has not decided
     * @param elapsedNanos time taken
     */
    record Progress(long step, long totalSteps, long elapsedNanos) {}

    private final Path file;
    private final TensorFile content;
    private final Progress progress;

    private Checkpoint(Path file, TensorFile content, Progress progress) {
        this.file = file;
        this.content = content;
        this.progress = progress;
    }

    /**
     * Reads and checks a whole file.
     *
     * @throws CheckpointException if it is missing, damaged or not a checkpoint
     */
    public static Checkpoint read(Path file) throws CheckpointException {
        TensorFile content = TensorFile.read(file);
        String format = content.metadata().get(FORMAT);
        if (!FORMAT_VALUE.equals(format)) {
            throw new CheckpointException(file + " is no checkpoint: its " + FORMAT + " is "
                    + (format == null ? "absent" : "'" + format + "'") + "; '" + FORMAT_VALUE + "' expected");
        }
        Progress progress = new Progress(
                number(file, content, STEP), number(file, content, TOTAL_STEPS), number(file, content, ELAPSED));
        return new Checkpoint(file, content, progress);
    }

    private static long number(Path file, TensorFile content, String name) throws CheckpointException {
        String text = content.metadata().get(name);
        try {
            long number = Long.parseLong(String.valueOf(text));
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Reported below, with the same words as a negative one.
        }
        throw new CheckpointException(file + ": " + name + " is " + text + "; a number of 0 or more expected");
    }

    /**
     * Replaces {@code file} by the present state of a run.
     *
     * @param states what the run keeps besides the parameters, by name, in the order of the file
     * @throws TrainingException if a value is not finite: the file is left as it was
     */
    static void write(
            Path file,
            Progress progress,
            Map<String, String> configuration,
            Map<String, String> notes,
            ParameterSet parameters,
            Map<String, FloatMemory> states)
            throws IOException {
        Map<String, String> metadata = new TreeMap<>(configuration);
        notes.forEach((name, value) -> metadata.put(NOTE + name, value));
        metadata.put(FORMAT, FORMAT_VALUE);
        metadata.put(STEP, Long.toString(progress.step()));
        metadata.put(TOTAL_STEPS, Long.toString(progress.totalSteps()));
        metadata.put(ELAPSED, Long.toString(progress.elapsedNanos()));
        try (Arena arena = Arena.ofConfined()) {
            TensorFile content = TensorFile.create(arena, metadata);
            content.add(parameters);
            states.forEach((name, memory) -> content.add(name, List.of(memory.length()), memory));
            String nonFinite = content.firstNonFinite();
            if (nonFinite != null) {
                throw new TrainingException("no checkpoint of step " + progress.step() + ": " + nonFinite
                        + "; training diverged, lower the learning rate. " + file + " was left as it was");
            }
            content.write(file);
        }
    }

    /** Where it was read from. */
    public Path file() {
        return file;
    }

    /** Number of steps done. */
    public long step() {
        return progress.step();
    }

    /** Number of steps of the whole run; 0 if the clock had not decided yet. */
    public long totalSteps() {
        return progress.totalSteps();
    }

    /** Seed of the run. */
    public long seed() throws CheckpointException {
        String text = content.metadata().get("run.seed");
        try {
            return Long.parseLong(String.valueOf(text));
        } catch (NumberFormatException e) {
            throw new CheckpointException(file + ": run.seed is " + text + "; a number expected", e);
        }
    }

    /** Time the run had taken. */
    public Duration elapsed() {
        return Duration.ofNanos(progress.elapsedNanos());
    }

    /** Configuration of the model, {@link TrainableModel#configuration}. */
    public Map<String, String> model() {
        return under("model.");
    }

    /** Configuration of the data, {@link dev.gru4j.training.data.BatchSource#configuration}. */
    public Map<String, String> data() {
        return under("data.");
    }

    /** What the caller of the run recorded, {@link TrainingOptions#notes}. */
    public Map<String, String> notes() {
        return under(NOTE);
    }

    private Map<String, String> under(String prefix) {
        Map<String, String> found = new TreeMap<>();
        content.metadata().forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), value);
            }
        });
        return Map.copyOf(found);
    }

    /** Throws unless the run that wrote this had that configuration; the message lists every difference. */
    void checkConfiguration(Map<String, String> expected) throws CheckpointException {
        Map<String, String> found = new TreeMap<>();
        content.metadata().forEach((name, value) -> {
            if (CONFIGURATION.stream().anyMatch(name::startsWith)) {
                found.put(name, value);
            }
        });
        TreeSet<String> names = new TreeSet<>(found.keySet());
        names.addAll(expected.keySet());
        List<String> differences = new ArrayList<>();
        for (String name : names) {
            String was = found.getOrDefault(name, "absent");
            String is = expected.getOrDefault(name, "absent");
            if (!was.equals(is)) {
                differences.add(name + " was " + was + ", now " + is);
            }
        }
        if (!differences.isEmpty()) {
            throw new CheckpointException(file + " belongs to another run: " + String.join("; ", differences));
        }
    }

    /**
     * Takes over the parameters alone, to use a model without training it on. The model must be told by
     * {@link TrainableModel#parametersChanged}.
     *
     * @throws CheckpointException if a tensor is missing or has another shape; nothing is changed then
     */
    public void restoreParameters(ParameterSet parameters) throws CheckpointException {
        content.checkFits(parameters, file);
        content.upload(parameters);
    }

    /** Throws unless everything of a run is there with its shape. */
    void checkFits(ParameterSet parameters, Map<String, FloatMemory> states) throws CheckpointException {
        content.checkFits(parameters, file);
        for (Map.Entry<String, FloatMemory> state : states.entrySet()) {
            String misfit =
                    content.misfit(state.getKey(), List.of(state.getValue().length()));
            if (misfit != null) {
                throw new CheckpointException(file + " " + misfit);
            }
        }
    }

    /** Takes over everything, which {@link #checkFits fits}. */
    void restore(ParameterSet parameters, Map<String, FloatMemory> states) {
        content.upload(parameters);
        states.forEach(content::upload);
    }
}
