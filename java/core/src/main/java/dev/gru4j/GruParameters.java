package dev.gru4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Where each parameter of a {@link GruSpec} lies in one flat row of floats, and what PyTorch calls
 * it. Parameters, gradients and optimizer state of a network all have this layout, so an optimizer
 * step, a norm or an all-reduce is one pass over one row.
 *
 * <p>Order: layer, then direction, then {@link Kind}. Gate blocks are r, z, n ({@link Gates}).
 */
public final class GruParameters {
    /** The parameters of one layer and direction, in their order in the flat row. */
    public enum Kind {
        /** Input weights (3H,I), I the layer's own input size. */
        WEIGHT_IH("weight_ih"),
        /** Recurrent weights (3H,H). */
        WEIGHT_HH("weight_hh"),
        /** Input bias (3H). */
        BIAS_IH("bias_ih"),
        /** Recurrent bias (3H). */
        BIAS_HH("bias_hh");

        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }

        /** PyTorch's name: {@code weight_ih_l0}, {@code bias_hh_l1_reverse}. */
        public String nameOf(int layer, boolean reverse) {
            return prefix + "_l" + layer + (reverse ? "_reverse" : "");
        }
    }

    /**
     * One parameter.
     *
     * @param name PyTorch's name
     * @param kind which of the four
     * @param layer 0 … L−1
     * @param direction 0 … D−1
     * @param rows 3H
     * @param columns I_l or H; 1 for a bias
     * @param offset of its first float in the flat row
     */
    public record Parameter(
            String name, Kind kind, int layer, int direction, int rows, int columns, long offset) {
        /** Number of floats. */
        public long length() {
            return (long) rows * columns;
        }

        /** {@code [3H, I]}, or {@code [3H]} for a bias: the shape a weight file states. */
        public long[] shape() {
            return kind == Kind.WEIGHT_IH || kind == Kind.WEIGHT_HH
                    ? new long[] {rows, columns}
                    : new long[] {rows};
        }
    }

    private final GruSpec spec;
    private final List<Parameter> all;
    private final long length;

    private GruParameters(GruSpec spec) {
        this.spec = spec;
        List<Parameter> list = new ArrayList<>();
        long offset = 0;
        for (int layer = 0; layer < spec.layers(); layer++) {
            for (int direction = 0; direction < spec.directions().count(); direction++) {
                for (Kind kind : Kind.values()) {
                    if (!exists(kind)) {
                        continue;
                    }
                    Parameter p = new Parameter(
                            kind.nameOf(layer, spec.directions().isReverse(direction)),
                            kind,
                            layer,
                            direction,
                            Gates.COUNT * spec.hiddenSize(),
                            columns(kind, layer),
                            offset);
                    list.add(p);
                    offset = Math.addExact(offset, p.length());
                }
            }
        }
        this.all = List.copyOf(list);
        this.length = offset;
    }

    /** The layout of a specification. */
    public static GruParameters of(GruSpec spec) {
        return new GruParameters(Objects.requireNonNull(spec, "spec"));
    }

    public GruSpec spec() {
        return spec;
    }

    /** All parameters in the order of the flat row. */
    public List<Parameter> all() {
        return all;
    }

    /** Number of floats of the flat row. */
    public long length() {
        return length;
    }

    /** Whether the specification's {@link BiasMode} has this kind of parameter. */
    public boolean exists(Kind kind) {
        return switch (kind) {
            case WEIGHT_IH, WEIGHT_HH -> true;
            case BIAS_IH -> spec.bias().hasInput();
            case BIAS_HH -> spec.bias().hasRecurrent();
        };
    }

    /**
     * One parameter.
     *
     * @throws IllegalArgumentException if the specification has no such bias
     */
    public Parameter get(int layer, int direction, Kind kind) {
        Objects.checkIndex(layer, spec.layers());
        Objects.checkIndex(direction, spec.directions().count());
        if (!exists(kind)) {
            throw new IllegalArgumentException("a GRU with bias mode " + spec.bias() + " has no " + kind);
        }
        // The kinds that exist stand in the order of the enum; asked for in every training step, so nothing is allocated.
        int kinds = all.size() / (spec.layers() * spec.directions().count());
        int index = (layer * spec.directions().count() + direction) * kinds;
        while (all.get(index).kind() != kind) {
            index++;
        }
        return all.get(index);
    }

    private int columns(Kind kind, int layer) {
        return switch (kind) {
            case WEIGHT_IH -> spec.layerInputSize(layer);
            case WEIGHT_HH -> spec.hiddenSize();
            case BIAS_IH, BIAS_HH -> 1;
        };
    }
}
