package dev.gru4j.training.data;

/** Levenshtein distance over code points: insertions, deletions and substitutions cost 1 each. */
public final class EditDistance {
    private EditDistance() {}

    /** Distance between two texts. */
    public static int between(String a, String b) {
        return between(a.codePoints().toArray(), b.codePoints().toArray());
    }

    /** Distance between two texts given as code points. */
    public static int between(int[] a, int[] b) {
        int[] previous = new int[b.length + 1];
        int[] current = new int[b.length + 1];
        for (int j = 0; j <= b.length; j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length; i++) {
            current[0] = i;
            for (int j = 1; j <= b.length; j++) {
                int substituted = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.min(substituted, 1 + Math.min(previous[j], current[j - 1]));
            }
            int[] swap = previous;
            previous = current;
            current = swap;
        }
        return previous[b.length];
    }
}
