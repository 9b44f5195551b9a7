package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NgramModelTest {
    private static final int A = 2;
    private static final int B = 3;

    /** END, UNKNOWN, a, b. */
    private static final int SYMBOLS = 4;

    /** "aab" and its end. */
    private static final List<int[]> AAB = List.of(new int[] {A, A, B, Vocabulary.END});

    /**
     * Order 0, by hand: c(a) = 2, c(b) = c(END) = 1, c() = 4, T() = 3, so
     * P(a) = (2 + 3/4)/7, P(b) = P(END) = (1 + 3/4)/7, P(UNKNOWN) = (3/4)/7.
     */
    @Test
    void orderZeroEqualsTheHandWorkedNumbers() {
        NgramModel model = NgramModel.train(0, SYMBOLS, AAB);
        assertEquals(-log2(2.75 / 7), model.bits(new int[] {A}), 1e-12);
        assertEquals(-log2(1.75 / 7), model.bits(new int[] {B}), 1e-12);
        assertEquals(-log2(0.75 / 7), model.bits(new int[] {Vocabulary.UNKNOWN}), 1e-12);
    }

    /**
     * Order 1, by hand: after END only a (c = 1, T = 1), after a one a and one b (c = 2, T = 2), after b only
     * END: P(a|END) = (1 + 2.75/7)/2, P(b|a) = (1 + 2·1.75/7)/4, P(END|b) = (1 + 1.75/7)/2.
     */
    @Test
    void orderOneEqualsTheHandWorkedNumbers() {
        NgramModel model = NgramModel.train(1, SYMBOLS, AAB);
        double expected = -log2((1 + 2.75 / 7) / 2) - log2((1 + 2 * 1.75 / 7) / 4) - log2((1 + 1.75 / 7) / 2);
        assertEquals(expected, model.bits(new int[] {A, B, Vocabulary.END}), 1e-12);
    }

    /** After UNKNOWN, never seen, order 2 knows no more than order 0. */
    @Test
    void aContextNeverSeenFallsBackToTheShorterOne() {
        NgramModel model = NgramModel.train(2, SYMBOLS, AAB);
        double unknownFirst = model.bits(new int[] {Vocabulary.UNKNOWN});
        double unknownThenA = model.bits(new int[] {Vocabulary.UNKNOWN, A});
        assertEquals(-log2(2.75 / 7), unknownThenA - unknownFirst, 1e-12);
    }

    @Test
    void probabilitiesAfterAnyContextSumToOne() {
        Random random = new Random(7);
        List<int[]> sequences = new ArrayList<>();
        for (int n = 0; n < 300; n++) {
            sequences.add(random.ints(1 + random.nextInt(20), 0, 30).toArray());
        }
        for (int order = 0; order <= 4; order++) {
            NgramModel model = NgramModel.train(order, 30, sequences);
            for (int[] context : List.of(new int[0], sequences.get(0), new int[] {5, 17, 3, 29, 1})) {
                double before = model.bits(context);
                double sum = 0;
                int[] longer = Arrays.copyOf(context, context.length + 1);
                for (int symbol = 0; symbol < 30; symbol++) {
                    longer[context.length] = symbol;
                    sum += Math.pow(2, before - model.bits(longer));
                }
                assertEquals(1, sum, 1e-9, "order " + order + ", context of " + context.length + " symbols");
            }
        }
    }

    @Test
    void bitsPerEventDividesByAllEventsEndsIncluded() {
        NgramModel model = NgramModel.train(0, SYMBOLS, AAB);
        double expected = (-2 * log2(1.75 / 7) - 2 * log2(2.75 / 7) - log2(1.75 / 7)) / 5;
        List<int[]> heldOut = List.of(new int[] {B, Vocabulary.END}, new int[] {A, A, Vocabulary.END});
        assertEquals(expected, model.bitsPerEvent(heldOut), 1e-12);
    }

    /** P(b|a) alone, as in the order-1 numbers above: the a is given. */
    @Test
    void givenSymbolsAreContextOnly() {
        NgramModel model = NgramModel.train(1, SYMBOLS, AAB);
        assertEquals(-log2((1 + 2 * 1.75 / 7) / 4), model.bitsPerEvent(List.of(new int[] {A, B}), 1), 1e-12);
    }

    /** The numbers the trained GRU is compared with; about 4.4, 2.6 and 1.25 bits on JDK 25. */
    @Test
    void unicodeNamesTakeAboutTheKnownBits() {
        UnicodeNames names = UnicodeNames.load();
        Vocabulary vocabulary = Vocabulary.of(names.training());
        List<int[]> training =
                names.training().stream().map(vocabulary::encodeWithEnd).toList();
        List<int[]> heldOut =
                names.heldOut().stream().map(vocabulary::encodeWithEnd).toList();
        double[] known = {4.44, 2.60, 1.245};
        for (int i = 0; i < known.length; i++) {
            int order = 2 * i;
            double bits = NgramModel.train(order, vocabulary.size(), training).bitsPerEvent(heldOut);
            assertEquals(known[i], bits, 0.03, "bits per character of order " + order);
        }
    }

    @Test
    void shouldRefuseSymbolsOutsideTheVocabularyAndEmptyText() {
        assertThrows(IllegalArgumentException.class, () -> NgramModel.train(1, 4, List.of(new int[] {4})));
        NgramModel model = NgramModel.train(1, 4, AAB);
        assertThrows(IllegalArgumentException.class, () -> model.bitsPerEvent(List.of()));
        assertThrows(IllegalArgumentException.class, () -> NgramModel.train(-1, 4, AAB));
    }

    private static double log2(double p) {
        return Math.log(p) / Math.log(2);
    }
}
