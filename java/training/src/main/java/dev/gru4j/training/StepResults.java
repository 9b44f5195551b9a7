package dev.gru4j.training;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.backend.GruBackend;

/**
 * Steps that were given to the backend and not reported yet, oldest first, and their results on the way
 * to the host. With {@value #MOST} of them a GPU has the next step to do while the host looks at the
 * result of the last one; more would only make reports later.
 */
final class StepResults implements AutoCloseable {
    /** Steps under way at most. */
    static final int MOST = 2;

    private static final int LOSS = 0;
    private static final int SQUARED_NORM = 1;
    private static final int FLOATS = 2;

    /**
     * A step that was given.
     *
     * @param step its number, 0 for the first
     * @param learningRate of this step
     * @param targets number of targets in the batch
     * @param flops FLOP of this step
     */
    record Given(long step, float learningRate, long targets, long flops) {}

    /**
     * What it computed.
     *
     * @param loss mean loss of its batch, before the update
     * @param gradientNorm Euclidean norm of the gradient, before clipping
     */
    record Result(Given given, float loss, double gradientNorm) {}

    private final Given[] given = new Given[MOST];
    private final FloatReadback[] floats = new FloatReadback[MOST];
    private int oldest;
    private int count;

    StepResults(GruBackend backend) {
        boolean complete = false;
        try {
            for (int k = 0; k < MOST; k++) {
                floats[k] = backend.allocateReadback(FLOATS);
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /** Steps under way. */
    int count() {
        return count;
    }

    /** Adds a step, less than {@value #MOST} being under way, when all its work was given. */
    void add(Given step, FloatMemory loss, FloatMemory squaredNorm) {
        int k = (oldest + count) % MOST;
        floats[k].copy(loss, 0, LOSS, 1);
        floats[k].copy(squaredNorm, 0, SQUARED_NORM, 1);
        given[k] = step;
        count++;
    }

    /** Whether {@link #take} would return at once. */
    boolean isOldestDone() {
        return count > 0 && floats[oldest].isDone();
    }

    /** Waits for the oldest step's result and removes it. */
    Result take() {
        int k = oldest;
        oldest = (oldest + 1) % MOST;
        count--;
        return new Result(given[k], floats[k].get(LOSS), Math.sqrt(floats[k].get(SQUARED_NORM)));
    }

    /** Forgets all steps. */
    void clear() {
        count = 0;
    }

    @Override
    public void close() {
        for (FloatReadback readback : floats) {
            if (readback != null) { // not where the backend had no room for it
                readback.close();
            }
        }
    }
}
