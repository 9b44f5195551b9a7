package dev.gru4j.training;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.data.Batch;
import dev.gru4j.training.data.BatchSource;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/**
 * The training loop: batch, loss and gradient, clipping, update, until the steps are done, the time is
 * over or it is asked to stop. Belongs to one thread; owns neither model nor optimizer.
 *
 * @param <B> kind of batch
 */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class Trainer<B extends Batch> implements AutoCloseable {
    public Trainer(
            GruBackend backend,
            TrainableModel<B> model,
            BatchSource<B> source,
            Optimizer optimizer,
            Schedule schedule,
            TrainingOptions options) {
        throw new UnsupportedOperationException();
    }

    /** Adds a listener. */
    public Trainer<B> listener(TrainingListener listener) {
        throw new UnsupportedOperationException();
    }

    /**
     * Goes on where the run that wrote {@code checkpoint} was: parameters, optimizer, carried state, step,
     * time.
     *
     * @throws CheckpointException if it was written by another model, optimizer, schedule, data set or seed
     */
    public void restore(Checkpoint checkpoint) throws CheckpointException {
        throw new UnsupportedOperationException();
    }

    /** Trains until the end of the run. */
    public TrainingSummary run() throws IOException {
        return run(() -> false);
    }

    /**
     * Trains until the end of the run or until {@code stop}, asked between steps, says true. Writes the
     * checkpoint in either case, if one is kept.
     *
     * @throws TrainingException if the loss or a parameter is no longer finite, or no batch could be prepared
     * @throws IOException if a checkpoint cannot be written
     */
    public TrainingSummary run(BooleanSupplier stop) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
