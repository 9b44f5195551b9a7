package dev.gru4j.training.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;

/** Reads UTF-8 text strictly: nothing is replaced, a byte that is not UTF-8 is an error that says where. */
public final class TextFile {
    /** A byte order mark carries no text; a file may start with one. */
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    /** Longest file: its bytes and, while decoding, its characters lie in one array each. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 8;

    private static final int SHOWN_BYTES = 4;

    private TextFile() {}

    /**
     * The whole file, without a leading byte order mark.
     *
     * @throws DataException if the file is missing, is a directory, is empty, has more than 2^31 − 9 bytes
     *     or is not UTF-8; then the message names the offset of the first wrong byte
     */
    public static String read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new DataException(file + " is a directory; a text file expected");
        }
        byte[] bytes;
        try {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw new DataException(file + " has " + size + " bytes; at most " + MAX_BYTES + " expected");
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new DataException(file + " does not exist");
        }
        String text = decode(bytes, file.toString());
        if (text.isEmpty()) {
            throw new DataException(file + " is empty; text expected");
        }
        return text;
    }

    /**
     * Decodes UTF-8.
     *
     * @param name what the bytes are called in a message
     */
    static String decode(byte[] bytes, String name) throws DataException {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length); // UTF-8 never has fewer bytes than UTF-16 has chars
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            int offset = in.position();
            int shown = Math.min(SHOWN_BYTES, bytes.length - offset);
            throw new DataException(name + " is not UTF-8: wrong byte at offset " + offset + " (bytes "
                    + HexFormat.ofDelimiter(" ").withUpperCase().formatHex(bytes, offset, offset + shown)
                    + "); convert it, for example with iconv -t UTF-8");
        }
        out.flip();
        if (out.hasRemaining() && out.get(0) == BYTE_ORDER_MARK) {
            out.get();
        }
        return out.toString();
    }
}
