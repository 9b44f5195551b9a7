package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class UnicodeNamesTest {
    private final UnicodeNames names = UnicodeNames.load();

    @Test
    void namesAreThoseOfTheCharactersOfThisJdk() {
        Set<String> all = new HashSet<>(names.training());
        all.addAll(names.heldOut());
        assertTrue(all.contains("LATIN SMALL LETTER A"), "LATIN SMALL LETTER A is missing");
        assertTrue(all.contains("BOX DRAWINGS LIGHT HORIZONTAL"), "BOX DRAWINGS LIGHT HORIZONTAL is missing");
        // A later JDK has more characters, never fewer.
        assertTrue(all.size() >= 34_201, all.size() + " names; at least 34201, those of JDK 25, expected");
    }

    @Test
    void namesThatEndInTheirOwnCodePointAreLeftOut() {
        assertTrue(UnicodeNames.isAlgorithmic(Character.getName(0x4E00), 0x4E00));
        assertTrue(UnicodeNames.isAlgorithmic(Character.getName(0xAC00), 0xAC00));
        assertFalse(UnicodeNames.isAlgorithmic("LATIN SMALL LETTER A", 'a'));
        Stream.concat(names.training().stream(), names.heldOut().stream())
                .forEach(n -> assertFalse(n.startsWith("CJK UNIFIED IDEOGRAPH"), n));
    }

    @Test
    void noNameIsInBothParts() {
        Set<String> training = new HashSet<>(names.training());
        names.heldOut().forEach(n -> assertFalse(training.contains(n), n));
        assertEquals(names.training().size(), training.size(), "distinct training names");
    }

    @Test
    void oneNameInTwentyIsHeldOut() {
        double share = (double) names.heldOut().size() / (names.heldOut().size() + names.training().size());
        assertEquals(0.05, share, 0.005, "held-out share");
    }
}
