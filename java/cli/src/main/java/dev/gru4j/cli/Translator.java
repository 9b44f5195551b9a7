package dev.gru4j.cli;

import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.ParameterFiles;
import dev.gru4j.training.data.Vocabulary;
import dev.gru4j.training.model.SequenceToSequence;
import dev.gru4j.training.model.SequenceToSequenceSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** An encoder-decoder with the characters of its two sides: text in, text out. Closes its model. */
final class Translator implements AutoCloseable {
    /** Candidates kept in the beam search. */
    static final int BEAM_WIDTH = 4;

    private static final String KIND = "sequence-to-sequence";
    private static final String SOURCE_CHARACTERS = "source-characters";
    private static final String TARGET_CHARACTERS = "target-characters";
    private static final String LAYERS = "layers";
    private static final String HIDDEN = "hidden";
    private static final String EMBEDDING = "embedding";
    private static final String MAX_SOURCE = "max-source";
    private static final String MAX_TARGET = "max-target";

    private final SequenceToSequence model;
    private final Vocabulary source;
    private final Vocabulary target;
    private final int maxSourceT;
    private final int maxTargetT;

    /**
     * @param maxSourceT longest source the model takes, in characters
     * @param maxTargetT longest target, in characters, the boundary included
     */
    Translator(
            GruBackend backend,
            Vocabulary source,
            Vocabulary target,
            int embedding,
            int hidden,
            int layers,
            float dropout,
            int maxSourceT,
            int maxTargetT,
            int maxB) {
        var spec = new SequenceToSequenceSpec(source.size(), target.size(), embedding, hidden, layers, true, dropout);
        this.model = new SequenceToSequence(backend, spec, maxSourceT, maxTargetT, Math.max(maxB, BEAM_WIDTH));
        this.source = source;
        this.target = target;
        this.maxSourceT = maxSourceT;
        this.maxTargetT = maxTargetT;
    }

    /** A translator with the parameters of a file that {@link #write} wrote. */
    static Translator read(GruBackend backend, Path file) throws IOException {
        ModelMetadata metadata = ModelMetadata.read(file, KIND);
        Translator translator = new Translator(
                backend,
                metadata.vocabulary(SOURCE_CHARACTERS),
                metadata.vocabulary(TARGET_CHARACTERS),
                metadata.integer(EMBEDDING),
                metadata.integer(HIDDEN),
                metadata.integer(LAYERS),
                0f,
                metadata.integer(MAX_SOURCE),
                metadata.integer(MAX_TARGET),
                BEAM_WIDTH);
        try {
            ParameterFiles.read(translator.model.parameters(), file);
            translator.model.parametersChanged();
            return translator;
        } catch (IOException | RuntimeException | Error e) {
            translator.close();
            throw e;
        }
    }

    void write(Path file) throws IOException {
        SequenceToSequenceSpec spec = model.spec();
        ModelMetadata metadata = ModelMetadata.of(file, KIND)
                .put(SOURCE_CHARACTERS, source.characters())
                .put(TARGET_CHARACTERS, target.characters())
                .put(LAYERS, spec.layers())
                .put(HIDDEN, spec.hiddenSize())
                .put(EMBEDDING, spec.embeddingSize())
                .put(MAX_SOURCE, maxSourceT)
                .put(MAX_TARGET, maxTargetT);
        ParameterFiles.write(model.parameters(), metadata.prefixed(), file);
    }

    SequenceToSequence model() {
        return model;
    }

    /** Translations in the order of the sources, none of which is empty. */
    List<String> translate(List<String> sources) {
        List<int[]> tokens = sources.stream().map(source::encode).toList();
        return model.translate(tokens, Vocabulary.END, maxTargetT - 1, BEAM_WIDTH).stream()
                .map(target::decode)
                .toList();
    }

    /** Why a line cannot be translated, or what to know about it; empty: nothing. */
    String objection(String line) {
        int length = line.codePointCount(0, line.length());
        if (length > maxSourceT) {
            return "the line has " + length + " characters; at most " + maxSourceT + " expected";
        }
        return "";
    }

    /** The characters of a line that the training part does not have, each once. */
    String unknownCharacters(String line) {
        StringBuilder unknown = new StringBuilder();
        line.codePoints()
                .filter(c -> source.id(c) == Vocabulary.UNKNOWN)
                .distinct()
                .forEach(unknown::appendCodePoint);
        return unknown.toString();
    }

    @Override
    public void close() {
        model.close();
    }
}
