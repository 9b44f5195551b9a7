package dev.gru4j;

/**
 * The size of one problem: T steps, B batch rows, I input size, H hidden size.
 *
 * @param T sequence length, at least 0
 * @param B batch size, at least 1
 * @param I input size, at least 1
 * @param H hidden size, at least 1
 */
@SuppressWarnings("checkstyle:MemberName") // T, B, I and H are the field's letters.
public record GruShape(int T, int B, int I, int H) {
    public GruShape {
        if (T < 0 || B < 1 || I < 1 || H < 1) {
            throw new IllegalArgumentException(
                    "T=" + T + " B=" + B + " I=" + I + " H=" + H + "; T >= 0 and B, I, H >= 1 expected");
        }
    }

    /** {@code T7 B3 I13 H29}, as tests and benchmarks name a shape. */
    @Override
    public String toString() {
        return "T" + T + " B" + B + " I" + I + " H" + H;
    }
}
