package dev.gru4j.reference;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.HostFloatMemory;
import dev.gru4j.backend.HostIntMemory;
import dev.gru4j.backend.IntMemory;
import java.util.Random;

/** Memory for the tests of kernels and plans. */
final class KernelMemory {
    private KernelMemory() {}

    static FloatMemory floats(float... values) {
        return HostFloatMemory.wrap(values);
    }

    static FloatMemory floats(double... values) {
        FloatMemory memory = HostFloatMemory.allocate(values.length);
        for (int k = 0; k < values.length; k++) {
            memory.upload(k, new float[] {(float) values[k]}, 0, 1);
        }
        return memory;
    }

    static FloatMemory zeros(int count) {
        return HostFloatMemory.allocate(count);
    }

    static IntMemory ints(int... values) {
        IntMemory memory = HostIntMemory.allocate(values.length);
        memory.upload(0, values, 0, values.length);
        return memory;
    }

    /** Floats in [−1, 1). */
    static FloatMemory uniform(Random random, int count) {
        return floats(Problem.uniform(random, count));
    }

    static double[] doubles(FloatMemory memory) {
        float[] floats = memory.toArray();
        double[] doubles = new double[floats.length];
        for (int k = 0; k < floats.length; k++) {
            doubles[k] = floats[k];
        }
        return doubles;
    }
}
