package dev.gru4j.reference;

/**
 * The arithmetic the reference runs in. It computes in double and passes every intermediate through
 * {@link #round}; for +, −, ×, ÷ and √ of floats, rounding the double result to float equals float
 * arithmetic exactly (a double has more than twice a float's bits, plus two).
 */
public enum Precision {
    /** IEEE binary32. */
    FLOAT {
        @Override
        public double round(double value) {
            return (float) value;
        }
    },
    /** IEEE binary64. */
    DOUBLE {
        @Override
        public double round(double value) {
            return value;
        }
    };

    /** The nearest number of this precision. */
    public abstract double round(double value);
}
