package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.LossScaling;
import org.jspecify.annotations.Nullable;

/**
 * The few numbers of a step that the host wants to know, in one row on the backend, so that one small copy brings them:
 * loss, squared norm of the gradient and, where the loss is scaled, the state of {@link LossScaling}.
 */
final class StepValues implements AutoCloseable {
    private static final int LOSS = 0;
    private static final int SQUARED_NORM = 1;
    private static final int LOSS_SCALE = 2;

    private final FloatMemory memory;
    private final FloatMemory loss;
    private final FloatMemory squaredNorm;
    private final @Nullable FloatMemory lossScale;

    /** What was downloaded last. */
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
        } catch (RuntimeException | Error e) {
            memory.close();
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

    /** Waits for the step and fetches its numbers; to be called once for each step. */
    void download() {
        stepScale = nextScale();
        memory.download(0, host, 0, host.length);
    }

    /** Fetches the state as a checkpoint left it. */
    void downloadRestored() {
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
        memory.close();
    }
}
