package dev.gru4j.backend;

/**
 * What a backend rounds the operands of its matrix products to: of projections, of the gradients that go back through
 * them, of weight gradients, of dense layers. All else is the same in every precision: the product of two operands is
 * exact, sums are kept in fp32, and states, gates, gradients, biases and parameters are and stay IEEE fp32.
 *
 * <p>Rounding is to nearest; ties go to even in bf16 and fp16, away from zero in tf32.
 */
public enum ProductPrecision {
    /** IEEE binary32, 24 significant bits: nothing is rounded. */
    FP32("fp32", 24),

    /** 11 significant bits, the exponents of fp32. */
    TF32("tf32", 11),

    /**
     * Nearly fp32 from three products in tf32: each operand is split into big + small, both tf32, and of the four
     * products all but small · small are added up. About 22 significant bits.
     */
    TF32X3("3xtf32", 22),

    /** bfloat16: 8 significant bits, the exponents of fp32. */
    BF16("bf16", 8),

    /**
     * IEEE binary16: 11 significant bits, largest number 65504, smallest normal one 2^−14. Gradients need loss scaling:
     * beyond 65504 an operand becomes infinite, far below 2^−14 it vanishes.
     */
    FP16("fp16", 11);

    private final String label;
    private final int significantBits;

    ProductPrecision(String label, int significantBits) {
        this.label = label;
        this.significantBits = significantBits;
    }

    /** Bits of a rounded operand's significand, the leading one among them. */
    public int significantBits() {
        return significantBits;
    }

    /**
     * The precision of that name, as options and properties write it.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static ProductPrecision of(String name) {
        for (ProductPrecision precision : values()) {
            if (precision.label.equals(name)) {
                return precision;
            }
        }
        throw new IllegalArgumentException(
                "precision is '" + name + "'; fp32, tf32, 3xtf32, bf16 or fp16 expected");
    }

    /** {@code fp32}, {@code tf32}, {@code 3xtf32}, {@code bf16} or {@code fp16}. */
    @Override
    public String toString() {
        return label;
    }
}
