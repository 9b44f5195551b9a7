package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PairwiseTest {
    private static final int[] LEVELS = {7, 2, 3, 1, 4, 2};

    @Test
    void everyPairOfValuesMeetsInSomeRow() {
        List<int[]> rows = Pairwise.rows(LEVELS, 1);
        for (int f = 0; f < LEVELS.length; f++) {
            for (int g = f + 1; g < LEVELS.length; g++) {
                for (int a = 0; a < LEVELS[f]; a++) {
                    for (int b = 0; b < LEVELS[g]; b++) {
                        int factor = f;
                        int other = g;
                        int value = a;
                        int otherValue = b;
                        assertTrue(
                                rows.stream().anyMatch(r -> r[factor] == value && r[other] == otherValue),
                                "no row has factor " + f + " = " + a + " and factor " + g + " = " + b);
                    }
                }
            }
        }
    }

    @Test
    void rowsAreFarFewerThanTheFullProduct() {
        int product = IntStream.of(LEVELS).reduce(1, (a, b) -> a * b);
        int rows = Pairwise.rows(LEVELS, 1).size();
        assertTrue(rows >= 7 * 4, rows + " rows cannot hold the 28 pairs of the two largest factors");
        assertTrue(rows * 4 < product, rows + " rows of " + product);
    }

    @Test
    void theSameSeedGivesTheSameRows() {
        List<int[]> once = Pairwise.rows(LEVELS, 5);
        List<int[]> again = Pairwise.rows(LEVELS, 5);
        assertEquals(once.size(), again.size());
        for (int i = 0; i < once.size(); i++) {
            assertArrayEquals(once.get(i), again.get(i), "row " + i);
        }
    }
}
