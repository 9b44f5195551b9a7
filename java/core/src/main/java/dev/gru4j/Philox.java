package dev.gru4j;

/**
 * Philox4x32-10, the counter-based random number generator of Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3" (SC 2011). A number is a pure function of key and counter, so every
 * backend and every thread draws the same one without any state.
 *
 * <p>Dropout masks: key = seed; counter = (unit/4 + 2^24·layer, row, t, iteration); word
 * {@code unit mod 4} of the block decides. A feature is kept when {@code u ≥ p}, with u the word's
 * upper 24 bits times 2^−24, and then scaled by 1/(1 − p). The mask of a row depends on neither
 * batch size nor thread count.
 */
public final class Philox {
    /** Multipliers of the two lanes. */
    private static final int M0 = 0xD2511F53;

    private static final int M1 = 0xCD9E8D57;

    /** Key increments: golden ratio and √3 − 1. */
    private static final int W0 = 0x9E3779B9;

    private static final int W1 = 0xBB67AE85;

    private static final int ROUNDS = 10;

    private static final int LAYER_SHIFT = 24;

    private Philox() {}

    /** Writes the four words of the block at counter (c0, c1, c2, c3) under {@code key} to {@code out}. */
    public static void block(int c0, int c1, int c2, int c3, long key, int[] out) {
        int x0 = c0;
        int x1 = c1;
        int x2 = c2;
        int x3 = c3;
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = Integer.toUnsignedLong(M0) * Integer.toUnsignedLong(x0);
            long product1 = Integer.toUnsignedLong(M1) * Integer.toUnsignedLong(x2);
            int y0 = (int) (product1 >>> 32) ^ x1 ^ k0;
            int y1 = (int) product1;
            int y2 = (int) (product0 >>> 32) ^ x3 ^ k1;
            int y3 = (int) product0;
            x0 = y0;
            x1 = y1;
            x2 = y2;
            x3 = y3;
            k0 += W0;
            k1 += W1;
        }
        out[0] = x0;
        out[1] = x1;
        out[2] = x2;
        out[3] = x3;
    }

    /**
     * Writes the dropout scales, each 0 or 1/(1 − p), of the features of one row at one step.
     *
     * @param p dropout probability in [0, 1)
     * @param seed key of the generator
     * @param iteration training step; its low 32 bits count
     * @param layer the layer whose output is dropped, below {@link GruSpec#MAX_LAYERS}
     * @param scales receives one float per feature, its length below 2^26
     */
    public static void dropoutScales(
            float p, long seed, long iteration, int layer, int t, int row, float[] scales) {
        dropoutScales(p, seed, iteration, layer, t, row, scales, new int[4]);
    }

    /**
     * The same for a caller who allocates nothing for each row.
     *
     * @param words overwritten, 4 of them
     */
    public static void dropoutScales(
            float p, long seed, long iteration, int layer, int t, int row, float[] scales, int[] words) {
        float keep = 1f / (1f - p);
        for (int unit = 0; unit < scales.length; unit++) {
            if ((unit & 3) == 0) {
                block((unit >>> 2) | (layer << LAYER_SHIFT), row, t, (int) iteration, seed, words);
            }
            scales[unit] = toUnitInterval(words[unit & 3]) >= p ? keep : 0f;
        }
    }

    /** The upper 24 bits of a word as a float in [0, 1). */
    public static float toUnitInterval(int word) {
        return (word >>> 8) * 0x1p-24f;
    }
}
