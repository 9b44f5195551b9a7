package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PermutationTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 16, 17, 63, 64, 65, 1000, 4097, 34_000})
    void everyNumberComesOnce(int size) {
        Permutation order = new Permutation(size, 7, 3);
        BitSet seen = new BitSet(size);
        for (int index = 0; index < size; index++) {
            int number = order.at(index);
            assertTrue(number >= 0 && number < size, number + " of " + size);
            assertFalse(seen.get(number), number + " came twice, size " + size);
            seen.set(number);
        }
        assertEquals(size, seen.cardinality());
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 1000})
    void keyAndTweakChooseTheOrder(int size) {
        int[] first = order(size, 7, 3);
        assertTrue(Arrays.equals(first, order(size, 7, 3)), "the same key and tweak give another order");
        assertFalse(Arrays.equals(first, order(size, 8, 3)), "the key does not count");
        assertFalse(Arrays.equals(first, order(size, 7, 4)), "the tweak does not count");
    }

    private static int[] order(int size, long key, long tweak) {
        Permutation permutation = new Permutation(size, key, tweak);
        int[] numbers = new int[size];
        Arrays.setAll(numbers, permutation::at);
        return numbers;
    }
}
