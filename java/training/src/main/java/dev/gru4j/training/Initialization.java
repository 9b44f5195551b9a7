package dev.gru4j.training;

import dev.gru4j.Philox;
import dev.gru4j.backend.FloatMemory;

/** Initial values of parameters, drawn by counter: a pure function of seed, tensor and index. */
final class Initialization {
    /** Keeps this stream apart from the dropout masks, which use the seed itself as key. */
    private static final long STREAM = 0x696E697469616C69L;

    /** Floats drawn and uploaded at a time. */
    private static final int CHUNK = 1 << 16;

    private Initialization() {}

    /** Uniform in [−bound, bound), bound as each tensor states it. */
    static void uniform(ParameterSet parameters, long seed) {
        int[] words = new int[4];
        float[] chunk = new float[CHUNK];
        int position = 0;
        for (ParameterSet.Tensor tensor : parameters.tensors()) {
            FloatMemory target = parameters.value(tensor.name());
            if (tensor.bound() == 0) {
                target.fill(0); // the formula below would give −0 as well
            }
            for (long from = 0; tensor.bound() > 0 && from < tensor.length(); from += CHUNK) {
                int count = (int) Math.min(CHUNK, tensor.length() - from);
                for (int i = 0; i < count; i++) {
                    long index = from + i;
                    if ((index & 3) == 0) {
                        long block = index >>> 2;
                        Philox.block((int) block, (int) (block >>> 32), position, 0, seed ^ STREAM, words);
                    }
                    float u = Philox.toUnitInterval(words[(int) (index & 3)]);
                    chunk[i] = (2 * u - 1) * tensor.bound();
                }
                target.upload(from, chunk, 0, count);
            }
            position++;
        }
    }
}
