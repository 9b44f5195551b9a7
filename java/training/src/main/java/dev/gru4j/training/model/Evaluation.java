package dev.gru4j.training.model;

/**
 * Cross-entropy of a model on a set of sequences.
 *
 * @param nats sum over all targets
 * @param targets number of targets
 */
public record Evaluation(double nats, long targets) {
    /** Mean over the targets, in nats. */
    public double natsPerTarget() {
        return nats / targets;
    }

    /** Mean over the targets, in bits. */
    public double bitsPerTarget() {
        return nats / (targets * Math.log(2));
    }
}
