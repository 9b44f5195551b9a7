package dev.gru4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("weights.safetensors");
    }

    private static MemorySegment littleEndian(int bytes, Consumer<ByteBuffer> fill) {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fill.accept(buffer);
        return MemorySegment.ofArray(buffer.array());
    }

    @Test
    void shouldReadAFileWrittenByHandByteForByte() throws IOException {
        // The format's own example: header length, JSON, then two floats, little-endian.
        String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}";
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length() + 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
        bytes.putFloat(1.5f).putFloat(-0f);
        Files.write(file(), bytes.array());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertEquals(List.of(new TensorInfo("a", DType.F32, List.of(2L, 1L), 0, 8)), in.tensors());
            assertArrayEquals(new float[] {1.5f, -0f}, in.readFloats("a"));
            assertEquals(Map.of(), in.metadata());
        }
    }

    @Test
    void whatIsWrittenReadsBackBitForBit() throws IOException {
        float[] values = {1, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, 3};
        new SafetensorsWriter()
                .metadata("step", "12")
                .metadata("quote \"", "line\nbreak é")
                .floats("whole", new long[] {2, 3}, values)
                .floats("part", new long[] {2}, values, 3)
                .floats("scalar", new long[0], new float[] {7})
                .floats("empty", new long[] {0, 5}, new float[0])
                .write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertEquals(Map.of("step", "12", "quote \"", "line\nbreak é"), in.metadata());
            assertArrayEquals(values, in.readFloats("whole"));
            assertArrayEquals(new float[] {Float.POSITIVE_INFINITY, Float.MIN_VALUE}, in.readFloats("part"));
            assertArrayEquals(new float[] {7}, in.readFloats("scalar"));
            assertEquals(1, in.tensor("scalar").elements());
            assertArrayEquals(new float[0], in.readFloats("empty"));
            assertEquals(List.of(0L, 5L), in.tensor("empty").shape());
        }
    }

    @Test
    void floatsAreASliceOfTheMapping() throws IOException {
        new SafetensorsWriter().floats("a", new long[] {2}, new float[] {1, 2}).write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            MemorySegment floats = in.floats("a");
            assertEquals(in.bytes("a").address(), floats.address());
            assertTrue(floats.isReadOnly());
            assertEquals(0, floats.address() % 8, "data is aligned");
            assertEquals(2f, floats.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 1));
        }
    }

    @Test
    void otherFloatTypesAreConverted() throws IOException {
        new SafetensorsWriter()
                .bytes("f16", DType.F16, new long[] {3}, littleEndian(6, b -> b.putShort((short) 0x3c00)
                        .putShort((short) 0x8001)
                        .putShort((short) 0xfc00)))
                .bytes("bf16", DType.BF16, new long[] {2}, littleEndian(4, b -> b.putShort((short) 0x3fc0)
                        .putShort((short) 0xff80)))
                .bytes("f64", DType.F64, new long[] {3}, littleEndian(24, b -> b.putDouble(0.1)
                        .putDouble(Double.NEGATIVE_INFINITY)
                        .putDouble(1e-300)))
                .write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertArrayEquals(new float[] {1, -0x1p-24f, Float.NEGATIVE_INFINITY}, in.readFloats("f16"));
            assertArrayEquals(new float[] {1.5f, Float.NEGATIVE_INFINITY}, in.readFloats("bf16"));
            assertArrayEquals(new float[] {0.1f, Float.NEGATIVE_INFINITY, 0}, in.readFloats("f64"));
            for (TensorInfo tensor : in.tensors()) {
                assertArrayEquals(
                        in.readFloats(tensor.name()),
                        in.floats(tensor.name()).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED),
                        tensor.name());
            }
        }
    }

    @Test
    void aDoubleBeyondTheRangeOfAFloatIsRefused() throws IOException {
        new SafetensorsWriter()
                .bytes("a", DType.F64, new long[] {2}, littleEndian(16, b -> b.putDouble(1).putDouble(1e39)))
                .write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            WeightFileException e = assertThrows(WeightFileException.class, () -> in.readFloats("a"));
            assertEquals(file() + ": tensor 'a' element 1 is 1.0E39; at most 3.4028235E38 fits a float",
                    e.getMessage());
        }
    }

    @Test
    void integersAreListedButNotReadAsFloat() throws IOException {
        new SafetensorsWriter()
                .bytes("a", DType.I64, new long[] {1}, littleEndian(8, b -> b.putLong(5)))
                .write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertEquals(DType.I64, in.tensor("a").dtype());
            assertEquals(8, in.bytes("a").byteSize());
            WeightFileException e = assertThrows(WeightFileException.class, () -> in.readFloats("a"));
            assertEquals(
                    file() + ": tensor 'a' has dtype I64; F32, F64, F16 or BF16 expected to read it as float",
                    e.getMessage());
        }
    }

    @Test
    void anUnknownNameListsTheKnownOnes() throws IOException {
        new SafetensorsWriter().floats("a", new long[] {1}, new float[1]).write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertFalse(in.contains("b"));
            WeightFileException e = assertThrows(WeightFileException.class, () -> in.tensor("b"));
            assertEquals(file() + " has no tensor 'b'; it has [a]", e.getMessage());
        }
    }

    @Test
    void aTargetThatIsTooShortIsRefused() throws IOException {
        new SafetensorsWriter().floats("a", new long[] {3}, new float[3]).write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertThrows(IndexOutOfBoundsException.class, () -> in.readFloats("a", new float[4], 2));
        }
    }

    @Test
    void closingMakesSegmentsUnusableAndMayBeRepeated() throws IOException {
        new SafetensorsWriter().floats("a", new long[] {1}, new float[1]).write(file());
        SafetensorsFile in = SafetensorsFile.open(file());
        MemorySegment floats = in.floats("a");
        in.close();
        in.close();
        assertThrows(IllegalStateException.class, () -> floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
    }
}
