package dev.gru4j;

import java.util.Objects;

/** In which directions of time a layer reads its input. */
public enum Directions {
    /** From the first step to the last. */
    FORWARD,
    /** From a row's last valid step to its first; outputs stay at their own time index. */
    REVERSE,
    /** Both, independently; the features of y are (forward, reverse), 2H wide. */
    BIDIRECTIONAL;

    /** D: 1 or 2. */
    public int count() {
        return this == BIDIRECTIONAL ? 2 : 1;
    }

    /** Whether direction {@code d} (below {@link #count()}) runs from the last step to the first. */
    public boolean isReverse(int d) {
        Objects.checkIndex(d, count());
        return this == REVERSE || d == 1;
    }
}
