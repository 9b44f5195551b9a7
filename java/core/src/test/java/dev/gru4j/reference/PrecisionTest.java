package dev.gru4j.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.ProductPrecision;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The roundings of operands, by numbers worked by hand, and what becomes of them in a product. */
class PrecisionTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    /** 11 significant bits: between 1 and 2 the numbers are 2^−10 apart. */
    @ParameterizedTest
    @CsvSource({
        "0x1.004p0, 0x1.004p0", // one of them
        "0x1.005p0, 0x1.004p0", // a quarter on: down
        "0x1.007p0, 0x1.008p0", // three quarters on: up
        "0x1.002p0, 0x1.004p0", // a tie goes away from zero, from an even number
        "0x1.006p0, 0x1.008p0", // and from an odd one
        "0x1.001ffep0, 0x1.0p0", // one float below the tie
        "0x1.ffep0, 0x1.0p1", // the carry reaches the exponent
        "0x1.ffdffep0, 0x1.ffcp0",
        "0x1.002p-126, 0x1.004p-126", // the smallest normal numbers
        "0x1.0p-136, 0x1.0p-136", // the smallest subnormal one of this precision
        "0x1.0p-137, 0x1.0p-136", // a tie with zero
        "0x1.ffep-138, 0x0p0",
        "0x1.ffcp127, 0x1.ffcp127", // the largest
        "0x1.ffdffep127, 0x1.ffcp127"
    })
    void tf32RoundsToElevenBitsAndTiesAwayFromZero(String value, String expected) {
        assertRounds(value, expected, v -> Precision.toTf32((float) v));
    }

    @Test
    void tf32ReachesInfinityByItsCarry() {
        assertEquals(INFINITY, Precision.toTf32(0x1.ffep127f));
        assertEquals(-INFINITY, Precision.toTf32(-Float.MAX_VALUE));
    }

    /** 8 significant bits: between 1 and 2 the numbers are 2^−7 apart. */
    @ParameterizedTest
    @CsvSource({
        "0x1.02p0, 0x1.02p0", // one of them
        "0x1.028p0, 0x1.02p0", // a quarter on: down
        "0x1.038p0, 0x1.04p0", // three quarters on: up
        "0x1.01p0, 0x1.0p0", // a tie goes to the even one, down
        "0x1.03p0, 0x1.04p0", // or up
        "0x1.010002p0, 0x1.02p0", // one float beyond the tie
        "0x1.ffp0, 0x1.0p1", // the carry reaches the exponent
        "0x1.0p-133, 0x1.0p-133", // the smallest subnormal number
        "0x1.0p-134, 0x0p0", // a tie with zero, which is even
        "0x1.8p-133, 0x1.0p-132", // a tie of one and two of them
        "0x1.fep127, 0x1.fep127", // the largest
        "0x1.fefffep127, 0x1.fep127"
    })
    void bf16RoundsToEightBitsAndTiesToEven(String value, String expected) {
        assertRounds(value, expected, v -> Precision.toBf16((float) v));
    }

    @Test
    void bf16ReachesInfinityByItsCarry() {
        assertEquals(INFINITY, Precision.toBf16(0x1.ffp127f));
        assertEquals(-INFINITY, Precision.toBf16(-Float.MAX_VALUE));
    }

    /** 11 significant bits and exponents from −14 to 15. */
    @ParameterizedTest
    @CsvSource({
        "0x1.004p0, 0x1.004p0", // one of them
        "0x1.002p0, 0x1.0p0", // a tie goes to the even one, down
        "0x1.006p0, 0x1.008p0", // or up
        "0x1.ffep0, 0x1.0p1", // the carry reaches the exponent
        "0x1.0p-14, 0x1.0p-14", // the smallest normal number
        "0x1.ff4p-15, 0x1.ffp-15", // below it one bit is lost: a tie goes to the even one, down
        "0x1.ffcp-15, 0x1.0p-14", // or up
        "0x1.8p-24, 0x1.0p-23", // a tie of one and two of the smallest
        "0x1.0p-24, 0x1.0p-24", // the smallest subnormal number
        "0x1.0p-25, 0x0p0", // a tie with zero, which is even
        "0x1.000002p-25, 0x1.0p-24",
        "65504, 65504", // the largest
        "65519, 65504"
    })
    void fp16RoundsToBinary16AndTiesToEven(String value, String expected) {
        assertRounds(value, expected, v -> Precision.toFp16((float) v));
    }

    @Test
    void fp16OverflowsToInfinityFromHalfAStepBeyondItsLargest() {
        assertEquals(INFINITY, Precision.toFp16(65520));
        assertEquals(-INFINITY, Precision.toFp16(-1e6f));
    }

    @Test
    void infinityNaNAndTheSignOfZeroStay() {
        for (DoubleUnaryOperator rounding : new DoubleUnaryOperator[] {
            v -> Precision.toTf32((float) v), v -> Precision.toBf16((float) v), v -> Precision.toFp16((float) v)
        }) {
            assertEquals(INFINITY, rounding.applyAsDouble(INFINITY));
            assertEquals(-INFINITY, rounding.applyAsDouble(-INFINITY));
            assertEquals(-0.0, rounding.applyAsDouble(-0.0));
            // A NaN whose bits a carry would turn into −0, and one whose bits kept are those of infinity.
            assertTrue(Double.isNaN(rounding.applyAsDouble(Float.intBitsToFloat(0x7fffffff))));
            assertTrue(Double.isNaN(rounding.applyAsDouble(Float.intBitsToFloat(0x7f800001))));
        }
    }

    /** a = 1 + 2^−11 + 2^−20 is big = 1 + 2^−10, small = −(2^−11 − 2^−20); b = 1 + 2^−12 is big = 1, small = 2^−12. */
    @Test
    void threeProductsOfTf32LeaveOutTheProductOfWhatIsSmall() {
        double small = -(0x1p-11 - 0x1p-20);
        double exact = (1 + 0x1p-11 + 0x1p-20) * (1 + 0x1p-12);
        double expected = exact - small * 0x1p-12;
        assertEquals(expected, Precision.TF32X3.unrounded(1 + 0x1p-11 + 0x1p-20, 1 + 0x1p-12));
        assertEquals((double) (float) expected, Precision.TF32X3.product(1 + 0x1p-11 + 0x1p-20, 1 + 0x1p-12));
        // What is exact in tf32 is exact in three of them.
        assertEquals(0x1.004p0 * 3, Precision.TF32X3.product(0x1.004p0, 3));
    }

    /** One operand of which tf32's carry makes infinity: what is small is 0, not −∞. */
    @Test
    void threeProductsOfTf32OfAnInfiniteOperandAreInfiniteOrNoNumber() {
        assertEquals(Double.POSITIVE_INFINITY, Precision.TF32X3.product(Float.MAX_VALUE, 1 + 0x1p-12));
        assertTrue(Double.isNaN(Precision.TF32X3.product(Float.MAX_VALUE, 1)), "∞ · 0, of what is small in 1");
    }

    /** Half a unit in the last place relative to the operand, of each of two: what the bounds of the parity suite rest on. */
    @ParameterizedTest
    @EnumSource(ProductPrecision.class)
    void aProductIsAsGoodAsItsSignificantBits(ProductPrecision products) {
        Precision precision = Precision.of(products);
        double unit = Math.scalb(1.0, -products.significantBits());
        SplittableRandom random = new SplittableRandom(7);
        double worst = 0;
        for (int k = 0; k < 10_000; k++) {
            float a = (float) random.nextDouble(-4, 4);
            float b = (float) random.nextDouble(-4, 4);
            double error = Math.abs(precision.product(a, b) / ((double) a * b) - 1);
            worst = Math.max(worst, error);
        }
        assertTrue(worst <= 2.1 * unit + 0x1p-24, products + ": " + worst + " beyond two of " + unit);
        // It is rounded at all, and to no more bits than it says.
        assertTrue(products == ProductPrecision.TF32X3 || worst > unit / 4, products + ": only " + worst);
    }

    @Test
    void everythingButProductsIsFloat() {
        for (Precision precision : Precision.values()) {
            double expected = precision == Precision.DOUBLE ? 1.1 : 1.1f;
            assertEquals(expected, precision.round(1.1), precision.toString());
        }
    }

    private static void assertRounds(String value, String expected, DoubleUnaryOperator rounding) {
        double number = Double.parseDouble(value);
        double nearest = Double.parseDouble(expected);
        assertEquals(nearest, rounding.applyAsDouble(number), () -> value + " as " + Double.toHexString(nearest));
        assertEquals(-nearest, rounding.applyAsDouble(-number), () -> "-" + value);
    }
}
