package dev.gru4j.training.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One numeric column of a CSV file (RFC 4180, UTF-8, header in the first record), read strictly: a record of
 * another width, a stray quote or a cell that is not a finite number is an error that names line and column.
 */
public final class CsvColumn {
    private CsvColumn() {}

    /**
     * The values of the column named {@code column}, top to bottom.
     *
     * @throws DataException if the file is not such a CSV file, has no column of that name (the message lists
     *     the names it has), or has no records
     */
    public static float[] read(Path file, String column) throws IOException {
        List<Row> rows = parse(TextFile.read(file), file.toString());
        List<String> header = rows.getFirst().cells();
        int index = header.indexOf(column);
        if (index < 0) {
            throw new DataException(
                    file + " has no column '" + column + "'; its columns are " + String.join(", ", header));
        }
        if (header.lastIndexOf(column) != index) {
            throw new DataException(file + " has more than one column '" + column + "'; one expected");
        }
        if (rows.size() == 1) {
            throw new DataException(file + " has a header and no records; values expected");
        }
        float[] values = new float[rows.size() - 1];
        for (int i = 0; i < values.length; i++) {
            Row row = rows.get(i + 1);
            values[i] = number(row.cells().get(index), file + " line " + row.line() + ", column '" + column + "'");
        }
        return values;
    }

    private static float number(String cell, String where) throws DataException {
        float value;
        try {
            value = Float.parseFloat(cell.strip());
        } catch (NumberFormatException e) {
            throw new DataException(where + " holds '" + cell + "'; a number expected");
        }
        if (!Float.isFinite(value)) {
            throw new DataException(where + " holds " + cell.strip() + "; a finite number expected");
        }
        return value;
    }

    /** A record and the line it starts on, from 1. */
    record Row(int line, List<String> cells) {}

    /** All records; each has as many cells as the first. */
    static List<Row> parse(String text, String name) throws DataException {
        List<Row> rows = new ArrayList<>();
        Parser parser = new Parser(text, name);
        while (!parser.atEnd()) {
            Row row = parser.record();
            boolean blank = row.cells().equals(List.of(""));
            if (blank && (rows.isEmpty() || rows.getFirst().cells().size() > 1)) {
                continue; // an empty line between records of several cells
            }
            int expected = rows.isEmpty() ? row.cells().size() : rows.getFirst().cells().size();
            if (row.cells().size() != expected) {
                throw new DataException(name + " line " + row.line() + " has " + row.cells().size() + " cells; "
                        + expected + ", as in the header, expected");
            }
            rows.add(row);
        }
        if (rows.isEmpty()) {
            throw new DataException(name + " has no header; column names expected in its first line");
        }
        return rows;
    }

    /** Walks over the text once, one cell at a time. */
    private static final class Parser {
        private final String text;
        private final String name;
        private int at;
        private int line = 1;
        private int lineStart;

        Parser(String text, String name) {
            this.text = text;
            this.name = name;
        }

        boolean atEnd() {
            return at == text.length();
        }

        Row record() throws DataException {
            int first = line;
            List<String> cells = new ArrayList<>();
            while (true) {
                cells.add(!atEnd() && text.charAt(at) == '"' ? quoted() : plain());
                if (atEnd()) {
                    return new Row(first, cells);
                }
                char c = text.charAt(at++);
                if (c != ',') {
                    if (c == '\r' && !atEnd() && text.charAt(at) == '\n') {
                        at++;
                    }
                    newLine();
                    return new Row(first, cells);
                }
            }
        }

        private String plain() throws DataException {
            int from = at;
            while (!atEnd() && !isDelimiter(text.charAt(at))) {
                if (text.charAt(at) == '"') {
                    throw error("a quote inside an unquoted cell; the whole cell in quotes expected");
                }
                at++;
            }
            return text.substring(from, at);
        }

        private String quoted() throws DataException {
            DataException unclosed = error("a quote that is never closed");
            StringBuilder cell = new StringBuilder();
            at++;
            while (!atEnd()) {
                char c = text.charAt(at++);
                if (c == '\n') {
                    newLine();
                } else if (c == '"') {
                    if (atEnd() || isDelimiter(text.charAt(at))) {
                        return cell.toString();
                    }
                    if (text.charAt(at) != '"') {
                        throw error("text after a closing quote; a comma or the end of the line expected");
                    }
                    at++;
                }
                cell.append(c);
            }
            throw unclosed;
        }

        private void newLine() {
            line++;
            lineStart = at;
        }

        private DataException error(String what) {
            return new DataException(name + " line " + line + ", character " + (at - lineStart + 1) + ": " + what);
        }

        private static boolean isDelimiter(char c) {
            return c == ',' || c == '\n' || c == '\r';
        }
    }
}
