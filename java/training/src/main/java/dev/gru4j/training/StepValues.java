package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The few numbers of a step that the host wants to know, in one row on the backend, so that one small copy brings them:
 * loss, squared norm of the gradient and, where the loss is scaled, the state of {@link LossScaling}.
 *
 * <p>They are not waited for at once: {@link #send} lets a step's numbers come while the next step is given, {@link #take}
 * fetches those of the oldest step under way. With {@value #MOST} of them a GPU has the next step to do while the host
 * looks at the last one; more would only make reports later.
 */
final class StepValues implements AutoCloseable {
    /** Steps under way at most. */
    static final int MOST = 2;

    private static final int LOSS = 0;
    private static final int SQUARED_NORM = 1;
    private static final int LOSS_SCALE = 2;

    /**
     * A step that was given to the backend.
     *
     * @param step its number, 0 for the first
     * @param learningRate of this step
     * @param targets number of targets in the batch
     * @param flops FLOP of this step
     */
    record Given(long step, float learningRate, long targets, long flops) {}

    private final FloatMemory memory;
    private final FloatMemory loss;
    private final FloatMemory squaredNorm;
    private final @Nullable FloatMemory lossScale;

    /** Places for numbers on their way, {@value #MOST}: step k has place k modulo that. */
    private final List<FloatReadback> readbacks = new ArrayList<>(MOST);

    /** Steps under way, oldest first. */
    private final Deque<Given> underWay = new ArrayDeque<>(MOST);

    /** What was taken last. */
    private final float[] host;

    private float stepScale = 1;

    /** @param scaling of the loss; absent: none */
    StepValues(GruBackend backend, @Nullable LossScaling scaling) {
        this.host = new float[LOSS_SCALE + (scaling == null ? 0 : LossScaling.STATE_LENGTH)];
        if (scaling != null) {
            System.arraycopy(scaling.initialState(), 0, host, LOSS_SCALE, LossScaling.STATE_LENGTH);
        }
        this.memory = backend.allocate(host.length);
        try {
            memory.upload(host);
            this.loss = memory.slice(LOSS, 1);
            this.squaredNorm = memory.slice(SQUARED_NORM, 1);
            this.lossScale = scaling == null ? null : memory.slice(LOSS_SCALE, LossScaling.STATE_LENGTH);
            while (readbacks.size() < MOST) {
                readbacks.add(backend.allocateReadback(host.length));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** (1). */
    FloatMemory loss() {
        return loss;
    }

    /** (1). */
    FloatMemory squaredNorm() {
        return squaredNorm;
    }

    /** The state of {@link LossScaling}; absent: the loss is not scaled. */
    @Nullable
    FloatMemory lossScale() {
        return lossScale;
    }

    /** Steps that were sent and not taken. */
    int underWay() {
        return underWay.size();
    }

    /** Lets the numbers of a step come, all of whose work was given; less than {@value #MOST} are under way. */
    void send(Given step) {
        readback(step).copy(memory, 0, 0, host.length);
        underWay.add(step);
    }

    /** Whether {@link #take} would return at once. */
    boolean isOldestDone() {
        Given oldest = underWay.peek();
        return oldest != null && readback(oldest).isDone();
    }

    /** Waits for the oldest step under way; the numbers below are this step's from now on. */
    Given take() {
        Given step = underWay.remove();
        stepScale = nextScale();
        readback(step).get(0, host, 0, host.length);
        return step;
    }

    private FloatReadback readback(Given step) {
        return readbacks.get((int) (step.step() % MOST));
    }

    /** Forgets the steps under way and fetches the state as a checkpoint left it. */
    void downloadRestored() {
        underWay.clear();
        memory.download(0, host, 0, host.length);
    }

    /** Loss of the step, without the scale. */
    float lossOfStep() {
        return host[LOSS];
    }

    /** Norm of the gradient without the scale, before clipping; NaN in a skipped step. */
    double gradientNorm() {
        return Math.sqrt(host[SQUARED_NORM]);
    }

    /** What the loss of the step was multiplied by; 1 without scaling. */
    float scaleOfStep() {
        return stepScale;
    }

    /** Whether the step overflowed, so that it changed nothing. */
    boolean isSkipped() {
        return lossScale != null && host[LOSS_SCALE + LossScaling.UNSCALE] == 0;
    }

    /** Steps skipped so far. */
    long skippedSteps() {
        return lossScale == null ? 0 : (long) host[LOSS_SCALE + LossScaling.SKIPPED_STEPS];
    }

    private float nextScale() {
        return lossScale == null ? 1 : host[LOSS_SCALE + LossScaling.SCALE];
    }

    @Override
    public void close() {
        try {
            readbacks.forEach(FloatReadback::close);
        } finally {
            memory.close();
        }
    }
}
