package dev.gru4j.parity;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A resource {@code NAME.shapes}: one line per shape, {@code T B I H # reason}; options may stand before the #
 * ({@code 7 3 13 29 variant=reset_before # …}). Blank lines and lines that start with # are for the reader.
 */
final class ShapeFile {
    /** One line; options is empty where the line names none. */
    record Line(GruCase problem, boolean hasOptions, String reason) {}

    private ShapeFile() {}

    static List<Line> read(String name) {
        String resource = "/" + name + ".shapes";
        try (InputStream in = ShapeFile.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException("no resource " + resource);
            }
            return parse(resource, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(resource, e);
        }
    }

    static List<Line> parse(String resource, String text) {
        List<Line> lines = new ArrayList<>();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                lines.add(parseLine(resource + ":" + number, line));
            }
        }
        return lines;
    }

    private static Line parseLine(String where, String line) {
        int hash = line.indexOf('#');
        if (hash < 0 || line.substring(hash + 1).isBlank()) {
            throw new IllegalArgumentException(where + ": '" + line + "' has no reason; 'T B I H # reason' expected");
        }
        String[] words = line.substring(0, hash).strip().split("\\s+", 5);
        if (words.length < 4) {
            throw new IllegalArgumentException(
                    where + ": '" + line + "' has " + words.length + " sizes; T B I H expected");
        }
        String options = words.length == 5 ? " " + words[4] : "";
        GruCase problem = GruCase.parse("T" + words[0] + " B" + words[1] + " I" + words[2] + " H" + words[3] + options);
        return new Line(problem, !options.isEmpty(), line.substring(hash + 1).strip());
    }
}
