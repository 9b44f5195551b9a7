package dev.gru4j.training;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;

/**
 * The parameters of a model alone, as a safetensors file under their own names, with a checksum of its
 * content among the metadata.
 */
public final class ParameterFiles {
    private ParameterFiles() {}

    /** Replaces the file as a whole; {@code metadata} becomes part of its {@code __metadata__}. */
    public static void write(ParameterSet parameters, Map<String, String> metadata, Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            TensorFile content = TensorFile.create(arena, metadata);
            content.add(parameters);
            content.write(file);
        }
    }

    /**
     * Reads all parameters. The model must be told by {@link TrainableModel#parametersChanged}.
     *
     * @throws CheckpointException if the file is missing or damaged, or a tensor is missing or has another
     *     shape; the parameters are then as they were
     */
    public static void read(ParameterSet parameters, Path file) throws CheckpointException {
        TensorFile content = TensorFile.read(file);
        content.checkFits(parameters, file);
        content.upload(parameters);
    }

    /**
     * The metadata of a file, without its checksum.
     *
     * @throws CheckpointException if the file is missing or damaged
     */
    public static Map<String, String> metadata(Path file) throws CheckpointException {
        return Map.copyOf(TensorFile.read(file).metadata());
    }
}
