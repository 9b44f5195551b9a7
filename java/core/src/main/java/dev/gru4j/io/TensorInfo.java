package dev.gru4j.io;

import java.util.List;

/**
 * What a safetensors file says of one tensor.
 *
 * @param name unique in its file
 * @param dtype element type
 * @param shape sizes, outermost first; empty for a scalar
 * @param begin of its bytes, counted from the end of the header
 * @param end of its bytes, counted from the end of the header
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {
    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** Number of elements: 1 for a scalar, 0 if any size is 0. */
    public long elements() {
        return (end - begin) / dtype.bytes();
    }

    /** Number of bytes. */
    public long bytes() {
        return end - begin;
    }
}
