package dev.gru4j.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The parameters of a model alone, as a safetensors file under their own names. */
@SuppressWarnings({"DoNotCallSuggester", "unused"})
public final class ParameterFiles {
    private ParameterFiles() {}

    /** Writes atomically; {@code metadata} becomes the file's {@code __metadata__}. */
    public static void write(ParameterSet parameters, Map<String, String> metadata, Path file) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads all parameters. The model must be told by {@link TrainableModel#parametersChanged}.
     *
     * @throws CheckpointException if the file is missing or damaged, or a tensor is missing or has another shape
     */
    public static void read(ParameterSet parameters, Path file) throws CheckpointException {
        throw new UnsupportedOperationException();
    }
}
