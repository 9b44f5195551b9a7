package dev.gru4j.training.data;

import dev.gru4j.training.data.TranslationPairs.Pair;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * How well translations agree with their targets.
 *
 * @param pairs number of pairs judged
 * @param exact share of answers that equal their target, 0 … 1
 * @param characterErrorRate sum of the edit distances between answers and targets divided by the sum of the
 *     targets' characters; may exceed 1
 */
public record TranslationScore(int pairs, double exact, double characterErrorRate) {
    /** Judges the answers to all sources, given in the order of the pairs. */
    public static TranslationScore of(List<Pair> pairs, List<String> answers) {
        if (pairs.isEmpty() || pairs.size() != answers.size()) {
            throw new IllegalArgumentException(
                    answers.size() + " answers for " + pairs.size()
                            + " pairs; one for each, and at least one, expected");
        }
        int equal = 0;
        long edits = 0;
        long characters = 0;
        for (int i = 0; i < pairs.size(); i++) {
            String target = pairs.get(i).target();
            String answer = answers.get(i);
            equal += answer.equals(target) ? 1 : 0;
            edits += EditDistance.between(answer, target);
            characters += target.codePointCount(0, target.length());
        }
        return new TranslationScore(pairs.size(), (double) equal / pairs.size(), (double) edits / characters);
    }

    /** Judges a translator that answers one source at a time. */
    public static TranslationScore of(List<Pair> pairs, UnaryOperator<String> translator) {
        return of(pairs, pairs.stream().map(Pair::source).map(translator).toList());
    }
}
