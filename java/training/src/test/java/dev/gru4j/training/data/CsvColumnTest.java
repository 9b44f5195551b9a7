package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvColumnTest {
    @TempDir
    private Path folder;

    @Test
    void theNamedColumnIsReadTopToBottom() throws IOException {
        Path file = write("day,load,note\n1, 2.5,a\n2,-3e1,b\n");
        assertArrayEquals(new float[] {2.5f, -30f}, CsvColumn.read(file, "load"));
        assertArrayEquals(new float[] {1f, 2f}, CsvColumn.read(file, "day"));
    }

    @Test
    void quotedCellsMayHoldCommasQuotesAndLineEnds() throws IOException {
        List<CsvColumn.Row> rows = CsvColumn.parse("\"a,b\",\"c\"\"d\"\r\n\"x\ny\",2\r\n", "f");
        assertEquals(List.of("a,b", "c\"d"), rows.get(0).cells());
        assertEquals(List.of("x\ny", "2"), rows.get(1).cells());
        assertEquals(2, rows.size());
    }

    @Test
    void theLastLineNeedsNoEnd() throws IOException {
        assertArrayEquals(new float[] {7f}, CsvColumn.read(write("v\n7"), "v"));
    }

    @Test
    void anUnknownColumnListsTheKnownOnes() throws IOException {
        assertMessage("day,load\n1,2\n", "no column 'lod'; its columns are day, load", "lod");
    }

    @Test
    void aCellThatIsNoNumberNamesLineAndColumn() throws IOException {
        assertMessage("day,load\n1,2\n2,n/a\n", "line 3, column 'load' holds 'n/a'; a number expected", "load");
        assertMessage("load,x\n1,2\n,3\n", "line 3, column 'load' holds ''; a number expected", "load");
        assertMessage("load\nNaN\n", "line 2, column 'load' holds NaN; a finite number expected", "load");
    }

    /** The line count includes the line ends inside quoted cells. */
    @Test
    void aRecordOfAnotherWidthNamesItsLine() throws IOException {
        assertMessage("a,b\n\"x\ny\",2\n3\n", "line 4 has 1 cells; 2, as in the header, expected", "b");
    }

    @Test
    void strayQuotesNameLineAndCharacter() throws IOException {
        assertMessage("a\n1\"2\n", "line 2, character 2: a quote inside an unquoted cell", "a");
        assertMessage("a,b\n\"1\"2,3\n", "line 2, character 4: text after a closing quote", "a");
        assertMessage("a,b\n1,\"2\n", "line 2, character 3: a quote that is never closed", "a");
    }

    @Test
    void aFileWithoutRecordsIsAnError() throws IOException {
        assertMessage("a,b\n", "has a header and no records", "a");
        assertMessage("\n\n", "no header", "a");
    }

    @Test
    void aColumnNamedTwiceIsAnError() throws IOException {
        assertMessage("a,a\n1,2\n", "more than one column 'a'", "a");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("series.csv"), text);
    }

    private void assertMessage(String text, String part, String column) throws IOException {
        Path file = write(text);
        DataException thrown = assertThrows(DataException.class, () -> CsvColumn.read(file, column));
        String message = String.valueOf(thrown.getMessage());
        assertTrue(message.startsWith(file.toString()) && message.contains(part), message);
    }
}
