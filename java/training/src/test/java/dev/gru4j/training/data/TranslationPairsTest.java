package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.training.data.TranslationPairs.Pair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TranslationPairsTest {
    @TempDir
    private Path folder;

    @Test
    void theJdkKnowsAboutTwoThousandPairs() {
        TranslationPairs pairs = TranslationPairs.ofJdk();
        List<Pair> all = Stream.concat(pairs.training().stream(), pairs.heldOut().stream())
                .toList();
        assertTrue(all.size() > 1800 && all.size() < 4000, all.size() + " pairs; about 2000 expected");
        assertTrue(all.contains(new Pair("Germany", "Allemagne")), "Germany is missing");
        assertTrue(all.contains(new Pair("Greek", "grec")), "Greek is missing");
        assertTrue(all.contains(new Pair("Swiss Franc", "franc suisse")), "Swiss Franc is missing");
        Set<String> sources = new HashSet<>();
        all.forEach(p -> assertTrue(sources.add(p.source()), "'" + p.source() + "' occurs twice"));
    }

    @Test
    void theSplitDependsOnTheSourceAlone() {
        TranslationPairs pairs = TranslationPairs.ofJdk();
        pairs.heldOut().forEach(p -> assertTrue(HeldOut.contains(p.source(), TranslationPairs.ONE_IN), p.source()));
        pairs.training().forEach(p -> assertTrue(!HeldOut.contains(p.source(), TranslationPairs.ONE_IN), p.source()));
    }

    @Test
    void aFileOfPairsIsReadAndSplit() throws IOException {
        StringBuilder text = new StringBuilder("\n");
        for (int i = 0; i < 100; i++) {
            text.append("source ").append(i).append("\tcible ").append(i).append("\r\n");
        }
        TranslationPairs pairs = TranslationPairs.read(write(text.toString()));
        assertEquals(100, pairs.training().size() + pairs.heldOut().size());
        assertTrue(pairs.training().contains(new Pair("source 1", "cible 1"))
                || pairs.heldOut().contains(new Pair("source 1", "cible 1")));
    }

    @Test
    void aLineWithoutATabNamesItsNumber() throws IOException {
        assertMessage("a\tb\n\nc d\n", "line 3 has 1 tab-separated columns");
        assertMessage("a\tb\tc\n", "line 1 has 3 tab-separated columns");
    }

    @Test
    void anEmptySideNamesItsLine() throws IOException {
        assertMessage("a\tb\nc\t \n", "line 2 has an empty target");
        assertMessage("\tb\n", "line 1 has an empty source");
    }

    @Test
    void aSourceWithTwoTargetsNamesItsLine() throws IOException {
        assertMessage("a\tb\na\tb\na\tc\n", "line 3 repeats the source 'a'");
    }

    @Test
    void tooFewPairsToSplitIsAnError() throws IOException {
        assertMessage("a\tb\n", "has 1 pairs");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("pairs.tsv"), text);
    }

    private void assertMessage(String text, String part) throws IOException {
        Path file = write(text);
        DataException thrown = assertThrows(DataException.class, () -> TranslationPairs.read(file));
        String message = String.valueOf(thrown.getMessage());
        assertTrue(message.startsWith(file.toString()) && message.contains(part), message);
    }
}
