package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFileTest {
    @TempDir
    private Path folder;

    @Test
    void anyScriptIsReadAsItIs() throws IOException {
        String text = "Ελληνικά, العربية, 日本語, 😀\r\n";
        assertEquals(text, TextFile.read(write(text.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void aByteOrderMarkIsNotText() throws IOException {
        assertEquals("a", TextFile.read(write("\uFEFFa".getBytes(StandardCharsets.UTF_8))));
    }

    /** "née" in ISO 8859-1: the é, byte 0xE9 at offset 1, opens a UTF-8 sequence that the e breaks. */
    @Test
    void aWrongEncodingNamesTheByteOffset() throws IOException {
        Path file = write("née".getBytes(StandardCharsets.ISO_8859_1));
        assertMessage(file, "not UTF-8: wrong byte at offset 1 (bytes E9 65)");
    }

    @Test
    void aSequenceCutOffAtTheEndNamesItsOffset() throws IOException {
        Path file = write(new byte[] {'a', 'b', (byte) 0xE2, (byte) 0x82});
        assertMessage(file, "wrong byte at offset 2 (bytes E2 82)");
    }

    @Test
    void anEmptyFileIsAnError() throws IOException {
        assertMessage(write(new byte[0]), "is empty; text expected");
        assertMessage(write("\uFEFF".getBytes(StandardCharsets.UTF_8)), "is empty; text expected");
    }

    @Test
    void aMissingFileIsAnError() {
        assertMessage(folder.resolve("absent.txt"), "does not exist");
    }

    @Test
    void aDirectoryIsAnError() {
        assertMessage(folder, "is a directory");
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("text.txt"), bytes);
    }

    private static void assertMessage(Path file, String part) {
        DataException thrown = assertThrows(DataException.class, () -> TextFile.read(file));
        String message = String.valueOf(thrown.getMessage());
        assertTrue(message.startsWith(file.toString()) && message.contains(part), message);
    }
}
