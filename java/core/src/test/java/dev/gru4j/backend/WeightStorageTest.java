package dev.gru4j.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class WeightStorageTest {
    private static final int SEED = 17;

    @Test
    void aFloatIsRoundedToTheNearestOfEightBits() {
        assertRounds(0x3f80_0000, 0x3f80_7fff, "just below a tie");
        assertRounds(0x3f81_0000, 0x3f80_8001, "just above a tie");
        assertRounds(0xbf81_0000, 0xbf80_8001, "the same of a negative number");
        assertRounds(0x3f80_0000, 0x3f80_0000, "a number of eight bits");
    }

    @Test
    void tiesGoToTheEvenOne() {
        assertRounds(0x3f80_0000, 0x3f80_8000, "down to even");
        assertRounds(0x3f82_0000, 0x3f81_8000, "up to even");
        assertRounds(0xbf82_0000, 0xbf81_8000, "away from 0 to even");
    }

    @Test
    void aCarryReachesTheExponent() {
        assertRounds(0x4000_0000, 0x3fff_ffff, "2 from below");
        assertRounds(0x7f7f_0000, 0x7f7f_7fff, "the largest that stays finite");
        assertRounds(0x7f80_0000, 0x7f7f_8000, "2^128 - 2^119 becomes infinite");
        assertRounds(0xff80_0000, 0xff7f_ffff, "so does the least finite float");
    }

    @Test
    void subnormalsAreRoundedAsOthersAre() {
        assertRounds(0x0000_0000, 0x0000_8000, "half of the least goes to 0");
        assertRounds(0x0001_0000, 0x0000_8001, "more than half does not");
        assertRounds(0x8000_0000, 0x8000_0001, "0 keeps the sign");
        assertRounds(0x0080_0000, 0x007f_ffff, "the largest subnormal becomes normal");
    }

    @Test
    void infinityAndNanStay() {
        assertEquals(Float.POSITIVE_INFINITY, WeightStorage.BF16.round(Float.POSITIVE_INFINITY));
        assertEquals(Float.NEGATIVE_INFINITY, WeightStorage.BF16.round(Float.NEGATIVE_INFINITY));
        // Its bits would carry into the exponent and make a 0 of it.
        assertTrue(Float.isNaN(WeightStorage.BF16.round(Float.intBitsToFloat(0x7fff_ffff))));
        assertTrue(Float.isNaN(WeightStorage.BF16.round(Float.intBitsToFloat(0x7f80_0001))));
    }

    @Test
    void aNormalNumberMovesByAtMostOneIn256() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int draw = 0; draw < 100_000; draw++) {
            float weight = Float.intBitsToFloat(random.nextInt(0x0080_0000, 0x7f7f_8000));
            float kept = WeightStorage.BF16.round(weight);
            assertEquals(0, Float.floatToRawIntBits(kept) & 0xffff, () -> kept + " has more than eight bits");
            assertTrue(
                    Math.abs((double) kept - weight) <= 0x1p-8 * weight,
                    () -> weight + " became " + kept + "; bound 2^-8 of it, seed " + SEED);
        }
    }

    @Test
    void fp32KeepsEveryBit() {
        float weight = Float.intBitsToFloat(0x3f80_8001);
        assertEquals(weight, WeightStorage.FP32.round(weight));
    }

    @Test
    void namesAreThoseOfOptions() {
        for (WeightStorage storage : WeightStorage.values()) {
            assertEquals(storage, WeightStorage.of(storage.toString()));
        }
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> WeightStorage.of("int8"));
        assertEquals("weight storage is 'int8'; fp32 or bf16 expected", e.getMessage());
    }

    private static void assertRounds(int expectedBits, int bits, String what) {
        float kept = WeightStorage.BF16.round(Float.intBitsToFloat(bits));
        assertEquals(
                Integer.toHexString(expectedBits), Integer.toHexString(Float.floatToRawIntBits(kept)),
                () -> what + ": " + Integer.toHexString(bits));
    }
}
