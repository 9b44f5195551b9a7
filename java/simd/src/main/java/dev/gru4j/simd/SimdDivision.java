package dev.gru4j.simd;

import dev.gru4j.GruVariant;

/**
 * How many threads a call is worth, and how they divide it: by rows, which never meet between two steps, or, with few
 * rows for each, by hidden units, which meet in every step. No bit of a result depends on it.
 *
 * <p>The estimate: a thread does half the multiply-adds of a core with two FMA units at 4 GHz, which is what one row
 * reaches with its weights in the L2 cache, and threads that meet lose {@value #MEETING_NANOS} ns for each of them.
 * Both are rough; they have to be right only where one thread and several are about equally fast.
 */
final class SimdDivision {
    /** {@code always}: all threads for all but the smallest calls, which is what tests of the division need. */
    static final String PROPERTY = "gru4j.simd.division";

    /** Rows for each thread from which the work is split by rows. */
    static final int ROWS_PER_WORKER = 16;

    /** Of waiting for one another, for each thread: two of them need 200 to 300 ns, spinning. */
    static final int MEETING_NANOS = 130;

    /** Until the last thread has begun and the caller has noticed the last end. */
    private static final int HAND_OFF_NANOS = 2_000;

    /** Below that many multiply-adds, {@code always} does not count. */
    private static final long SMALL = 100_000;

    /** Several threads are taken where they should be that much faster: they keep cores from others. */
    private static final double LEAST_GAIN = 1.15;

    private final boolean isAlways;

    SimdDivision(boolean isAlways) {
        this.isAlways = isAlways;
    }

    /** As the property {@value #PROPERTY} has it. */
    static SimdDivision ofProperty() {
        String text = System.getProperty(PROPERTY, "");
        return switch (text) {
            case "", "auto" -> new SimdDivision(false);
            case "always" -> new SimdDivision(true);
            default -> throw new IllegalArgumentException(PROPERTY + " is '" + text + "'; auto or always expected");
        };
    }

    /** Whether so many workers split B rows; otherwise hidden units. */
    static boolean isByRows(int B, int workers) {
        return workers == 1 || B >= ROWS_PER_WORKER * workers;
    }

    /**
     * The number of threads for one pass.
     *
     * @param most threads that there are
     * @param multiplyAdds of all products of the pass
     * @param meetings times that threads meet, split by hidden units: {@link #meetings}
     */
    int threads(int most, int lanes, long multiplyAdds, int B, long meetings) {
        if (isAlways) {
            return multiplyAdds < SMALL ? 1 : most;
        }
        int best = 1;
        for (int n = 2; n <= most; n++) {
            if (nanos(n, lanes, multiplyAdds, B, meetings) < nanos(best, lanes, multiplyAdds, B, meetings)) {
                best = n;
            }
        }
        double alone = nanos(1, lanes, multiplyAdds, B, meetings);
        return alone < LEAST_GAIN * nanos(best, lanes, multiplyAdds, B, meetings) ? 1 : best;
    }

    /** Estimated time of a pass on n threads, in ns. */
    static double nanos(int n, int lanes, long multiplyAdds, int B, long meetings) {
        double alone = multiplyAdds / (4.0 * lanes);
        if (n == 1) {
            return alone;
        }
        return alone / n + HAND_OFF_NANOS + (isByRows(B, n) ? 0 : (double) meetings * MEETING_NANOS * n);
    }

    /** How often threads meet in T steps, split by hidden units: reset-before has two products a step. */
    static long meetings(GruVariant variant, int T) {
        return variant == GruVariant.RESET_AFTER ? T : 2L * T;
    }
}
