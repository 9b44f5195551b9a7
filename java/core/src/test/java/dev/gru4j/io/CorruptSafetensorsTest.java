package dev.gru4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One corrupted file for each rule of the format. */
class CorruptSafetensorsTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("weights.safetensors");
    }

    private Path write(long headerLength, byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(headerLength).put(header);
        return Files.write(file(), bytes.array());
    }

    private void assertRefused(String message, String header, int dataBytes) throws IOException {
        byte[] utf8 = header.getBytes(StandardCharsets.UTF_8);
        assertRefused(message, write(utf8.length, utf8, dataBytes));
    }

    private static void assertRefused(String message, Path file) {
        WeightFileException e = assertThrows(WeightFileException.class, () -> SafetensorsFile.open(file).close());
        assertEquals(file + message, e.getMessage());
    }

    private static String tensor(String name, String dtype, String shape, String offsets) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets
                + "}";
    }

    @Test
    void aMissingFileIsTheUsualException() {
        assertThrows(NoSuchFileException.class, () -> SafetensorsFile.open(file()).close());
    }

    @Test
    void aFolderIsRefused() {
        assertRefused(" is a folder; a safetensors file expected", folder);
    }

    @Test
    void anEmptyFileIsRefused() throws IOException {
        assertRefused(" has 0 bytes; at least 8, the length of the header, expected", Files.write(file(), new byte[0]));
    }

    @Test
    void aHeaderBeyondTheLimitIsRefused() throws IOException {
        assertRefused(
                ": the header length is 100000001 bytes; at most 100000000 expected: not a safetensors file?",
                write(100_000_001, new byte[0], 0));
    }

    @Test
    void aHeaderLengthWithTheSignBitIsRefusedAsTheLargeNumberItIs() throws IOException {
        assertRefused(
                ": the header length is 18446744073709551615 bytes; at most 100000000 expected:"
                        + " not a safetensors file?",
                write(-1, new byte[0], 0));
    }

    @Test
    void aHeaderBeyondTheEndOfTheFileIsRefused() throws IOException {
        assertRefused(": the header length is 9 bytes; the file has only 2 bytes behind it",
                write(9, "{}".getBytes(StandardCharsets.UTF_8), 0));
    }

    @Test
    void aHeaderThatIsNotUtf8IsRefused() throws IOException {
        assertRefused(": the header is not valid UTF-8", write(3, new byte[] {'{', (byte) 0xff, '}'}, 0));
    }

    @Test
    void aHeaderThatDoesNotBeginWithABraceIsRefused() throws IOException {
        assertRefused(": the header does not begin with '{'", " {}", 0);
    }

    @Test
    void aHeaderThatIsNotJsonIsRefused() throws IOException {
        assertRefused(
                ": the header is not valid JSON: the end at character 1; a key in double quotes expected", "{", 0);
    }

    @Test
    void aDuplicateTensorNameIsRefused() throws IOException {
        String a = tensor("a", "F32", "[1]", "[0,4]");
        assertRefused(
                ": the header is not valid JSON: key 'a' appears twice, again at character 54", "{" + a + "," + a + "}",
                4);
    }

    @Test
    void metadataThatIsNotAnObjectIsRefused() throws IOException {
        assertRefused(": __metadata__ is an array; an object of strings expected", "{\"__metadata__\":[]}", 0);
    }

    @Test
    void metadataThatIsNotAStringIsRefused() throws IOException {
        assertRefused(": __metadata__ entry 'step' is 3; a string expected", "{\"__metadata__\":{\"step\":3}}", 0);
    }

    @Test
    void aTensorThatIsNotAnObjectIsRefused() throws IOException {
        assertRefused(": tensor 'a' is the string 'F32'; an object expected", "{\"a\":\"F32\"}", 0);
    }

    @Test
    void anUnknownFieldIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' has a field 'strides'; only dtype, shape and data_offsets expected",
                "{\"a\":{\"dtype\":\"F32\",\"strides\":[1]}}",
                0);
    }

    @Test
    void aMissingFieldIsRefused() throws IOException {
        assertRefused(": tensor 'a' has no field 'shape'", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4);
    }

    @Test
    void anUnknownDtypeIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' dtype is 'F31'; one of [BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32,"
                        + " F32, U64, I64, F64] expected",
                "{" + tensor("a", "F31", "[1]", "[0,4]") + "}",
                4);
    }

    @Test
    void aDtypeThatIsNotAStringIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' dtype is 32; a string expected",
                "{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}",
                4);
    }

    @Test
    void aShapeThatIsNotAnArrayIsRefused() throws IOException {
        assertRefused(": tensor 'a' shape is 1; an array expected", "{" + tensor("a", "F32", "1", "[0,4]") + "}", 4);
    }

    @Test
    void aNegativeSizeIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' shape[1] is -1; an integer, 0 to 2^63 - 1, expected",
                "{" + tensor("a", "F32", "[1,-1]", "[0,4]") + "}",
                4);
    }

    @Test
    void aSizeThatIsNotAnIntegerIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' shape[0] is 1.0; an integer, 0 to 2^63 - 1, expected",
                "{" + tensor("a", "F32", "[1.0]", "[0,4]") + "}",
                4);
    }

    @Test
    void anOffsetBeyondALongIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' data_offsets[1] is 9223372036854775808; an integer, 0 to 2^63 - 1, expected",
                "{" + tensor("a", "F32", "[1]", "[0,9223372036854775808]") + "}",
                4);
    }

    @Test
    void aShapeWhoseSizeOverflowsIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' shape [4294967296, 4294967296] of F32 has more than 2^63 - 1 bytes",
                "{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}",
                0);
    }

    @Test
    void threeOffsetsAreRefused() throws IOException {
        assertRefused(
                ": tensor 'a' data_offsets has 3 numbers; [begin, end] expected",
                "{" + tensor("a", "F32", "[1]", "[0,4,8]") + "}",
                4);
    }

    @Test
    void offsetsThatEndBeforeTheyBeginAreRefused() throws IOException {
        assertRefused(
                ": tensor 'a' data_offsets are [4, 0]; begin <= end expected",
                "{" + tensor("a", "F32", "[1]", "[4,0]") + "}",
                4);
    }

    @Test
    void dataBeyondTheEndOfTheFileIsRefused() throws IOException {
        assertRefused(
                ": tensor 'a' data ends at byte 8; the file has only 7 bytes of data",
                "{" + tensor("a", "F32", "[2]", "[0,8]") + "}",
                7);
    }

    @Test
    void offsetsThatDoNotFitTheShapeAreRefused() throws IOException {
        assertRefused(
                ": tensor 'a' data_offsets span 8 bytes; 12 expected for F32 [3, 1]",
                "{" + tensor("a", "F32", "[3,1]", "[0,8]") + "}",
                8);
    }

    @Test
    void overlappingTensorsAreRefused() throws IOException {
        assertRefused(
                ": tensor 'b' begins at byte 4 and overlaps tensor 'a', which ends at byte 8 of the data",
                "{" + tensor("b", "F32", "[2]", "[4,12]") + "," + tensor("a", "F32", "[2]", "[0,8]") + "}",
                12);
    }

    @Test
    void aHoleBetweenTensorsIsRefused() throws IOException {
        assertRefused(
                ": bytes 4 to 8 of the data, between tensor 'a' and tensor 'b', belong to no tensor",
                "{" + tensor("a", "F32", "[1]", "[0,4]") + "," + tensor("b", "F32", "[1]", "[8,12]") + "}",
                12);
    }

    @Test
    void aHoleBeforeTheFirstTensorIsRefused() throws IOException {
        assertRefused(
                ": bytes 0 to 4 of the data, between the header and tensor 'a', belong to no tensor",
                "{" + tensor("a", "F32", "[1]", "[4,8]") + "}",
                8);
    }

    @Test
    void bytesBehindTheLastTensorAreRefused() throws IOException {
        assertRefused(
                ": the file has 3 bytes behind tensor 'a'; the data was expected to end at its byte 4",
                "{" + tensor("a", "F32", "[1]", "[0,4]") + "}",
                7);
    }

    @Test
    void bytesBehindAnEmptyHeaderAreRefused() throws IOException {
        assertRefused(": the file has 1 bytes behind the header; the data was expected to end at its byte 0", "{}", 1);
    }

    @Test
    void aFileCutAtAnyByteIsRefused() throws IOException {
        new SafetensorsWriter()
                .metadata("k", "v")
                .floats("a", new long[] {2}, new float[] {1, 2})
                .write(file());
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length < whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertThrows(
                    WeightFileException.class, () -> SafetensorsFile.open(file()).close(),
                    "cut to " + length + " bytes");
        }
    }
}
