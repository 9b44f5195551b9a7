package dev.gru4j.backend;

/**
 * How the loss is scaled while a model is trained with products in fp16 (Micikevicius et al. 2018, arXiv 1710.03740):
 * the gradient of the loss is multiplied by a scale before it goes back through the model, so that small gradients do
 * not vanish where operands are rounded to fp16, and divided by it where the parameters are changed.
 *
 * <p>A step <em>overflows</em> when any element of the scaled gradient is infinite or NaN. It is skipped then: the
 * optimizer changes nothing, the step is counted, and the scale is halved. After {@code growthInterval} steps in a row
 * without an overflow the scale is doubled. All of it happens where the backend computes; nobody waits for it.
 *
 * <p>Scales are powers of two, so scaling by itself rounds nothing: where neither the scaled nor the plain gradient
 * leaves the range of fp32, both give the same bits.
 *
 * <p><b>The state</b> lies in a {@link FloatMemory} of {@value #STATE_LENGTH} floats:
 *
 * <pre>
 *   [0] scale of the next loss
 *   [1] steps without an overflow since the scale last changed
 *   [2] steps skipped, exact up to 2^24, where the count stays
 *   [3] what the optimizer multiplies the last step's gradient by: 1/scale, or 0 in a skipped step
 * </pre>
 *
 * @param initial scale of the first loss
 * @param smallest the scale is never halved below it
 * @param largest the scale is never doubled beyond it
 * @param growthInterval steps without an overflow after which the scale is doubled, 1 to 2^24
 */
public record LossScaling(float initial, float smallest, float largest, int growthInterval) {
    /** Floats of the state. */
    public static final int STATE_LENGTH = 4;

    /** Index of the next loss's scale in the state. */
    public static final int SCALE = 0;

    /** Index of the steps without an overflow. */
    public static final int CLEAN_STEPS = 1;

    /** Index of the count of skipped steps. */
    public static final int SKIPPED_STEPS = 2;

    /** Index of the factor of the last step's gradient. */
    public static final int UNSCALE = 3;

    /** Floats count exactly so far. */
    private static final int LARGEST_COUNT = 1 << 24;

    /**
     * From 65536, between 1 and 2^24, doubled after 2000 steps. At 2^24 a gradient of 2^−48 still is the smallest number
     * of fp16; a gradient that overflows at 1 is none that scaling could help.
     */
    public static final LossScaling DYNAMIC = new LossScaling(0x1p16f, 1, 0x1p24f, 2000);

    public LossScaling {
        checkScale("initial", initial);
        checkScale("smallest", smallest);
        checkScale("largest", largest);
        if (smallest > initial || initial > largest) {
            throw new IllegalArgumentException(
                    "initial is " + initial + ", smallest " + smallest + ", largest " + largest
                            + "; smallest ≤ initial ≤ largest expected");
        }
        if (growthInterval < 1 || growthInterval > LARGEST_COUNT) {
            throw new IllegalArgumentException(
                    "growthInterval is " + growthInterval + "; 1 to " + LARGEST_COUNT + " steps expected");
        }
    }

    /** One scale for the whole run. Overflowed steps are skipped and counted all the same. */
    public static LossScaling fixed(float scale) {
        return new LossScaling(scale, scale, scale, DYNAMIC.growthInterval());
    }

    /** Another first scale; {@code largest} becomes as large where it is not. */
    public LossScaling withInitial(float newInitial) {
        return new LossScaling(newInitial, smallest, Math.max(largest, newInitial), growthInterval);
    }

    public LossScaling withGrowthInterval(int steps) {
        return new LossScaling(initial, smallest, largest, steps);
    }

    /** Whether the scale never changes. */
    public boolean isFixed() {
        return smallest == largest;
    }

    /** One line for people and checkpoints, which tells any two apart. */
    public String description() {
        return isFixed()
                ? "fixed at " + text(initial)
                : "from " + text(initial) + ", " + text(smallest) + " to " + text(largest) + ", doubled after "
                        + growthInterval + " steps";
    }

    /** Without the exponent that floats get from 10^7 on, where that is possible. */
    private static String text(float scale) {
        return scale >= 1 && scale <= LARGEST_COUNT ? Integer.toString((int) scale) : Float.toString(scale);
    }

    /** The state before the first step. */
    public float[] initialState() {
        float[] state = new float[STATE_LENGTH];
        state[SCALE] = initial;
        state[UNSCALE] = 1 / initial;
        return state;
    }

    /**
     * The state after a step, in place; for backends whose memory is the host's.
     *
     * @param sumOfSquares Σ g² of the step's scaled gradient, not finite exactly if an element of g is not
     * @return squared norm of the gradient without the scale; NaN in a skipped step
     */
    public float advance(HostFloatMemory state, double sumOfSquares) {
        float[] s = state.array();
        int at = state.offset();
        float scale = s[at + SCALE];
        if (!Double.isFinite(sumOfSquares)) {
            s[at + SCALE] = Math.max(smallest, 0.5f * scale);
            s[at + CLEAN_STEPS] = 0;
            s[at + SKIPPED_STEPS] += 1;
            s[at + UNSCALE] = 0;
            return Float.NaN;
        }
        double unscale = 1.0 / scale;
        boolean grows = s[at + CLEAN_STEPS] + 1 >= growthInterval;
        s[at + SCALE] = grows ? Math.min(largest, 2 * scale) : scale;
        s[at + CLEAN_STEPS] = grows ? 0 : s[at + CLEAN_STEPS] + 1;
        s[at + UNSCALE] = (float) unscale;
        return (float) (sumOfSquares * unscale * unscale);
    }

    /** A power of two whose inverse is a normal float, too. */
    private static void checkScale(String name, float scale) {
        boolean isPowerOfTwo = (Float.floatToRawIntBits(scale) & 0x807fffff) == 0;
        if (!isPowerOfTwo || !(scale >= Float.MIN_NORMAL && scale <= 1 / Float.MIN_NORMAL)) {
            throw new IllegalArgumentException(
                    name + " is " + scale + "; a power of two such as 1024, from 2^−126 to 2^126, expected");
        }
    }
}
