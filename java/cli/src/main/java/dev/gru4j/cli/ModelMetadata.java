package dev.gru4j.cli;

import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.WeightFileException;
import dev.gru4j.training.data.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What stands beside the parameters in a weight file: which kind of model they belong to, its sizes and
 * characters. Keys carry the prefix {@code gru4j.}, so that other programs' entries are left alone.
 *
 * @param file for messages
 * @param entries without the prefix
 */
record ModelMetadata(Path file, Map<String, String> entries) {
    private static final String PREFIX = "gru4j.";
    private static final String KIND = "kind";

    /** An empty one for a model of that kind, to be filled. */
    static ModelMetadata of(Path file, String kind) {
        return new ModelMetadata(file, new TreeMap<>()).put(KIND, kind);
    }

    /**
     * Reads a weight file's metadata.
     *
     * @throws WeightFileException if the file is damaged or holds a model of another kind
     */
    static ModelMetadata read(Path file, String kind) throws IOException {
        ModelMetadata metadata = new ModelMetadata(file, new TreeMap<>());
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            opened.metadata().forEach((key, value) -> {
                if (key.startsWith(PREFIX)) {
                    metadata.put(key.substring(PREFIX.length()), value);
                }
            });
        }
        String found = metadata.entries.get(KIND);
        if (!kind.equals(found)) {
            throw new WeightFileException(file + " holds "
                    + (found == null ? "no model of this program" : "a " + found) + "; a " + kind + " expected");
        }
        return metadata;
    }

    ModelMetadata put(String key, Object value) {
        entries.put(key, value.toString());
        return this;
    }

    String text(String key) throws WeightFileException {
        String value = entries.get(key);
        if (value == null) {
            throw new WeightFileException(file + " has no metadata entry '" + PREFIX + key + "'");
        }
        return value;
    }

    int integer(String key) throws WeightFileException {
        String value = text(key);
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new WeightFileException(
                    file + ": metadata entry '" + PREFIX + key + "' is '" + value + "'; an integer expected");
        }
    }

    Vocabulary vocabulary(String key) throws WeightFileException {
        try {
            return Vocabulary.ofCharacters(text(key));
        } catch (IllegalArgumentException e) {
            throw new WeightFileException(file + ": metadata entry '" + PREFIX + key + "': " + e.getMessage());
        }
    }

    /** As a weight file keeps it. */
    Map<String, String> prefixed() {
        Map<String, String> prefixed = new TreeMap<>();
        entries.forEach((key, value) -> prefixed.put(PREFIX + key, value));
        return prefixed;
    }
}
