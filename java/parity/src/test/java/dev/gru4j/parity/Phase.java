package dev.gru4j.parity;

import java.util.Locale;

/** The three things a backend does with a GRU, each a test of its own. */
enum Phase {
    /** Forward of an inference plan: y, hT. */
    INFERENCE,
    /** Forward of a training plan: y, hT, reserve. */
    TRAINING,
    /** Backward after it: dx, dh0 and the gradients of all parameters. */
    BACKWARD;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
