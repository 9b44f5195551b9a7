package dev.gru4j.simd;

import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;

/** The vector widths that this machine runs. */
final class Widths {
    private Widths() {}

    static int[] available() {
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        return IntStream.of(128, 256, 512).filter(bits -> bits <= widest).toArray();
    }
}
