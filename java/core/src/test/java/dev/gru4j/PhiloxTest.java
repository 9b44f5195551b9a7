package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PhiloxTest {
    /** The known answers that the authors publish with Random123 (file kat_vectors, philox4x32 with 10 rounds). */
    @ParameterizedTest
    @CsvSource({
        "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
        "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420 24126ea1"
    })
    void blocksEqualThePublishedAnswers(String counter, String key, String expected) {
        int[] c = words(counter);
        int[] k = words(key);
        int[] found = new int[4];
        Philox.block(c[0], c[1], c[2], c[3], Integer.toUnsignedLong(k[0]) | (long) k[1] << 32, found);
        assertArrayEquals(words(expected), found);
    }

    @Test
    void unitIntervalTakesTheUpperTwentyFourBits() {
        assertEquals(0f, Philox.toUnitInterval(0xFF));
        assertEquals(0x1p-24f, Philox.toUnitInterval(0x100));
        assertEquals(0.5f, Philox.toUnitInterval(0x80000000));
        assertEquals(1 - 0x1p-24f, Philox.toUnitInterval(-1));
    }

    @ParameterizedTest
    @ValueSource(floats = {0f, 0.1f, 0.5f, 0.9f})
    void featuresAreKeptAtTheRateOfOneMinusP(float p) {
        int rows = 64;
        float[] scales = new float[1000];
        int kept = 0;
        for (int row = 0; row < rows; row++) {
            Philox.dropoutScales(p, 7, 11, 1, 3, row, scales);
            for (float scale : scales) {
                assertTrue(scale == 0f || scale == 1f / (1f - p), "scale is " + scale + " at p = " + p);
                kept += scale != 0f ? 1 : 0;
            }
        }
        double draws = (double) rows * scales.length;
        // Five standard deviations of a binomial count; seeded, so this either always or never holds.
        assertEquals((1 - p) * draws, kept, 5 * Math.sqrt(draws * p * (1 - p)), "features kept of " + draws);
    }

    @Test
    void aUnitsScaleDependsOnItsCounterAlone() {
        float[] narrow = new float[5];
        float[] wide = new float[23];
        Philox.dropoutScales(0.5f, 1, 2, 3, 4, 5, narrow);
        Philox.dropoutScales(0.5f, 1, 2, 3, 4, 5, wide);
        assertArrayEquals(narrow, Arrays.copyOf(wide, narrow.length));
    }

    @Test
    void everyCoordinateOfTheCounterChangesTheMask() {
        float[] base = mask(1, 2, 3, 4, 5);
        assertTrue(!Arrays.equals(base, mask(9, 2, 3, 4, 5)), "seed");
        assertTrue(!Arrays.equals(base, mask(1L << 32 | 1, 2, 3, 4, 5)), "upper half of the seed");
        assertTrue(!Arrays.equals(base, mask(1, 9, 3, 4, 5)), "iteration");
        assertTrue(!Arrays.equals(base, mask(1, 2, 9, 4, 5)), "layer");
        assertTrue(!Arrays.equals(base, mask(1, 2, 3, 9, 5)), "t");
        assertTrue(!Arrays.equals(base, mask(1, 2, 3, 4, 9)), "row");
    }

    private static float[] mask(long seed, long iteration, int layer, int t, int row) {
        float[] scales = new float[64];
        Philox.dropoutScales(0.5f, seed, iteration, layer, t, row, scales);
        return scales;
    }

    private static int[] words(String hex) {
        return Arrays.stream(hex.split(" ", -1)).mapToInt(HexFormat::fromHexDigits).toArray();
    }
}
