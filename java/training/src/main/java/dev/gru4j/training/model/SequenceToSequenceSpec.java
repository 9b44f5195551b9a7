package dev.gru4j.training.model;

import dev.gru4j.Directions;
import dev.gru4j.GruSpec;
import java.util.Map;
import java.util.TreeMap;

/**
 * A sequence-to-sequence model (Cho et al. 2014, arXiv 1406.1078; Sutskever et al. 2014, arXiv
 * 1409.3215): the encoder's last states are the decoder's first ones.
 *
 * @param sourceVocabulary number of source tokens
 * @param targetVocabulary number of target tokens, the boundary token among them
 * @param embeddingSize width of both embeddings
 * @param hiddenSize H of the decoder; even if the encoder is bidirectional, which then has H/2 per direction
 * @param layers of encoder and decoder
 * @param bidirectional whether the encoder reads both ways
 * @param dropout between the layers of either
 */
public record SequenceToSequenceSpec(
        int sourceVocabulary,
        int targetVocabulary,
        int embeddingSize,
        int hiddenSize,
        int layers,
        boolean bidirectional,
        float dropout) {
    public SequenceToSequenceSpec {
        if (sourceVocabulary < 1 || targetVocabulary < 1) {
            throw new IllegalArgumentException("vocabularies have " + sourceVocabulary + " and " + targetVocabulary
                    + " tokens; at least 1 each expected");
        }
        if (bidirectional && hiddenSize % 2 != 0) {
            throw new IllegalArgumentException("hiddenSize is " + hiddenSize
                    + "; an even number expected: each direction of the encoder has half of it");
        }
    }

    /** The encoder's stack. */
    public GruSpec encoder() {
        GruSpec spec = GruSpec.of(embeddingSize, bidirectional ? hiddenSize / 2 : hiddenSize)
                .withLayers(layers)
                .withDropout(dropout);
        return bidirectional ? spec.withDirections(Directions.BIDIRECTIONAL) : spec;
    }

    /** The decoder's stack. */
    public GruSpec decoder() {
        return GruSpec.of(embeddingSize, hiddenSize).withLayers(layers).withDropout(dropout);
    }

    /** As name and value. */
    public Map<String, String> configuration() {
        return new TreeMap<>(Map.of(
                "model", "sequence-to-sequence",
                "source_vocabulary", Integer.toString(sourceVocabulary),
                "target_vocabulary", Integer.toString(targetVocabulary),
                "encoder", encoder().toString(),
                "decoder", decoder().toString()));
    }
}
