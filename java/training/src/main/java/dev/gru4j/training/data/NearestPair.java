package dev.gru4j.training.data;

import dev.gru4j.training.data.TranslationPairs.Pair;
import java.util.List;

/**
 * The translator that only remembers: it answers with the target of the training pair whose source has the
 * smallest {@link EditDistance} to the question; of equals, the first.
 */
public final class NearestPair {
    private final List<Pair> training;
    private final int[][] sources;

    public NearestPair(List<Pair> training) {
        if (training.isEmpty()) {
            throw new IllegalArgumentException("no training pairs; at least one expected");
        }
        this.training = List.copyOf(training);
        this.sources =
                training.stream().map(p -> p.source().codePoints().toArray()).toArray(int[][]::new);
    }

    /** The remembered pair nearest to {@code source}. */
    public Pair nearest(String source) {
        int[] asked = source.codePoints().toArray();
        int best = 0;
        int bestDistance = Integer.MAX_VALUE;
        for (int i = 0; i < sources.length; i++) {
            // The difference in length is a lower bound of the distance: most pairs are settled by it.
            if (Math.abs(sources[i].length - asked.length) < bestDistance) {
                int distance = EditDistance.between(asked, sources[i]);
                if (distance < bestDistance) {
                    bestDistance = distance;
                    best = i;
                }
            }
        }
        return training.get(best);
    }
}
