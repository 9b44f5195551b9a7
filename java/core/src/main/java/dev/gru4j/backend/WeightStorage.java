package dev.gru4j.backend;

/**
 * The form in which a backend keeps the recurrent weights W_hh of a plan. Arithmetic is fp32 in either form.
 *
 * <p>Of {@link #BF16}, every weight is rounded to nearest even when parameters are loaded, and forward and backward
 * compute with the rounded weights: the gradients are those of the rounded layer. They apply to the caller's
 * parameters, which stay fp32, so that steps too small for a bf16 number add up.
 */
public enum WeightStorage {
    /** As they are. */
    FP32("fp32"),

    /** bfloat16: 8 significant bits, the exponents of fp32; half the memory to read in every step. */
    BF16("bf16");

    private final String label;

    WeightStorage(String label) {
        this.label = label;
    }

    /**
     * What is kept of a weight.
     *
     * @param weight any float; of a finite one, the nearest number of this form, ties to even, infinite from
     *     2^128 − 2^119 on in bf16; infinity and NaN stay
     */
    public float round(float weight) {
        if (this == FP32 || !Float.isFinite(weight)) {
            return weight;
        }
        int bits = Float.floatToRawIntBits(weight);
        // Half a unit of the last bit kept, or just less where that bit is 0: a tie stays there.
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff_0000);
    }

    /**
     * The form of that name, as properties and options write it.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static WeightStorage of(String name) {
        for (WeightStorage storage : values()) {
            if (storage.label.equals(name)) {
                return storage;
            }
        }
        throw new IllegalArgumentException("weight storage is '" + name + "'; fp32 or bf16 expected");
    }

    /** {@code fp32} or {@code bf16}. */
    @Override
    public String toString() {
        return label;
    }
}
