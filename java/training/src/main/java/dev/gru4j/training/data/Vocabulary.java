package dev.gru4j.training.data;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The symbols a character model knows, as ids 0 … size−1: the end of a sequence, the unknown character,
 * then the characters (Unicode code points) of the training text in ascending order.
 *
 * <p>{@link #END} is also what a model reads before the first character, so it marks the beginning too. A
 * character that the training text does not have becomes {@link #UNKNOWN}; every model that is compared
 * sees the same ids, so the comparison stays fair.
 */
public final class Vocabulary {
    /** End of a sequence, and what precedes its first character. */
    public static final int END = 0;

    /** Any character that is not in the training text. */
    public static final int UNKNOWN = 1;

    private static final int FIRST_CHARACTER = 2;

    /** What {@link #decode} writes for {@link #UNKNOWN}: U+FFFD, the replacement character. */
    private static final int REPLACEMENT = 0xFFFD;

    private final int[] codePoints;

    private Vocabulary(int[] sortedDistinct) {
        this.codePoints = sortedDistinct;
    }

    /** The vocabulary of some texts. */
    public static Vocabulary of(Iterable<String> texts) {
        BitSet seen = new BitSet();
        for (String text : texts) {
            text.codePoints().forEach(seen::set);
        }
        return new Vocabulary(seen.stream().toArray());
    }

    /** The vocabulary of one text given as code points. */
    public static Vocabulary of(int[] text) {
        return new Vocabulary(Arrays.stream(text).sorted().distinct().toArray());
    }

    /**
     * The vocabulary that {@link #characters()} describes.
     *
     * @throws IllegalArgumentException if the code points are not in strictly ascending order
     */
    public static Vocabulary ofCharacters(String characters) {
        int[] codePoints = characters.codePoints().toArray();
        for (int i = 1; i < codePoints.length; i++) {
            if (codePoints[i] <= codePoints[i - 1]) {
                throw new IllegalArgumentException("character " + i + " of the vocabulary is "
                        + Character.toString(codePoints[i]) + " after " + Character.toString(codePoints[i - 1])
                        + "; strictly ascending code points expected");
            }
        }
        return new Vocabulary(codePoints);
    }

    /** All characters in the order of their ids: what a checkpoint or weight file keeps. */
    public String characters() {
        return new String(codePoints, 0, codePoints.length);
    }

    /** Number of ids, {@link #END} and {@link #UNKNOWN} included. */
    public int size() {
        return FIRST_CHARACTER + codePoints.length;
    }

    /** The id of a code point, {@link #UNKNOWN} if the vocabulary lacks it. */
    public int id(int codePoint) {
        int index = Arrays.binarySearch(codePoints, codePoint);
        return index >= 0 ? FIRST_CHARACTER + index : UNKNOWN;
    }

    /** The ids of a text, without an end. */
    public int[] encode(String text) {
        return text.codePoints().map(this::id).toArray();
    }

    /** The ids of a text given as code points, without an end. */
    public int[] encode(int[] text) {
        return Arrays.stream(text).map(this::id).toArray();
    }

    /** The ids of a text and then {@link #END}: the events a model of it is asked to predict. */
    public int[] encodeWithEnd(String text) {
        int[] ids = encode(text);
        int[] withEnd = Arrays.copyOf(ids, ids.length + 1);
        withEnd[ids.length] = END;
        return withEnd;
    }

    /** The text of ids up to the first {@link #END} or the end of the array. */
    public String decode(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            if (id == END) {
                break;
            }
            text.appendCodePoint(id == UNKNOWN ? REPLACEMENT : codePoints[id - FIRST_CHARACTER]);
        }
        return text.toString();
    }
}
