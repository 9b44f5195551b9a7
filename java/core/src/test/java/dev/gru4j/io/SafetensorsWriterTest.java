package dev.gru4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("weights.safetensors");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> String.valueOf(f.getFileName())).sorted().toList();
        }
    }

    @Test
    void theHeaderIsPaddedWithSpacesToAMultipleOfEight() throws IOException {
        for (String name : List.of("a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh")) {
            new SafetensorsWriter().floats(name, new long[] {1}, new float[] {1}).write(file());
            byte[] bytes = Files.readAllBytes(file());
            long headerBytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
            String header = new String(bytes, 8, (int) headerBytes, StandardCharsets.UTF_8);
            assertEquals(0, headerBytes % 8, name);
            assertEquals(
                    "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                    header.stripTrailing());
            assertEquals(8 + headerBytes + 4, bytes.length, name);
        }
    }

    @Test
    void widerElementsComeFirstThenTheOrderOfAdding() throws IOException {
        new SafetensorsWriter()
                .bytes("byte", DType.U8, new long[] {3}, MemorySegment.ofArray(new byte[3]))
                .floats("z", new long[] {1}, new float[1])
                .floats("a", new long[] {1}, new float[1])
                .bytes("wide", DType.I64, new long[] {1}, MemorySegment.ofArray(new byte[8]))
                .write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertEquals(
                    List.of("wide", "z", "a", "byte"), in.tensors().stream().map(TensorInfo::name).toList());
        }
    }

    @Test
    void theSameTensorsGiveTheSameBytes() throws IOException {
        SafetensorsWriter first = new SafetensorsWriter().metadata("b", "2").metadata("a", "1");
        SafetensorsWriter second = new SafetensorsWriter().metadata("a", "1").metadata("b", "2");
        first.floats("x", new long[] {1}, new float[] {3}).write(file());
        second.floats("x", new long[] {1}, new float[] {3}).write(folder.resolve("second"));
        assertArrayEquals(Files.readAllBytes(file()), Files.readAllBytes(folder.resolve("second")));
    }

    @Test
    void aTensorLargerThanTheBufferArrivesWhole() throws IOException {
        int count = (1 << 18) * 2 + 3; // two full buffers of floats and a tail
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offHeap = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            new SafetensorsWriter()
                    .floats("array", new long[] {count}, values)
                    .floats("segment", new long[] {count}, offHeap)
                    .write(file());
        }
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertArrayEquals(values, in.readFloats("array"));
            assertArrayEquals(values, in.readFloats("segment"));
        }
    }

    @Test
    void aFileIsReplacedAndNothingIsLeftBeside() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter().floats("a", new long[] {1}, new float[] {1});
        writer.write(file());
        writer.floats("b", new long[] {1}, new float[] {2}).write(file());
        try (SafetensorsFile in = SafetensorsFile.open(file())) {
            assertArrayEquals(new float[] {2}, in.readFloats("b"));
        }
        assertEquals(List.of("weights.safetensors"), names());
    }

    @Test
    void aFailedWriteLeavesTheOldFileAndNothingBeside() throws IOException {
        Files.writeString(file(), "old");
        IOException failure = new IOException("disk full");
        assertEquals(
                failure,
                assertThrows(
                        IOException.class,
                        () -> AtomicFile.write(file(), channel -> {
                            channel.write(ByteBuffer.wrap(new byte[] {1}));
                            throw failure;
                        })));
        assertEquals("old", Files.readString(file()));
        assertEquals(List.of("weights.safetensors"), names());
    }

    @Test
    void leftoversOfKilledWritersAreDeletedAndNothingElse() throws IOException {
        for (String name : List.of("weights.safetensors", "weights.safetensors.0123456789abcdef.tmp",
                "weights.safetensors.tmp",
                "other.0123456789abcdef.tmp")) {
            Files.writeString(folder.resolve(name), "");
        }
        assertEquals(1, AtomicFile.deleteLeftovers(file()));
        assertEquals(List.of("other.0123456789abcdef.tmp", "weights.safetensors", "weights.safetensors.tmp"), names());
    }

    @Test
    void aFolderAsTargetIsRefused() {
        IOException e = assertThrows(IOException.class, () -> new SafetensorsWriter().write(folder));
        assertEquals(folder + " is a folder; a file to write expected", e.getMessage());
    }

    @Test
    void valuesOfAnotherSizeAreRefused() {
        assertRefused(
                "tensor 'a' has 8 bytes; 12 expected for F32 [3]",
                w -> w.floats("a", new long[] {3}, new float[2]));
        assertRefused(
                "tensor 'a' of shape [3] at 1 needs 4 floats; values has 3",
                w -> w.floats("a", new long[] {3}, new float[3], 1));
    }

    @Test
    void impossibleShapesAreRefused() {
        assertRefused(
                "tensor 'a' has shape [-1]; sizes of 0 or more expected",
                w -> w.floats("a", new long[] {-1}, new float[0]));
        assertRefused(
                "tensor 'a' of shape [4611686018427387904] has more than 2^63 - 1 bytes",
                w -> w.floats("a", new long[] {1L << 62}, new float[0]));
    }

    @Test
    void namesThatCannotStandInTheFileAreRefused() {
        assertRefused("tensor 'a' was added before", w -> w.floats("a", new long[] {0}, new float[0])
                .floats("a", new long[] {0}, new float[0]));
        assertRefused(
                "tensor name '__metadata__' is reserved by the format",
                w -> w.floats("__metadata__", new long[] {0}, new float[0]));
        assertRefused(
                "tensor name '\ud800' has an unpaired surrogate; UTF-8 cannot hold it",
                w -> w.floats("\ud800", new long[] {0}, new float[0]));
    }

    private static void assertRefused(String message, Consumer<SafetensorsWriter> adding) {
        SafetensorsWriter writer = new SafetensorsWriter();
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, () -> adding.accept(writer)).getMessage());
    }
}
