package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.io.AtomicFile;
import dev.gru4j.training.data.Batch;
import dev.gru4j.training.data.BatchSource;
import dev.gru4j.training.data.Prefetcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * The training loop: batch, loss and gradient, clipping, update, until the steps are done, the time is
 * over or it is asked to stop. Belongs to one thread; owns neither model nor optimizer.
 *
 * <p>A step is given to the backend as a whole before the loss of the step before it is waited for, so a
 * GPU is never without work. Before a checkpoint is written and before {@link #run} returns, all steps
 * are waited for, reported and found finite.
 *
 * @param <B> kind of batch
 */
public final class Trainer<B extends Batch> implements AutoCloseable {
    private final TrainingKernels kernels;
    private final TrainableModel<B> model;
    private final BatchSource<B> source;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainingOptions options;
    private final RunLength length;
    private final FloatMemory squaredNorm;
    private final StepResults results;
    private final List<TrainingListener> listeners = new ArrayList<>();

    /** Number of steps given to the backend; those of {@link #results} are not reported yet. */
    private long step;

    private long checkpointStep = -1;
    private float lastLoss = Float.NaN;

    public Trainer(
            GruBackend backend,
            TrainableModel<B> model,
            BatchSource<B> source,
            Optimizer optimizer,
            Schedule schedule,
            TrainingOptions options) {
        this.length = new RunLength(schedule, options);
        this.kernels = backend.trainingKernels();
        this.model = model;
        this.source = source;
        this.optimizer = optimizer;
        this.schedule = schedule;
        this.options = options;
        this.results = new StepResults(backend);
        boolean complete = false;
        try {
            this.squaredNorm = backend.allocate(1);
            complete = true;
        } finally {
            if (!complete) {
                results.close();
            }
        }
    }

    /** Adds a listener. */
    public Trainer<B> listener(TrainingListener listener) {
        listeners.add(listener);
        return this;
    }

    /**
     * Goes on where the run that wrote {@code checkpoint} was: parameters, optimizer, carried state, step,
     * time.
     *
     * @throws CheckpointException if it was written by another model, optimizer, schedule, data set or seed;
     *     nothing is changed then
     */
    public void restore(Checkpoint checkpoint) throws CheckpointException {
        checkpoint.checkConfiguration(configuration());
        checkpoint.checkFits(model.parameters(), optimizer.state(), model.carriedState());
        length.resume(checkpoint);
        results.clear();
        checkpoint.restore(model.parameters(), optimizer.state(), model.carriedState());
        model.parametersChanged();
        step = checkpoint.step();
        checkpointStep = checkpoint.file().equals(options.checkpoint()) ? step : -1;
    }

    /** Trains until the end of the run. */
    public TrainingSummary run() throws IOException {
        return run(() -> false);
    }

    /**
     * Trains until the end of the run or until {@code stop}, asked between steps, says true. Writes the
     * checkpoint in either case, if one is kept. An interrupt of the thread stops it, too. What was given
     * to the backend is done and reported before this returns.
     *
     * @throws TrainingException if the loss or the gradient is no longer finite, or a batch could not be
     *     prepared
     * @throws IOException if a checkpoint cannot be written
     */
    public TrainingSummary run(BooleanSupplier stop) throws IOException {
        length.startClock();
        boolean stopped = false;
        boolean interrupted = false;
        Path checkpoint = options.checkpoint();
        if (checkpoint != null) {
            AtomicFile.deleteLeftovers(checkpoint); // of runs that were killed while writing
        }
        try (Prefetcher<B> batches = new Prefetcher<>(source, step, options.prefetch())) {
            while (!length.isOver(step)) {
                if (stop.getAsBoolean()) {
                    stopped = true;
                    break;
                }
                doStep(next(batches));
                if (options.checkpointEvery() > 0 && step % options.checkpointEvery() == 0) {
                    reportAll();
                    writeCheckpoint();
                }
            }
        } catch (InterruptedException e) {
            stopped = true;
            interrupted = true;
        }
        try {
            reportAll();
            writeCheckpoint(); // before the thread's flag is set again: a channel closes itself when it sees that
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        length.stopClock(); // until this is asked to go on
        return new TrainingSummary(
                stopped ? TrainingSummary.End.STOPPED : TrainingSummary.End.FINISHED,
                step,
                length.totalSteps(),
                length.elapsed(),
                lastLoss);
    }

    private B next(Prefetcher<B> batches) throws InterruptedException {
        try {
            return batches.next();
        } catch (IllegalStateException e) {
            reportAll();
            throw new TrainingException("step " + step + " cannot be done: " + e.getMessage(), e);
        }
    }

    /** Gives a step to the backend, then reports what is there of the steps before it, and of it. */
    private void doStep(B batch) {
        float learningRate = length.rate(step);
        ParameterSet parameters = model.parameters();
        model.lossAndGradient(batch, step, options.seed());
        kernels.squaredNorm(parameters.gradients(), parameters.length(), squaredNorm);
        if (options.maxGradientNorm() < Float.POSITIVE_INFINITY) {
            kernels.clipByNorm(parameters.gradients(), parameters.length(), squaredNorm, options.maxGradientNorm());
        }
        optimizer.update(kernels, parameters, learningRate, step);
        model.parametersChanged();
        results.add(
                new StepResults.Given(step, learningRate, batch.targetCount(), model.flops(batch)),
                model.loss(),
                squaredNorm);
        step++;
        while (results.count() == StepResults.MOST || results.isOldestDone()) {
            report(results.take());
        }
    }

    /** Waits for the steps under way and reports them. */
    private void reportAll() {
        while (results.count() > 0) {
            report(results.take());
        }
    }

    private void report(StepResults.Result result) {
        StepResults.Given given = result.given();
        lastLoss = result.loss();
        checkFinite("loss", lastLoss, given);
        checkFinite("norm of the gradient", result.gradientNorm(), given);
        long done = given.step() + 1;
        TrainingListener.Step report = new TrainingListener.Step(
                done,
                length.totalSteps(),
                lastLoss,
                result.gradientNorm(),
                given.learningRate(),
                given.targets(),
                given.flops(),
                length.elapsed(),
                length.shareDone(done));
        for (TrainingListener listener : listeners) {
            listener.afterStep(report);
        }
    }

    private void checkFinite(String what, double value, StepResults.Given given) {
        if (Double.isFinite(value)) {
            return;
        }
        String remedy = "training diverged at learning rate " + given.learningRate()
                + "; lower it, lengthen the warm-up or clip at a norm below " + options.maxGradientNorm();
        Path file = options.checkpoint();
        throw new TrainingException("the " + what + " is " + value + " at step " + given.step() + ": " + remedy
                + (file != null && checkpointStep >= 0 ? ". " + file + " holds step " + checkpointStep : ""));
    }

    /** Writes the present state, unless there is no file to write to or it holds this step already. */
    private void writeCheckpoint() throws IOException {
        Path file = options.checkpoint();
        if (file == null || checkpointStep == step) {
            return;
        }
        Checkpoint.Progress progress =
                new Checkpoint.Progress(
                        step, length.totalSteps(), length.elapsed().toNanos());
        Checkpoint.write(
                file,
                progress,
                configuration(),
                options.notes(),
                model.parameters(),
                optimizer.state(),
                model.carriedState());
        checkpointStep = step;
        for (TrainingListener listener : listeners) {
            listener.afterCheckpoint(step);
        }
    }

    /** All that decides what a step computes, besides the step's number. */
    private Map<String, String> configuration() {
        Map<String, String> all = new TreeMap<>();
        model.configuration().forEach((name, value) -> all.put("model." + name, value));
        optimizer.configuration().forEach((name, value) -> all.put("optimizer." + name, value));
        source.configuration().forEach((name, value) -> all.put("data." + name, value));
        all.put("run.schedule", schedule.description());
        all.put("run.seed", Long.toString(options.seed()));
        all.put("run.max_gradient_norm", Float.toString(options.maxGradientNorm()));
        return all;
    }

    @Override
    public void close() {
        results.close();
        squaredNorm.close();
    }
}
