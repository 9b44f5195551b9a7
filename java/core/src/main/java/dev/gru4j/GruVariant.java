package dev.gru4j;

/**
 * The two forms of the candidate met in practice. They agree on the reset and update gates and on
 * the new state, and differ in where the reset gate enters.
 */
public enum GruVariant {
    /**
     * {@code n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn))}: PyTorch, cuDNN, the default of Keras,
     * {@code linear_before_reset = 1} in ONNX.
     */
    RESET_AFTER,

    /**
     * {@code n = tanh(W_in·x + b_in + W_hn·(r ⊙ h) + b_hn)}: Cho et al. 2014 (arXiv 1406.1078), the
     * default of ONNX, the vanilla GRU of oneDNN.
     */
    RESET_BEFORE;

    /** Number of (T,B,H) blocks that the backward pass needs: r, z, n and, reset-after, gh_n. */
    public int reserveGates() {
        return this == RESET_AFTER ? Gates.COUNT + 1 : Gates.COUNT;
    }
}
