package dev.gru4j.parity;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.reference.Precision;

/**
 * How far a backend may be from the exact result; computed for each tensor of each case, nowhere chosen.
 *
 * <pre>
 *   err(found) = max |found − exact|                     exact: the reference in double, on the same float inputs
 *   bound      = 2 · err(twin) + floor                   twin: the reference in the backend's own precision
 *                                                        floor: 4 ULP (of a float) of the tensor's largest magnitude
 * </pre>
 *
 * <p><b>What the twin is.</b> Of a backend in fp32 it is the reference in float. Of one that rounds the operands of its
 * products to tf32, 3xtf32, bf16 or fp16 it is the float reference that rounds them likewise
 * ({@link Precision#product}), and nothing else. So a reduced precision has its own computed bound, in which an operand
 * that is not rounded stays, and a second rounding, one to fewer bits or a term left out does not.
 *
 * <p><b>Why twice the twin's error.</b> It makes every rounding that float arithmetic cannot avoid, in the
 * plainest order. Length of the sequence, length of the sums, cancellation and saturation enter by themselves, because
 * it suffers from them as any backend does. A backend that sums in another order makes another error of the same size;
 * twice that size leaves room for the difference and none for a wrong formula.
 *
 * <p><b>Why a floor.</b> One activation within 3 ULP (the simd backend's stated bound) and the rounding of the blend
 * make 4 ULP at most, where the reference, with its nearly exact activations, may happen to be off by nothing at all.
 *
 * <p><b>Why redraws.</b> The maximum over many elements is a steady measure of an error's size; that over three
 * elements is luck, and small exactly when the luck was good. So where a tensor is small, the double run and the twin's are
 * repeated with all inputs changed by less than a small part ({@link #change}) of themselves: the same problem with the
 * same conditioning, its roundings drawn anew. The largest error of all draws counts. There are as many draws as make elements × draws reach
 * {@value #SAMPLES}: the largest of that many normal errors is more than twice the largest of as many others once in
 * 6,000 pairs (by simulation), and then there is the floor. And there are at least {@value #MIN_DRAWS}, however large the
 * tensor: over a long sequence or behind saturated gates all elements may inherit the rounding of one early state, and
 * are then one sample and not many.
 *
 * <p><b>Why more redraws of a miss.</b> The suite makes tens of thousands of comparisons, and where one ill-conditioned
 * element decides, four draws are few: one normal error is more than twice the largest of four others in about one of 26
 * pairs. So before a tensor is called wrong, the twin's error is measured on {@value #DRAWS_OF_A_MISS} draws,
 * whose double one normal error exceeds once in 60,000 pairs (both by simulation). A wrong formula is wrong by much more.
 */
final class Tolerance {
    /** Elements × draws on which the twin's error is measured, at least. */
    static final int SAMPLES = 128;

    /** Draws of every tensor, at least. */
    static final int MIN_DRAWS = 4;

    /** Draws that decide whether a tensor beyond the bound of fewer is wrong. */
    static final int DRAWS_OF_A_MISS = 64;

    /** Share of the twin's error. */
    private static final double FACTOR = 2;

    /** Of the largest magnitude. */
    private static final double FLOOR_ULPS = 4;

    /** {@link #change} where nothing but floats is rounded: 128 times half an ULP of one, 2^−24. */
    private static final double CHANGE_OF_FLOATS = 0x1p-16;

    /** {@link #change} of rounded operands, in units of the largest rounding: two to four of their ULP to either side. */
    private static final double CHANGE_OF_OPERANDS = 4;

    private Tolerance() {}

    /**
     * Relative size of the change between two draws: several ULP of whatever the twin rounds to, so that every rounding
     * falls anew, and otherwise as small as can be, so that the problem stays the same. 2^−16 moves no number of 8 bits
     * to another one; 2^−6 moves each by up to four of them. For 3xtf32 it is the change of tf32: what is small in an
     * operand, and with it the term left out, falls anew only where what is big in it does.
     */
    static double change(Precision twin) {
        return switch (twin) {
            case DOUBLE, FLOAT -> CHANGE_OF_FLOATS;
            case TF32, TF32X3 -> changeOf(ProductPrecision.TF32);
            case BF16 -> changeOf(ProductPrecision.BF16);
            case FP16 -> changeOf(ProductPrecision.FP16);
        };
    }

    private static double changeOf(ProductPrecision operands) {
        return Math.scalb(CHANGE_OF_OPERANDS, -operands.significantBits());
    }

    /** Draws needed for a tensor of that many elements; 1 for an empty one. */
    static int draws(int elements) {
        return elements == 0 ? 1 : Math.max(MIN_DRAWS, Math.ceilDiv(SAMPLES, elements));
    }

    /** max |found − exact|; infinite where exactly one of the two is NaN, or an infinity is missed. */
    static double error(double[] exact, double[] found) {
        double worst = 0;
        for (int k = 0; k < exact.length; k++) {
            worst = Math.max(worst, difference(exact[k], found[k]));
        }
        return worst;
    }

    /** |found − exact|; 0 for equal infinities and for two NaN, infinite for one NaN. */
    static double difference(double exact, double found) {
        if (exact == found || (Double.isNaN(exact) && Double.isNaN(found))) {
            return 0;
        }
        double difference = Math.abs(found - exact);
        return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
    }

    /** 4 ULP of the largest magnitude; the smallest subnormals for a tensor of zeros. */
    static double floor(double[] exact) {
        double largest = 0;
        for (double value : exact) {
            largest = Math.max(largest, Math.abs(value));
        }
        return FLOOR_ULPS * Math.ulp((float) largest);
    }

    /** The largest allowed |found − exact|. */
    static double bound(double[] exact, double referenceError) {
        return FACTOR * referenceError + floor(exact);
    }
}
