package dev.gru4j;

/** Which bias vectors a layer has. */
public enum BiasMode {
    /** {@code biasIh (3H)} and {@code biasHh (3H)}, as PyTorch, cuDNN and ONNX have them. */
    BOTH,
    /** {@code biasIh (3H)} only. */
    INPUT,
    /** No bias. */
    NONE;

    /** Whether a layer has {@code biasIh}. */
    public boolean hasInput() {
        return this != NONE;
    }

    /** Whether a layer has {@code biasHh}. */
    public boolean hasRecurrent() {
        return this == BOTH;
    }
}
