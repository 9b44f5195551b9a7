package dev.gru4j.training;

import dev.gru4j.GruParameters;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The parameters of a model: named tensors in one flat row of floats on the backend, and their
 * gradients in a second row of the same layout. So an optimizer step, a norm or a copy is one pass.
 */
public final class ParameterSet implements AutoCloseable {
    /**
     * One tensor.
     *
     * @param name {@code embedding.weight}, {@code gru.weight_ih_l0}, {@code head.bias}
     * @param shape as a weight file states it
     * @param offset of its first float in the flat row
     * @param length number of floats
     * @param decayed whether weight decay applies: weights yes, biases no
     * @param bound initial values are uniform in [−bound, bound)
     */
    public record Tensor(String name, List<Integer> shape, long offset, long length, boolean decayed, float bound) {}

    /** Neighbouring tensors that share {@link Tensor#decayed}. */
    record Range(long offset, long length, boolean decayed) {}

    /** Names and shapes in the order of the flat row. */
    public static final class Layout {
        private final Map<String, Tensor> tensors = new LinkedHashMap<>();
        private long length;

        /** Appends a weight, decayed, with initial values uniform in [−bound, bound). */
        public Layout weight(String name, float bound, int... shape) {
            return add(name, true, bound, shape);
        }

        /** Appends a bias, not decayed, with initial values uniform in [−bound, bound). */
        public Layout bias(String name, float bound, int size) {
            return add(name, false, bound, size);
        }

        /**
         * Appends all parameters of a GRU in {@link GruParameters} layout, named {@code prefix} +
         * PyTorch's name, uniform in ±1/√H as PyTorch initialises them.
         */
        public Layout gru(String prefix, GruSpec spec) {
            float bound = (float) (1 / Math.sqrt(spec.hiddenSize()));
            for (GruParameters.Parameter p : GruParameters.of(spec).all()) {
                boolean isBias = p.shape().length == 1;
                if (isBias) {
                    bias(prefix + p.name(), bound, p.rows());
                } else {
                    weight(prefix + p.name(), bound, p.rows(), p.columns());
                }
            }
            return this;
        }

        private Layout add(String name, boolean decayed, float bound, int... shape) {
            if (!(bound >= 0 && bound < Float.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("bound of " + name + " is " + bound + "; 0 or more expected");
            }
            long count = 1;
            List<Integer> dimensions = new ArrayList<>(shape.length);
            for (int dimension : shape) {
                if (dimension < 1) {
                    throw new IllegalArgumentException(
                            name + " has a dimension of " + dimension + "; at least 1 expected");
                }
                dimensions.add(dimension);
                count = Math.multiplyExact(count, dimension);
            }
            Tensor tensor = new Tensor(name, List.copyOf(dimensions), length, count, decayed, bound);
            if (tensors.putIfAbsent(name, tensor) != null) {
                throw new IllegalArgumentException("two parameters are named " + name);
            }
            length = Math.addExact(length, count);
            return this;
        }
    }

    private final Map<String, Tensor> tensors;
    private final List<Range> decayRanges;
    private final long length;
    private final FloatMemory values;
    private final FloatMemory gradients;

    /** Allocates parameters and gradients, all zero; see {@link #initialize}. */
    public ParameterSet(GruBackend backend, Layout layout) {
        this.tensors = new LinkedHashMap<>(layout.tensors);
        this.length = layout.length;
        this.decayRanges = rangesOf(tensors.values());
        this.values = backend.allocate(length);
        try {
            this.gradients = backend.allocate(length);
        } catch (RuntimeException | Error e) {
            values.close();
            throw e;
        }
    }

    /**
     * Draws the initial values of all tensors, each a pure function of seed, tensor position and index,
     * so that they depend on neither backend nor threads.
     */
    public void initialize(long seed) {
        Initialization.uniform(this, seed);
    }

    /** All tensors in the order of the flat row. */
    public List<Tensor> tensors() {
        return List.copyOf(tensors.values());
    }

    /**
     * The tensor of that name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no parameter is named " + name + "; known: " + tensors.keySet());
        }
        return tensor;
    }

    /** Number of floats of all tensors. */
    public long length() {
        return length;
    }

    /** All parameters, one flat row. */
    public FloatMemory values() {
        return values;
    }

    /** All gradients, same layout. */
    public FloatMemory gradients() {
        return gradients;
    }

    /** The floats of one tensor, shared with {@link #values}. */
    public FloatMemory value(String name) {
        Tensor t = tensor(name);
        return values.slice(t.offset(), t.length());
    }

    /** The gradient of one tensor, shared with {@link #gradients}. */
    public FloatMemory gradient(String name) {
        Tensor t = tensor(name);
        return gradients.slice(t.offset(), t.length());
    }

    List<Range> decayRanges() {
        return decayRanges;
    }

    private static List<Range> rangesOf(Iterable<Tensor> tensors) {
        List<Range> ranges = new ArrayList<>();
        for (Tensor t : tensors) {
            Range last = ranges.isEmpty() ? null : ranges.getLast();
            if (last != null && last.decayed() == t.decayed()) {
                ranges.set(ranges.size() - 1, new Range(last.offset(), last.length() + t.length(), t.decayed()));
            } else {
                ranges.add(new Range(t.offset(), t.length(), t.decayed()));
            }
        }
        return List.copyOf(ranges);
    }

    @Override
    public void close() {
        gradients.close();
        values.close();
    }
}
