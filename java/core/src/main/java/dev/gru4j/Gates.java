package dev.gru4j;

/**
 * The order of the gates in every block of 3H rows: reset, update, candidate (r, z, n), the order
 * of PyTorch and cuDNN. The first row of a gate's block is {@code gate * H}.
 */
public final class Gates {
    /** Reset gate r. */
    public static final int RESET = 0;

    /** Update gate z. */
    public static final int UPDATE = 1;

    /** Candidate n. */
    public static final int CANDIDATE = 2;

    /** Number of gates. */
    public static final int COUNT = 3;

    /**
     * Slot of the recurrent candidate term gh_n = W_hn·h + b_hn in the reserve of a reset-after
     * cell, behind r, z and n.
     */
    public static final int RECURRENT_CANDIDATE = 3;

    private Gates() {}
}
