package dev.gru4j.cli;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.training.ParameterFiles;
import dev.gru4j.training.data.Vocabulary;
import dev.gru4j.training.model.LanguageModel;
import dev.gru4j.training.model.LanguageModelSpec;
import java.io.IOException;
import java.nio.file.Path;

/** A language model as a safetensors file: parameters, and as metadata what is needed to use them. */
final class LanguageModelFile {
    private static final String KIND = "language-model";
    private static final String CHARACTERS = "characters";
    private static final String LAYERS = "layers";
    private static final String HIDDEN = "hidden";
    private static final String EMBEDDING = "embedding";

    private LanguageModelFile() {}

    static void write(LanguageModel model, Vocabulary vocabulary, Path file) throws IOException {
        GruSpec gru = model.spec().gru();
        ModelMetadata metadata = ModelMetadata.of(file, KIND)
                .put(CHARACTERS, vocabulary.characters())
                .put(LAYERS, gru.layers())
                .put(HIDDEN, gru.hiddenSize())
                .put(EMBEDDING, gru.inputSize());
        ParameterFiles.write(model.parameters(), metadata.prefixed(), file);
    }

    /** The characters a file's model knows. */
    static Vocabulary vocabulary(Path file) throws IOException {
        return ModelMetadata.read(file, KIND).vocabulary(CHARACTERS);
    }

    /** A model with the parameters of a file, for sampling. */
    static LanguageModel read(GruBackend backend, Path file) throws IOException {
        ModelMetadata metadata = ModelMetadata.read(file, KIND);
        LanguageModelSpec spec = LanguageModelSpec.of(
                metadata.vocabulary(CHARACTERS).size(),
                metadata.integer(EMBEDDING),
                metadata.integer(HIDDEN),
                metadata.integer(LAYERS),
                0f);
        LanguageModel model = new LanguageModel(backend, spec, 1, 1);
        try {
            ParameterFiles.read(model.parameters(), file);
            model.parametersChanged();
            return model;
        } catch (IOException | RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }
}
