package dev.gru4j.reference;

import dev.gru4j.backend.ProductPrecision;

/**
 * The arithmetic the reference runs in. It computes in double and passes every intermediate through
 * {@link #round}; for +, −, ×, ÷ and √ of floats, rounding the double result to float equals float
 * arithmetic exactly (a double has more than twice a float's bits, plus two). Products of matrices go
 * through {@link #product}, where the reduced precisions differ from float, and nowhere else.
 */
public enum Precision {
    /** IEEE binary64. */
    DOUBLE,

    /** IEEE binary32. */
    FLOAT,

    /** Float, but the operands of matrix products have 11 significant bits. */
    TF32,

    /** Float, but each operand of a matrix product is the sum of two of 11 significant bits. */
    TF32X3,

    /** Float, but the operands of matrix products have 8 significant bits. */
    BF16,

    /** Float, but the operands of matrix products are IEEE binary16. */
    FP16;

    /** The reference's arithmetic of a backend that rounds the operands of its products so. */
    public static Precision of(ProductPrecision precision) {
        return switch (precision) {
            case FP32 -> FLOAT;
            case TF32 -> TF32;
            case TF32X3 -> TF32X3;
            case BF16 -> BF16;
            case FP16 -> FP16;
        };
    }

    /** The nearest number of this arithmetic: of double or, whatever its products round to, of float. */
    public double round(double value) {
        return this == DOUBLE ? value : (float) value;
    }

    /**
     * One term a·b of a matrix product, rounded once: the operands are rounded first, as this precision says, and
     * then multiplied in double, where the product of two floats is exact.
     *
     * @param a a number of this arithmetic
     * @param b another
     */
    public double product(double a, double b) {
        return round(unrounded(a, b));
    }

    /** {@link #product} before its own rounding, for sums that are kept in double. */
    double unrounded(double a, double b) {
        return switch (this) {
            case DOUBLE, FLOAT -> a * b;
            case TF32 -> (double) toTf32((float) a) * toTf32((float) b);
            case TF32X3 -> split((float) a, (float) b);
            case BF16 -> (double) toBf16((float) a) * toBf16((float) b);
            case FP16 -> (double) toFp16((float) a) * toFp16((float) b);
        };
    }

    /** small·big + big·small + big·big, each factor in tf32; small·small, at most 2^−22 of the product, is left out. */
    private static double split(float a, float b) {
        double aBig = toTf32(a);
        double bBig = toTf32(b);
        double aSmall = small(a, aBig);
        double bSmall = small(b, bBig);
        return aSmall * bBig + aBig * bSmall + aBig * bBig;
    }

    /** What {@code big} leaves of {@code a}; 0 where it is infinite, since ∞ − ∞ is no number. */
    private static double small(float a, double big) {
        return Double.isInfinite(big) ? 0 : toTf32((float) (a - big));
    }

    /**
     * The nearest number of 11 significant bits, ties away from zero, as the instruction cvt.rna.tf32 gives it:
     * half a unit of the last bit kept is added to the bits, whose carry may reach the exponent and, from
     * 2^128 − 2^116 on, infinity. Subnormal numbers have fewer bits, down to 2^−136. Infinity and NaN stay.
     */
    static float toTf32(float value) {
        return Float.isFinite(value)
                ? Float.intBitsToFloat((Float.floatToRawIntBits(value) + 0x1000) & ~0x1fff)
                : value;
    }

    /**
     * The nearest number of 8 significant bits, ties to even: half a unit of the last bit kept is added, or just less
     * than that where the bits kept are even, so that a tie stays there. Infinity comes from 2^128 − 2^119 on;
     * infinity and NaN stay.
     */
    static float toBf16(float value) {
        if (!Float.isFinite(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        int isOdd = bits >>> 16 & 1;
        return Float.intBitsToFloat((bits + 0x7fff + isOdd) & ~0xffff);
    }

    /** The nearest number of IEEE binary16, ties to even: subnormal below 2^−14, infinite from 65520 on; NaN stays. */
    static float toFp16(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }
}
