package dev.gru4j.benchmarks.comparison;

/** A cell ready to run. One thread calls all methods. */
public interface Prepared extends AutoCloseable {
    /**
     * One call, complete when it returns. Inference: forward, y and hT. Training: all weights taken over as if they had
     * changed, packing included, then forward, then dx, dh0 and the gradients of all weights and biases, not added to
     * those of the call before.
     */
    void run();

    /** What the last run computed, in gru4j's layouts. Not timed: conversions belong here. */
    Results results();

    @Override
    void close();
}
