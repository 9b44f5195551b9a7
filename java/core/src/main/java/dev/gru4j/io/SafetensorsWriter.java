package dev.gru4j.io;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects tensors and writes them to a safetensors file. Values are not copied when added but read
 * while {@link #write} runs, through a buffer of fixed size.
 *
 * <p>Same tensors, same bytes: wider elements come first, so that every tensor is aligned to its
 * element, then the order of adding; metadata is sorted by key. Belongs to one thread.
 */
public final class SafetensorsWriter {
    private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Data begins at a multiple of this. */
    private static final int ALIGNMENT = 8;

    /** Multiple of every element size; large enough that the system calls do not matter. */
    private static final int BUFFER_BYTES = 1 << 20;

    private final Map<String, String> metadata = new TreeMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** Values in native order if they are floats, in the file's order otherwise. */
    private record Tensor(String name, DType dtype, List<Long> shape, MemorySegment values, boolean floats) {}

    /** Adds a string under {@code __metadata__}; a second value for a key replaces the first. */
    public SafetensorsWriter metadata(String key, String value) {
        checkEncodable("metadata key", key);
        checkEncodable("metadata value of '" + key + "'", value);
        metadata.put(key, value);
        return this;
    }

    /** Adds an F32 tensor: all of {@code values}, row-major. */
    public SafetensorsWriter floats(String name, long[] shape, float[] values) {
        return floats(name, shape, MemorySegment.ofArray(values));
    }

    /** Adds an F32 tensor from {@code values[from…]}, as many as the shape has elements. */
    public SafetensorsWriter floats(String name, long[] shape, float[] values, int from) {
        long bytes = bytes(name, DType.F32, list(shape));
        long first = (long) from * Float.BYTES;
        if (from < 0 || bytes > (long) values.length * Float.BYTES - first) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' of shape " + Arrays.toString(shape) + " at " + from
                            + " needs " + (first + bytes) / Float.BYTES + " floats; values has " + values.length);
        }
        return floats(name, shape, MemorySegment.ofArray(values).asSlice(first, bytes));
    }

    /** Adds an F32 tensor from floats in native byte order, any alignment. */
    public SafetensorsWriter floats(String name, long[] shape, MemorySegment values) {
        return add(new Tensor(name, DType.F32, list(shape), values, true));
    }

    /** Adds a tensor of any type from its bytes, little-endian. */
    public SafetensorsWriter bytes(String name, DType dtype, long[] shape, MemorySegment littleEndian) {
        return add(new Tensor(name, dtype, list(shape), littleEndian, false));
    }

    /**
     * Writes the file, replacing an existing one in one piece ({@link AtomicFile}). Can be repeated.
     *
     * @throws IOException if it cannot be written; an existing file is then as it was
     */
    public void write(Path path) throws IOException {
        List<Tensor> ordered = tensors.values().stream()
                .sorted(Comparator.comparingInt(t -> -t.dtype().bytes()))
                .toList();
        byte[] header = header(ordered).getBytes(StandardCharsets.UTF_8);
        if (header.length > SafetensorsHeader.MAX_HEADER_BYTES) {
            throw new WeightFileException(path + ": the header would have " + header.length + " bytes; at most "
                    + SafetensorsHeader.MAX_HEADER_BYTES + " are allowed");
        }
        AtomicFile.write(path, channel -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment buffer = arena.allocate(BUFFER_BYTES, ALIGNMENT);
                int padding = -header.length & (ALIGNMENT - 1);
                writeFully(channel, ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(0, header.length + padding));
                writeFully(channel, ByteBuffer.wrap(header));
                writeFully(channel, ByteBuffer.wrap(" ".repeat(padding).getBytes(StandardCharsets.US_ASCII)));
                for (Tensor tensor : ordered) {
                    writeData(channel, tensor, buffer);
                }
            }
        });
    }

    private static void writeData(FileChannel channel, Tensor tensor, MemorySegment buffer) throws IOException {
        MemorySegment values = tensor.values();
        for (long at = 0; at < values.byteSize(); at += BUFFER_BYTES) {
            long bytes = Math.min(BUFFER_BYTES, values.byteSize() - at);
            if (tensor.floats()) {
                MemorySegment.copy(values, JAVA_FLOAT_UNALIGNED, at, buffer, FLOAT, 0, bytes / Float.BYTES);
            } else {
                MemorySegment.copy(values, at, buffer, 0, bytes);
            }
            writeFully(channel, buffer.asSlice(0, bytes).asByteBuffer());
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private String header(List<Tensor> ordered) {
        StringBuilder out = new StringBuilder("{");
        if (!metadata.isEmpty()) {
            Json.quote(SafetensorsHeader.METADATA, out);
            out.append(":{");
            String comma = "";
            for (Map.Entry<String, String> entry : metadata.entrySet()) {
                out.append(comma);
                Json.quote(entry.getKey(), out);
                out.append(':');
                Json.quote(entry.getValue(), out);
                comma = ",";
            }
            out.append('}');
        }
        long offset = 0;
        for (Tensor tensor : ordered) {
            out.append(out.length() > 1 ? "," : "");
            Json.quote(tensor.name(), out);
            long end = offset + tensor.values().byteSize();
            out.append(":{\"dtype\":\"").append(tensor.dtype()).append("\",\"shape\":");
            out.append(tensor.shape().toString().replace(" ", ""));
            out.append(",\"data_offsets\":[").append(offset).append(',').append(end).append("]}");
            offset = end;
        }
        return out.append('}').toString();
    }

    private SafetensorsWriter add(Tensor tensor) {
        String name = tensor.name();
        checkEncodable("tensor name", name);
        if (name.equals(SafetensorsHeader.METADATA)) {
            throw new IllegalArgumentException("tensor name '" + name + "' is reserved by the format");
        }
        long expected = bytes(name, tensor.dtype(), tensor.shape());
        if (tensor.values().byteSize() != expected) {
            throw new IllegalArgumentException("tensor '" + name + "' has " + tensor.values().byteSize() + " bytes; "
                    + expected + " expected for " + tensor.dtype() + " " + tensor.shape());
        }
        if (tensors.putIfAbsent(name, tensor) != null) {
            throw new IllegalArgumentException("tensor '" + name + "' was added before");
        }
        return this;
    }

    private static long bytes(String name, DType dtype, List<Long> shape) {
        long bytes = dtype.bytes();
        try {
            for (long size : shape) {
                if (size < 0) {
                    throw new IllegalArgumentException("tensor '" + name + "' has shape " + shape
                            + "; sizes of 0 or more expected");
                }
                bytes = Math.multiplyExact(bytes, size);
            }
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' of shape " + shape + " has more than 2^63 - 1 bytes", e);
        }
        return bytes;
    }

    private static List<Long> list(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    private static void checkEncodable(String what, String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new IllegalArgumentException(
                    what + " '" + text + "' has an unpaired surrogate; UTF-8 cannot hold it");
        }
    }
}
