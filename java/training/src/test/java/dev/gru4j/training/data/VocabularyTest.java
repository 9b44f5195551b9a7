package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class VocabularyTest {
    /** b, é and an emoji beyond the 16-bit plane: ids 2, 3, 4 in the order of their code points. */
    private final Vocabulary vocabulary = Vocabulary.of(List.of("éb", "b😀"));

    @Test
    void charactersAreNumberedByCodePoint() {
        assertEquals(5, vocabulary.size());
        assertArrayEquals(new int[] {2, 3, 4}, vocabulary.encode("bé😀"));
    }

    @Test
    void anEndFollowsTheLastCharacter() {
        assertArrayEquals(new int[] {4, 2, Vocabulary.END}, vocabulary.encodeWithEnd("😀b"));
    }

    @Test
    void unknownCharactersShareOneId() {
        assertArrayEquals(new int[] {Vocabulary.UNKNOWN, 2, Vocabulary.UNKNOWN}, vocabulary.encode("xb中"));
        assertEquals("\uFFFDb", vocabulary.decode(vocabulary.encode("xb")));
    }

    @Test
    void decodingStopsAtTheEnd() {
        assertEquals("bé", vocabulary.decode(new int[] {2, 3, Vocabulary.END, 4}));
    }

    @Test
    void theListOfCharactersRestoresIt() {
        Vocabulary restored = Vocabulary.ofCharacters(vocabulary.characters());
        assertEquals("bé😀", restored.characters());
        assertArrayEquals(vocabulary.encode("😀éb?"), restored.encode("😀éb?"));
        assertArrayEquals(
                vocabulary.encode("😀"),
                Vocabulary.of("😀béb".codePoints().toArray()).encode("😀".codePoints().toArray()));
    }

    @Test
    void shouldRefuseCharactersOutOfOrder() {
        assertThrows(IllegalArgumentException.class, () -> Vocabulary.ofCharacters("ba"));
        assertThrows(IllegalArgumentException.class, () -> Vocabulary.ofCharacters("aa"));
    }
}
