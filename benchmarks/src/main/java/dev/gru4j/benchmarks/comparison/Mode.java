package dev.gru4j.benchmarks.comparison;

import java.util.Locale;

/** What one call of a cell does. */
public enum Mode {
    /** Forward, with weights that do not change. */
    INFERENCE,

    /** A training step without its optimizer: changed weights taken over, forward, all gradients. */
    TRAINING;

    /**
     * The mode of that name, as options and files write it.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Mode of(String name) {
        for (Mode mode : values()) {
            if (mode.toString().equals(name)) {
                return mode;
            }
        }
        throw new IllegalArgumentException("mode is '" + name + "'; inference or training expected");
    }

    /** {@code inference} or {@code training}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
