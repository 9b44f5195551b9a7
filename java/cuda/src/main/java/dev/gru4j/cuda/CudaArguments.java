package dev.gru4j.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes the argument struct of a kernel, field by field in the order of its declaration in
 * {@code cuda/gru_kernels.h}: 8-byte fields first, then 4-byte ones, so that no padding lies between.
 */
final class CudaArguments {
    private final MemorySegment memory;
    private long at;

    CudaArguments(MemorySegment memory) {
        this.memory = memory;
    }

    CudaArguments clear() {
        at = 0;
        return this;
    }

    /** A device address, 0 for absent; or a 64-bit integer. */
    CudaArguments put(long value) {
        memory.set(ValueLayout.JAVA_LONG, at, value); // refuses a field that is not aligned
        at += Long.BYTES;
        return this;
    }

    CudaArguments put(int value) {
        memory.set(ValueLayout.JAVA_INT, at, value);
        at += Integer.BYTES;
        return this;
    }

    CudaArguments put(float value) {
        memory.set(ValueLayout.JAVA_FLOAT, at, value);
        at += Float.BYTES;
        return this;
    }

    CudaArguments put(double value) {
        memory.set(ValueLayout.JAVA_DOUBLE, at, value);
        at += Double.BYTES;
        return this;
    }

    CudaArguments put(boolean value) {
        return put(value ? 1 : 0);
    }

    /** Ends the struct with its padding, cleared of what an earlier one held there; refuses another size than the kernel's. */
    void finish(String kernel, int expected) {
        if (at % Long.BYTES != 0) {
            put(0);
        }
        if (at != expected) {
            throw new IllegalStateException(
                    kernel + ": its arguments have " + at + " bytes; " + expected + " expected");
        }
    }
}
