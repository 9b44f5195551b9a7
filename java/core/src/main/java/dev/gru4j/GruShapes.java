package dev.gru4j;

import dev.gru4j.backend.HostFloatMemory;
import java.lang.foreign.MemorySegment;

/** Sizes of the tensors at the edge of a {@link Gru}, and the errors when they do not fit. */
final class GruShapes {
    private GruShapes() {}

    static void checkBatch(int T, int B) {
        if (T < 0) {
            throw new IllegalArgumentException("T is " + T + "; 0 or more expected");
        }
        if (B < 1) {
            throw new IllegalArgumentException("B is " + B + "; at least 1 expected");
        }
    }

    /** T·B·width. */
    static long positions(String name, int T, int B, int width) {
        try {
            return Math.multiplyExact((long) T * B, (long) width);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    name + " of T = " + T + ", B = " + B + " and width " + width + " has more than 2^63 - 1 floats", e);
        }
    }

    /** L·D·B·H. */
    static long states(GruSpec spec, int B) {
        return positions("a state", spec.states(), B, spec.hiddenSize());
    }

    /** Refuses a tensor that is not exactly of this size. */
    static void check(String name, MemorySegment tensor, long floats, String shape) {
        if (tensor.byteSize() % Float.BYTES != 0 || tensor.byteSize() / Float.BYTES != floats) {
            String found = tensor.byteSize() % Float.BYTES == 0
                    ? tensor.byteSize() / Float.BYTES + " floats"
                    : tensor.byteSize() + " bytes";
            throw wrongSize(name, found, floats, shape);
        }
    }

    /** Refuses an array that is not exactly of this size. */
    static void check(String name, int found, long floats, String shape) {
        if (found != floats) {
            throw wrongSize(name, found + " floats", floats, shape);
        }
    }

    private static IllegalArgumentException wrongSize(String name, String found, long floats, String shape) {
        return new IllegalArgumentException(
                name + " has " + found + "; " + shape + " = " + floats + " floats expected");
    }

    /** A new array for a result. */
    static float[] array(String name, long floats) {
        if (floats > HostFloatMemory.MAX_LENGTH) {
            throw new IllegalArgumentException(name + " needs " + floats + " floats; a float[] holds at most "
                    + HostFloatMemory.MAX_LENGTH + ": use smaller batches or MemorySegments");
        }
        return new float[(int) floats];
    }
}
