package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.Shape;
import java.util.Locale;
import java.util.Objects;

/**
 * One thing to time: a layer in one direction with both biases.
 *
 * @param shape T, B, I, H
 * @param variant where the reset gate enters
 * @param mode inference or training
 * @param threads CPU threads that may work on one call, the caller's among them
 * @param precision of matrix products
 */
public record Cell(GruShape shape, GruVariant variant, Mode mode, int threads, ProductPrecision precision) {
    public Cell {
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(variant, "variant");
        Objects.requireNonNull(mode, "mode");
        Objects.requireNonNull(precision, "precision");
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + "; 1 or more expected");
        }
    }

    /** FLOP of one call, the products only: 2·T·B·3H·(I + H) forward, three times that in training. */
    public double flop() {
        double forward = Shape.forwardFlop(shape);
        return mode == Mode.TRAINING ? 3 * forward : forward;
    }

    /** {@code T64 B64 I256 H512 training reset-after, 2 threads}; the precision where it is not fp32. */
    @Override
    public String toString() {
        return shape + " " + mode + " " + nameOf(variant) + ", " + threads + (threads == 1 ? " thread" : " threads")
                + (precision == ProductPrecision.FP32 ? "" : ", " + precision);
    }

    /** {@code reset-after} or {@code reset-before}, as options and tables write it. */
    public static String nameOf(GruVariant variant) {
        return variant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
