package dev.gru4j.training;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A training run at the end of a step, as one safetensors file: parameters under their own names,
 * optimizer state, carried state, and as metadata step, seed, time and the configuration of model,
 * optimizer, schedule and data. A checksum over all of it makes damage visible.
 *
 * <p>Written to a temporary file beside it, forced to the disk and renamed, so that at any moment the
 * file is either the old checkpoint or the new one.
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class Checkpoint {
    private Checkpoint() {}

    /**
     * Reads and checks a whole file.
     *
     * @throws CheckpointException if it is missing, damaged or not a checkpoint
     */
    public static Checkpoint read(Path file) throws CheckpointException {
        throw new UnsupportedOperationException();
    }

    /** Number of steps done. */
    public long step() {
        throw new UnsupportedOperationException();
    }

    /** Number of steps of the whole run; 0 if the clock had not decided yet. */
    public long totalSteps() {
        throw new UnsupportedOperationException();
    }

    /** Seed of the run. */
    public long seed() {
        throw new UnsupportedOperationException();
    }

    /** Time the run had taken. */
    public Duration elapsed() {
        throw new UnsupportedOperationException();
    }

    /** Configuration of the model, {@link TrainableModel#configuration}. */
    public Map<String, String> model() {
        throw new UnsupportedOperationException();
    }

    /** Configuration of the data, {@link dev.gru4j.training.data.BatchSource#configuration}. */
    public Map<String, String> data() {
        throw new UnsupportedOperationException();
    }

    /** What the caller of the run recorded, {@link TrainingOptions#notes}. */
    public Map<String, String> notes() {
        throw new UnsupportedOperationException();
    }

    /**
     * Takes over the parameters alone, to use a model without training it on. The model must be told by
     * {@link TrainableModel#parametersChanged}.
     *
     * @throws CheckpointException if a tensor is missing or has another shape
     */
    public void restoreParameters(ParameterSet parameters) throws CheckpointException {
        throw new UnsupportedOperationException();
    }
}
