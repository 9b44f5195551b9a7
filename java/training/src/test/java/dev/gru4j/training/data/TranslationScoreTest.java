package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.training.data.TranslationPairs.Pair;
import java.util.List;
import org.junit.jupiter.api.Test;

class TranslationScoreTest {
    @Test
    void editDistanceEqualsTheTextbookNumbers() {
        assertEquals(3, EditDistance.between("kitten", "sitting"));
        assertEquals(2, EditDistance.between("flaw", "lawn"));
        assertEquals(4, EditDistance.between("", "abcd"));
        assertEquals(4, EditDistance.between("abcd", ""));
        assertEquals(0, EditDistance.between("même", "même"));
    }

    @Test
    void aCharacterBeyondSixteenBitsCountsOnce() {
        assertEquals(1, EditDistance.between("a😀", "a"));
    }

    /** Targets of 4 and 6 characters; the first answer is right, the second needs 3 edits: 1/2 and 3/10. */
    @Test
    void scoreEqualsTheHandWorkedNumbers() {
        List<Pair> pairs = List.of(new Pair("s", "mots"), new Pair("t", "kitten"));
        TranslationScore score = TranslationScore.of(pairs, List.of("mots", "sitting"));
        assertEquals(0.5, score.exact());
        assertEquals(0.3, score.characterErrorRate(), 1e-12);
    }

    @Test
    void copyingTheSourceIsATranslatorToo() {
        List<Pair> pairs = List.of(new Pair("Togo", "Togo"), new Pair("abc", "abd"));
        assertEquals(new TranslationScore(2, 0.5, 1.0 / 7), TranslationScore.of(pairs, s -> s));
    }

    @Test
    void theNearestPairAnswersWithItsTarget() {
        NearestPair nearest = new NearestPair(List.of(new Pair("Greek (Cyprus)", "1"), new Pair("Greek", "2")));
        assertEquals("2", nearest.nearest("Greeks").target());
        assertEquals("1", nearest.nearest("Creek (Cyprus)").target());
    }

    @Test
    void ofTwoEquallyNearPairsTheFirstAnswers() {
        NearestPair nearest = new NearestPair(List.of(new Pair("ab", "1"), new Pair("cb", "2")));
        assertEquals("1", nearest.nearest("xb").target());
    }

    @Test
    void shouldRefuseAnswersThatDoNotMatchThePairs() {
        assertThrows(
                IllegalArgumentException.class, () -> TranslationScore.of(List.of(new Pair("a", "b")), List.of()));
    }
}
