package dev.gru4j.training;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.io.AtomicFile;
import dev.gru4j.io.DType;
import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.SafetensorsWriter;
import dev.gru4j.io.TensorInfo;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file of floats whose metadata holds a CRC-32C of everything else: names, shapes, values
 * and the other metadata. Read into memory as a whole and checked, so that a damaged file is refused
 * before anything is taken from it.
 */
final class TensorFile {
    private static final String CHECKSUM = "checksum";

    private static final ValueLayout.OfFloat LITTLE_ENDIAN_FLOAT =
            JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bytes given to the checksum at a time: a buffer cannot be longer than 2^31 − 1. */
    private static final long CHUNK_BYTES = 1 << 24;

    /**
     * One tensor.
     *
     * @param values floats, little-endian
     */
    private record Entry(List<Long> shape, MemorySegment values) {}

    /** Where the values lie. */
    private final Arena arena;

    private final Map<String, String> metadata;
    private final Map<String, Entry> entries;

    private TensorFile(Arena arena, Map<String, String> metadata, Map<String, Entry> entries) {
        this.arena = arena;
        this.metadata = metadata;
        this.entries = entries;
    }

    /** An empty file, to be filled and written while {@code arena}, which takes the values, is open. */
    static TensorFile create(Arena arena, Map<String, String> metadata) {
        return new TensorFile(arena, new TreeMap<>(metadata), new LinkedHashMap<>());
    }

    /** Adds a copy of a memory's floats. */
    void add(String name, List<Long> shape, FloatMemory memory) {
        MemorySegment values = arena.allocate(memory.length() * Float.BYTES, Float.BYTES);
        memory.download(0, values);
        turn(values, JAVA_FLOAT_UNALIGNED, LITTLE_ENDIAN_FLOAT);
        entries.put(name, new Entry(shape, values));
    }

    /** Adds all values of a parameter set under their own names. */
    void add(ParameterSet parameters) {
        for (ParameterSet.Tensor tensor : parameters.tensors()) {
            add(tensor.name(), shapeOf(tensor), parameters.value(tensor.name()));
        }
    }

    /** The first value that is not finite, as a sentence; absent: all are. */
    @Nullable
    String firstNonFinite() {
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            MemorySegment values = e.getValue().values();
            long count = values.byteSize() / Float.BYTES;
            for (long i = 0; i < count; i++) {
                float value = values.getAtIndex(LITTLE_ENDIAN_FLOAT, i);
                if (!Float.isFinite(value)) {
                    return e.getKey() + " has " + value + " at " + i;
                }
            }
        }
        return null;
    }

    /** Replaces the file as a whole, see {@link AtomicFile}. */
    void write(Path file) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        metadata.forEach(writer::metadata);
        writer.metadata(CHECKSUM, checksum());
        entries.forEach((name, e) -> writer.bytes(
                name,
                DType.F32,
                e.shape().stream().mapToLong(Long::longValue).toArray(),
                e.values()));
        writer.write(file);
    }

    /** Reads a whole file and checks it. */
    static TensorFile read(Path path) throws CheckpointException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Arena arena = Arena.ofAuto(); // for as long as the result is in use
            Map<String, Entry> entries = new LinkedHashMap<>();
            for (TensorInfo tensor : file.tensors()) {
                if (tensor.dtype() != DType.F32) {
                    throw new CheckpointException(path + ": tensor '" + tensor.name() + "' has dtype "
                            + tensor.dtype() + "; F32 expected");
                }
                MemorySegment values = arena.allocate(tensor.bytes(), Float.BYTES);
                values.copyFrom(file.bytes(tensor.name()));
                entries.put(tensor.name(), new Entry(tensor.shape(), values));
            }
            Map<String, String> metadata = new TreeMap<>(file.metadata());
            String found = metadata.remove(CHECKSUM);
            TensorFile read = new TensorFile(arena, metadata, entries);
            String computed = read.checksum();
            if (!computed.equals(found)) {
                throw new CheckpointException(path + " is damaged: its checksum is "
                        + (found == null ? "absent" : found) + "; its content has " + computed);
            }
            return read;
        } catch (CheckpointException e) {
            throw e;
        } catch (NoSuchFileException e) {
            throw new CheckpointException(path + " does not exist", e);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** All metadata but the checksum. */
    Map<String, String> metadata() {
        return metadata;
    }

    /**
     * What keeps a tensor from being taken for one of that shape.
     *
     * @return the end of a sentence that begins with the file; absent: it fits
     */
    @Nullable
    String misfit(String name, List<Long> shape) {
        Entry entry = entries.get(name);
        if (entry == null) {
            return "has no tensor '" + name + "'; it has " + entries.keySet();
        }
        if (!entry.shape().equals(shape)) {
            return "has tensor '" + name + "' of shape " + entry.shape() + "; " + shape + " expected";
        }
        return null;
    }

    /** Throws unless every parameter is there with its shape. */
    void checkFits(ParameterSet parameters, Path path) throws CheckpointException {
        for (ParameterSet.Tensor tensor : parameters.tensors()) {
            String misfit = misfit(tensor.name(), shapeOf(tensor));
            if (misfit != null) {
                throw new CheckpointException(path + " " + misfit);
            }
        }
    }

    /** Copies a tensor, which must be there, to {@code memory}. */
    void upload(String name, FloatMemory memory) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("no tensor '" + name + "'");
        }
        MemorySegment values = entry.values();
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            values = Arena.ofAuto().allocate(values.byteSize(), Float.BYTES).copyFrom(values);
            turn(values, LITTLE_ENDIAN_FLOAT, JAVA_FLOAT_UNALIGNED);
        }
        memory.upload(0, values);
    }

    /** Copies all parameters, which must be there. */
    void upload(ParameterSet parameters) {
        for (ParameterSet.Tensor tensor : parameters.tensors()) {
            upload(tensor.name(), parameters.value(tensor.name()));
        }
    }

    private static List<Long> shapeOf(ParameterSet.Tensor tensor) {
        return tensor.shape().stream().map(Integer::longValue).toList();
    }

    /** Changes the byte order of all floats in place; nothing to do where both are the same. */
    private static void turn(MemorySegment values, ValueLayout.OfFloat from, ValueLayout.OfFloat to) {
        if (!from.order().equals(to.order())) {
            MemorySegment.copy(values, from, 0, values, to, 0, values.byteSize() / Float.BYTES);
        }
    }

    /** Over the metadata sorted by name and the tensors sorted by name, each text with its length before it. */
    private String checksum() {
        CRC32C crc = new CRC32C();
        new TreeMap<>(metadata).forEach((name, value) -> {
            update(crc, name);
            update(crc, value);
        });
        new TreeMap<>(entries).forEach((name, entry) -> {
            update(crc, name);
            update(crc, entry.shape().toString());
            MemorySegment values = entry.values();
            for (long at = 0; at < values.byteSize(); at += CHUNK_BYTES) {
                crc.update(values.asSlice(at, Math.min(CHUNK_BYTES, values.byteSize() - at))
                        .asByteBuffer());
            }
        });
        return String.format("crc32c:%08x", crc.getValue());
    }

    private static void update(CRC32C crc, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        crc.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
        crc.update(bytes);
    }
}
