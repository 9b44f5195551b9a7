package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
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
import org.jspecify.annotations.Nullable;

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
    /** Overflows in a row at the smallest loss scale that end a run. */
    private static final int HOPELESS_STEPS = 10;

    private final TrainingKernels kernels;
    private final TrainableModel<B> model;
    private final BatchSource<B> source;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainingOptions options;
    private final RunLength length;
    private final StepValues values;
    private final List<TrainingListener> listeners = new ArrayList<>();

    /** Steps in a row that overflowed although no smaller scale was left. */
    private int hopelessSteps;

    /** Number of steps given to the backend; those of {@link #values} are not reported yet. */
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
        this.values = new StepValues(backend, options.lossScaling());
    }

    /** Adds a listener. */
    public Trainer<B> listener(TrainingListener listener) {
        listeners.add(listener);
        return this;
    }

    /**
     * Goes on where the run that wrote {@code checkpoint} was: parameters, optimizer, carried state, loss
     * scale, step, time.
     *
     * @throws CheckpointException if it was written by another model, optimizer, schedule, data set, loss
     *     scaling or seed; nothing is changed then
     */
    public void restore(Checkpoint checkpoint) throws CheckpointException {
        checkpoint.checkConfiguration(configuration());
        Map<String, FloatMemory> states = states();
        checkpoint.checkFits(model.parameters(), states);
        length.resume(checkpoint);
        checkpoint.restore(model.parameters(), states);
        model.parametersChanged();
        values.downloadRestored();
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
     * @throws TrainingException if the loss or, at the smallest loss scale, the gradient is no longer finite,
     *     or a batch could not be prepared
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
                lastLoss,
                values.skippedSteps());
    }

    private B next(Prefetcher<B> batches) throws InterruptedException {
        try {
            return batches.next();
        } catch (IllegalStateException e) {
            reportAll();
            throw new TrainingException("step " + step + " cannot be done: " + e.getMessage(), e);
        }
    }

    /**
     * Gives a step to the backend, then reports what has come of the steps before it, and of it. A step that
     * overflowed changes neither parameters nor optimizer, but its batch is read: the hidden state is carried on from
     * it, since the forward pass was right, and the schedule goes on.
     */
    private void doStep(B batch) {
        float learningRate = length.rate(step);
        ParameterSet parameters = model.parameters();
        FloatMemory lossScale = values.lossScale();
        model.lossAndGradient(batch, step, options.seed(), values.loss(), lossScale);
        measure(parameters.gradients(), parameters.length(), lossScale);
        if (options.maxGradientNorm() < Float.POSITIVE_INFINITY) {
            kernels.clipByNorm(
                    parameters.gradients(), parameters.length(), values.squaredNorm(), options.maxGradientNorm());
        }
        optimizer.update(kernels, parameters, learningRate, step, lossScale);
        model.parametersChanged();
        values.send(new StepValues.Given(step, learningRate, batch.targetCount(), model.flops(batch)));
        step++;
        while (values.underWay() == StepValues.MOST || values.isOldestDone()) {
            report(values.take());
        }
    }

    /** Waits for all steps that were given and reports them. */
    private void reportAll() {
        while (values.underWay() > 0) {
            report(values.take());
        }
    }

    /** Looks at a step's numbers, which were taken last, and tells the listeners. */
    private void report(StepValues.Given given) {
        lastLoss = values.lossOfStep();
        double gradientNorm = values.gradientNorm();
        checkFinite("loss", lastLoss, given);
        if (values.isSkipped()) {
            checkHopeful(given);
        } else {
            hopelessSteps = 0;
            checkFinite("norm of the gradient", gradientNorm, given);
        }
        long done = given.step() + 1;
        TrainingListener.Step report = new TrainingListener.Step(
                done,
                length.totalSteps(),
                lastLoss,
                gradientNorm,
                given.learningRate(),
                given.targets(),
                given.flops(),
                length.elapsed(),
                length.shareDone(done),
                values.scaleOfStep(),
                values.skippedSteps());
        for (TrainingListener listener : listeners) {
            listener.afterStep(report);
        }
    }

    /** The squared norm of the gradient and, where the loss is scaled, what becomes of the step. */
    private void measure(FloatMemory gradients, long count, @Nullable FloatMemory lossScale) {
        LossScaling scaling = options.lossScaling();
        if (scaling == null || lossScale == null) {
            kernels.squaredNorm(gradients, count, values.squaredNorm());
        } else {
            kernels.updateLossScale(gradients, count, scaling, lossScale, values.squaredNorm());
        }
    }

    /** A skipped step: one batch may be to blame while the scale is at its smallest, but not several in a row. */
    private void checkHopeful(StepValues.Given given) {
        LossScaling scaling = options.lossScaling();
        if (scaling == null || values.scaleOfStep() > scaling.smallest()) {
            return;
        }
        hopelessSteps++;
        if (hopelessSteps < HOPELESS_STEPS) {
            return;
        }
        throw scaling.isFixed()
                ? failure(
                        hopelessSteps + " gradients in a row overflowed with the fixed loss scale "
                                + values.scaleOfStep() + ", the last",
                        "choose a smaller scale or a dynamic one",
                        given)
                : diverged(
                        hopelessSteps + " gradients in a row overflowed with the smallest loss scale "
                                + values.scaleOfStep() + ", the last",
                        given);
    }

    private void checkFinite(String what, double value, StepValues.Given given) {
        if (!Double.isFinite(value)) {
            throw diverged("the " + what + " is " + value, given);
        }
    }

    private TrainingException diverged(String what, StepValues.Given given) {
        return failure(
                what,
                "training diverged at learning rate " + given.learningRate()
                        + "; lower it, lengthen the warm-up or clip at a norm below " + options.maxGradientNorm(),
                given);
    }

    private TrainingException failure(String what, String remedy, StepValues.Given given) {
        Path file = options.checkpoint();
        return new TrainingException(what + " at step " + given.step() + ": " + remedy
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
                states());
        checkpointStep = step;
        for (TrainingListener listener : listeners) {
            listener.afterCheckpoint(step);
        }
    }

    /** What a run keeps from step to step besides the parameters, as checkpoints name it. */
    private Map<String, FloatMemory> states() {
        Map<String, FloatMemory> states = new TreeMap<>();
        optimizer.state().forEach((name, memory) -> states.put("optimizer." + name, memory));
        model.carriedState().forEach((name, memory) -> states.put("carried." + name, memory));
        FloatMemory lossScale = values.lossScale();
        if (lossScale != null) {
            states.put("loss_scale", lossScale);
        }
        return states;
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
        LossScaling scaling = options.lossScaling();
        if (scaling != null) {
            all.put("run.loss_scaling", scaling.description());
        }
        return all;
    }

    @Override
    public void close() {
        values.close();
    }
}
