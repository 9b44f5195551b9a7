package dev.gru4j;

import java.util.Objects;

/**
 * What a (stacked, possibly bidirectional) GRU is, apart from the values of its parameters and from
 * the lengths and batches it is run on.
 *
 * <p>Layer 0 reads I features, every further layer the D·H features of the layer before it.
 *
 * @param inputSize I, at least 1
 * @param hiddenSize H, at least 1
 * @param layers L, at least 1
 * @param directions forward, reverse or both
 * @param variant where the reset gate enters the candidate
 * @param bias which bias vectors exist
 * @param dropout probability with which, in training, a feature passed from one layer to the next is
 *     zeroed; in [0, 1). The others are scaled by 1/(1 − dropout). Never applied to x or to y.
 */
public record GruSpec(
        int inputSize,
        int hiddenSize,
        int layers,
        Directions directions,
        GruVariant variant,
        BiasMode bias,
        float dropout) {

    /** Layers beyond this do not fit the counter of the dropout generator, see {@link Philox}. */
    public static final int MAX_LAYERS = 256;

    public GruSpec {
        if (inputSize < 1) {
            throw new IllegalArgumentException("inputSize is " + inputSize + "; at least 1 expected");
        }
        if (hiddenSize < 1) {
            throw new IllegalArgumentException("hiddenSize is " + hiddenSize + "; at least 1 expected");
        }
        if (layers < 1 || layers > MAX_LAYERS) {
            throw new IllegalArgumentException("layers is " + layers + "; 1 to " + MAX_LAYERS + " expected");
        }
        Objects.requireNonNull(directions, "directions");
        Objects.requireNonNull(variant, "variant");
        Objects.requireNonNull(bias, "bias");
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("dropout is " + dropout + "; a probability in [0, 1) expected");
        }
        if ((long) Gates.COUNT * hiddenSize > Integer.MAX_VALUE
                || (long) directions.count() * hiddenSize > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "hiddenSize is " + hiddenSize + "; 3·hiddenSize must stay below 2^31");
        }
    }

    /** One forward layer, reset-after, two biases, no dropout: PyTorch's {@code nn.GRU(I, H)}. */
    public static GruSpec of(int inputSize, int hiddenSize) {
        return new GruSpec(
                inputSize, hiddenSize, 1, Directions.FORWARD, GruVariant.RESET_AFTER, BiasMode.BOTH, 0f);
    }

    public GruSpec withLayers(int newLayers) {
        return new GruSpec(inputSize, hiddenSize, newLayers, directions, variant, bias, dropout);
    }

    public GruSpec withDirections(Directions newDirections) {
        return new GruSpec(inputSize, hiddenSize, layers, newDirections, variant, bias, dropout);
    }

    public GruSpec withVariant(GruVariant newVariant) {
        return new GruSpec(inputSize, hiddenSize, layers, directions, newVariant, bias, dropout);
    }

    public GruSpec withBias(BiasMode newBias) {
        return new GruSpec(inputSize, hiddenSize, layers, directions, variant, newBias, dropout);
    }

    public GruSpec withDropout(float newDropout) {
        return new GruSpec(inputSize, hiddenSize, layers, directions, variant, bias, newDropout);
    }

    /** Number of features layer {@code layer} reads: I for layer 0, D·H above. */
    public int layerInputSize(int layer) {
        Objects.checkIndex(layer, layers);
        return layer == 0 ? inputSize : outputSize();
    }

    /** Number of features of y: D·H. */
    public int outputSize() {
        return directions.count() * hiddenSize;
    }

    /** Number of (B,H) states in h0 and hT: L·D, direction fastest (PyTorch's order). */
    public int states() {
        return layers * directions.count();
    }

    /** {@code I13 H29 L2 BIDIRECTIONAL RESET_AFTER bias BOTH dropout 0.1}, for messages and logs. */
    @Override
    public String toString() {
        return "I" + inputSize + " H" + hiddenSize + " L" + layers + " " + directions + " " + variant + " bias "
                + bias + (dropout > 0 ? " dropout " + dropout : "");
    }
}
