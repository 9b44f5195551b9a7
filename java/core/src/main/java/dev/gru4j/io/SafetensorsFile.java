package dev.gru4j.io;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file, memory-mapped: an unsigned 64-bit little-endian header length, a JSON header, the
 * bytes of the tensors. Opening checks the whole header; a broken rule is a {@link WeightFileException}
 * that names the file, the tensor, what was found and what was expected.
 *
 * <p>Threads: any number may read. Closing unmaps the file; segments taken from it become unusable.
 * Whoever shortens a file while it is mapped makes reads of it fail.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE = JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Arena arena;
    private final MemorySegment data;
    private final Map<String, String> metadata;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    private SafetensorsFile(Path path, Arena arena, MemorySegment data, SafetensorsHeader header) {
        this.path = path;
        this.arena = arena;
        this.data = data;
        this.metadata = header.metadata();
        for (TensorInfo tensor : header.tensors()) {
            tensors.put(tensor.name(), tensor);
        }
    }

    /**
     * Maps a file and checks its header.
     *
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws WeightFileException if it breaks a rule of the format
     */
    public static SafetensorsFile open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new WeightFileException(path + " is a folder; a safetensors file expected");
        }
        // Shared: a file may be opened by one thread and its tensors read by others.
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            long headerBytes = headerBytes(path, all);
            String json = decode(path, all.asSlice(SafetensorsHeader.LENGTH_BYTES, headerBytes));
            MemorySegment data = all.asSlice(SafetensorsHeader.LENGTH_BYTES + headerBytes);
            return new SafetensorsFile(path, arena, data, SafetensorsHeader.parse(path, json, data.byteSize()));
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private static long headerBytes(Path path, MemorySegment all) throws WeightFileException {
        if (all.byteSize() < SafetensorsHeader.LENGTH_BYTES) {
            throw new WeightFileException(path + " has " + all.byteSize() + " bytes; at least "
                    + SafetensorsHeader.LENGTH_BYTES + ", the length of the header, expected");
        }
        long headerBytes = all.get(LONG, 0);
        if (Long.compareUnsigned(headerBytes, SafetensorsHeader.MAX_HEADER_BYTES) > 0) {
            throw new WeightFileException(path + ": the header length is " + Long.toUnsignedString(headerBytes)
                    + " bytes; at most " + SafetensorsHeader.MAX_HEADER_BYTES + " expected: not a safetensors file?");
        }
        long rest = all.byteSize() - SafetensorsHeader.LENGTH_BYTES;
        if (headerBytes > rest) {
            throw new WeightFileException(path + ": the header length is " + headerBytes + " bytes; the file has only "
                    + rest + " bytes behind it");
        }
        return headerBytes;
    }

    private static String decode(Path path, MemorySegment header) throws WeightFileException {
        try {
            // newDecoder reports malformed input, String's constructor would replace it.
            return StandardCharsets.UTF_8.newDecoder().decode(header.asByteBuffer()).toString();
        } catch (CharacterCodingException e) {
            throw new WeightFileException(path + ": the header is not valid UTF-8");
        }
    }

    public Path path() {
        return path;
    }

    /** The strings under {@code __metadata__}; empty if there are none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** All tensors, in the order of their data. */
    public List<TensorInfo> tensors() {
        return List.copyOf(tensors.values());
    }

    public boolean contains(String name) {
        return tensors.containsKey(name);
    }

    /**
     * What the file says of one tensor.
     *
     * @throws WeightFileException if it has no tensor of that name
     */
    public TensorInfo tensor(String name) throws WeightFileException {
        TensorInfo tensor = tensors.get(name);
        if (tensor == null) {
            throw new WeightFileException(path + " has no tensor '" + name + "'; it has " + tensors.keySet());
        }
        return tensor;
    }

    /** The bytes of a tensor as they lie in the file, little-endian; read-only, not copied. */
    public MemorySegment bytes(String name) throws WeightFileException {
        TensorInfo tensor = tensor(name);
        return data.asSlice(tensor.begin(), tensor.bytes());
    }

    /**
     * The elements of a tensor as floats in native byte order, any alignment, valid until this file is
     * closed. F32 is not copied (on a little-endian machine); the others are converted as
     * {@link #readFloats(String, float[], int)} does.
     *
     * @throws WeightFileException if there is no such tensor or it cannot be read as float
     */
    public MemorySegment floats(String name) throws WeightFileException {
        TensorInfo tensor = readable(name);
        if (tensor.dtype() == DType.F32 && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            return bytes(name);
        }
        MemorySegment copy = arena.allocate(Math.multiplyExact(tensor.elements(), (long) Float.BYTES), Float.BYTES);
        for (long i = 0; i < tensor.elements(); i++) {
            copy.set(JAVA_FLOAT_UNALIGNED, i * Float.BYTES, convert(tensor, i));
        }
        return copy.asReadOnly();
    }

    /**
     * A copy of a tensor's elements, converted as {@link #readFloats(String, float[], int)} does.
     *
     * @throws WeightFileException if there is no such tensor, it cannot be read as float, or it has more
     *     elements than an array can hold
     */
    public float[] readFloats(String name) throws WeightFileException {
        TensorInfo tensor = readable(name);
        if (tensor.elements() > Integer.MAX_VALUE - 8) {
            throw new WeightFileException(path + ": tensor '" + name + "' has " + tensor.elements()
                    + " elements; a float[] holds at most " + (Integer.MAX_VALUE - 8));
        }
        float[] values = new float[(int) tensor.elements()];
        readFloats(name, values, 0);
        return values;
    }

    /**
     * Copies all elements of a tensor to {@code target[at…]}. F32 is taken as it is, F16 and BF16 convert
     * exactly, F64 is rounded to the nearest float.
     *
     * @throws WeightFileException if there is no such tensor, it cannot be read as float, or a finite F64 is
     *     beyond the range of a float
     * @throws IndexOutOfBoundsException if target is too short
     */
    public void readFloats(String name, float[] target, int at) throws WeightFileException {
        TensorInfo tensor = readable(name);
        Objects.checkFromIndexSize((long) at, tensor.elements(), (long) target.length);
        int count = (int) tensor.elements();
        if (tensor.dtype() == DType.F32) {
            MemorySegment.copy(data, FLOAT, tensor.begin(), target, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            target[at + i] = convert(tensor, i);
        }
    }

    private TensorInfo readable(String name) throws WeightFileException {
        TensorInfo tensor = tensor(name);
        if (!tensor.dtype().isReadableAsFloat()) {
            throw new WeightFileException(path + ": tensor '" + name + "' has dtype " + tensor.dtype()
                    + "; F32, F64, F16 or BF16 expected to read it as float");
        }
        return tensor;
    }

    private float convert(TensorInfo tensor, long i) throws WeightFileException {
        long at = tensor.begin() + i * tensor.dtype().bytes();
        return switch (tensor.dtype()) {
            case F32 -> data.get(FLOAT, at);
            case F16 -> Float.float16ToFloat(data.get(SHORT, at));
            case BF16 -> Float.intBitsToFloat(data.get(SHORT, at) << 16);
            case F64 -> {
                double value = data.get(DOUBLE, at);
                float rounded = (float) value;
                if (Float.isInfinite(rounded) && !Double.isInfinite(value)) {
                    throw new WeightFileException(
                            path + ": tensor '" + tensor.name() + "' element " + i + " is " + value
                                    + "; at most " + Float.MAX_VALUE + " fits a float");
                }
                yield rounded;
            }
            case BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, U32, I32, U64, I64 -> throw new AssertionError(
                    tensor.dtype());
        };
    }

    /** Unmaps the file. Closing twice does nothing. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
