package dev.gru4j.training.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The text that every JDK carries: the names of the Unicode characters, from {@link Character#getName}
 * over all defined code points, without the algorithmic ones that end in their own code point in hex
 * ({@code CJK UNIFIED IDEOGRAPHS 4E00}). On JDK 25 (Unicode 16): 34,201 names of together 873,486
 * characters, the longest 88. Split by {@link HeldOut} of the name.
 *
 * @param training the names to learn from, in the order of their code points
 * @param heldOut the names to be judged by, about one in {@value HeldOut#ONE_IN}
 */
public record UnicodeNames(List<String> training, List<String> heldOut) {
    public UnicodeNames {
        training = List.copyOf(training);
        heldOut = List.copyOf(heldOut);
    }

    /** Collects and splits the names; takes a fraction of a second. */
    public static UnicodeNames load() {
        List<String> training = new ArrayList<>();
        List<String> heldOut = new ArrayList<>();
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            // Private use and surrogates are named algorithmically; asking for all 137,000 of them costs time.
            int type = Character.getType(codePoint);
            if (type == Character.UNASSIGNED || type == Character.PRIVATE_USE || type == Character.SURROGATE) {
                continue;
            }
            String name = Character.getName(codePoint);
            if (name == null || isAlgorithmic(name, codePoint)) {
                continue;
            }
            (HeldOut.contains(name, HeldOut.ONE_IN) ? heldOut : training).add(name);
        }
        return new UnicodeNames(training, heldOut);
    }

    /** Whether the name ends in its own code point, in upper-case hex. */
    static boolean isAlgorithmic(String name, int codePoint) {
        return name.endsWith(Integer.toHexString(codePoint).toUpperCase(Locale.ROOT));
    }
}
