package dev.gru4j.simd;

import dev.gru4j.Philox;

/**
 * Dropout between layers: features, or their gradients, times the scales that {@link Philox} draws for
 * (iteration, layer, t, row, feature). Backward draws the same scales again instead of keeping them.
 */
final class SimdDropout implements SimdPool.Task {
    // Set by the plan before each run.
    SimdKernels kernels;
    SimdSchedule schedule;
    float probability;
    long seed;
    long iteration;
    int layer;

    /** (N,width), packed rows. */
    float[] features;

    int offset;
    int width;

    /** One row of scales per thread, and what the generator writes to. */
    private float[][] scales = new float[0][];

    private int[][] words = new int[0][];

    @SuppressWarnings("NullAway.Init") // Fields are the arguments of run.
    SimdDropout() {}

    /** Makes the rows of scales for a number of threads. */
    void prepare(int threads, int newWidth) {
        width = newWidth;
        if (scales.length < threads || scales[0].length != width) {
            scales = new float[threads][width];
            words = new int[threads][4];
        }
    }

    @Override
    public void run(int worker, SimdPool.Team team) {
        float[] mine = scales[worker];
        int end = team.share(schedule.packedRows, worker + 1);
        for (int row = team.share(schedule.packedRows, worker); row < end; row++) {
            int t = schedule.source[row] / schedule.B;
            int b = schedule.source[row] % schedule.B;
            Philox.dropoutScales(probability, seed, iteration, layer, t, b, mine, words[worker]);
            kernels.multiplyBy(features, offset + row * width, mine, width);
        }
    }
}
