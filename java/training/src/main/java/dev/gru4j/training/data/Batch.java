package dev.gru4j.training.data;

/** What one training step learns from. Immutable by convention: no one writes to its arrays. */
public interface Batch {
    /** Sequence length T: steps of the longest row. */
    int T();

    /** Batch size B: rows. */
    int B();

    /** Number of targets, the terms of the loss. */
    long targetCount();
}
