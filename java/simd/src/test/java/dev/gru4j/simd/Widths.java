package dev.gru4j.simd;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;

/** The vector widths that this machine runs. */
final class Widths {
    private Widths() {}

    static int[] available() {
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        return IntStream.of(128, 256, 512).filter(bits -> bits <= widest).toArray();
    }

    /** The kernels of every width and, where the machine has 32 registers, those for 16 registers too. */
    static List<SimdKernels> kernels() {
        List<SimdKernels> all = new ArrayList<>();
        for (int bits : available()) {
            all.add(SimdKernels.of(bits));
            if (bits < 512 && SimdKernels.of(bits).shape.unitVectors() > 1) {
                all.add(SimdKernels.of(bits, bits, "amd64"));
            }
        }
        return all;
    }

    /** {@code simd/256}, or {@code simd/256 (16 registers)}. */
    static String name(SimdKernels kernels) {
        return "simd/" + kernels.bits + (kernels.shape.unitVectors() == 1 ? " (16 registers)" : "");
    }
}
