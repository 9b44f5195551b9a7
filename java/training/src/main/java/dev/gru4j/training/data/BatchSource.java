package dev.gru4j.training.data;

import java.util.Map;

/**
 * Batches as a pure function of the step number: the same step gives the same batch, whatever was
 * asked before, from any thread. That makes a run repeatable and lets a resumed one go on where the
 * other stopped, with the step as the only position to remember.
 *
 * @param <B> kind of batch
 */
public interface BatchSource<B extends Batch> {
    /**
     * The batch of a step, made anew.
     *
     * @param step 0 or more; steps beyond an epoch go on with the next
     */
    B batch(long step);

    /** Steps that visit everything once. */
    long batchesPerEpoch();

    /** Largest T of any batch. */
    int maxT();

    /** Largest B of any batch. */
    int maxB();

    /** What the batches are made from, as name and value; a checkpoint only fits a source with the same. */
    Map<String, String> configuration();
}
