package dev.gru4j.training.model;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import java.util.Map;
import java.util.TreeMap;

/**
 * A language model: embedding → GRU → dense head.
 *
 * @param vocabulary number of tokens, ids 0 … vocabulary−1
 * @param gru the stack, forward only; its input size is the width of the embedding
 */
public record LanguageModelSpec(int vocabulary, GruSpec gru) {
    public LanguageModelSpec {
        if (vocabulary < 1) {
            throw new IllegalArgumentException("vocabulary is " + vocabulary + " tokens; at least 1 expected");
        }
        if (gru.directions() != Directions.FORWARD) {
            throw new IllegalArgumentException("directions is " + gru.directions()
                    + "; FORWARD expected: a language model must not read what it predicts");
        }
    }

    /** Reset-after cells with two biases. */
    public static LanguageModelSpec of(int vocabulary, int embeddingSize, int hiddenSize, int layers, float dropout) {
        return new LanguageModelSpec(
                vocabulary,
                GruSpec.of(embeddingSize, hiddenSize).withLayers(layers).withDropout(dropout));
    }

    /** As name and value. */
    public Map<String, String> configuration() {
        return new TreeMap<>(Map.of(
                "model", "language-model", "vocabulary", Integer.toString(vocabulary), "gru", gru.toString()));
    }
}
