package dev.gru4j.backend;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * A row of 32-bit floats where a backend computes: host memory for reference and simd, device memory
 * for cuda. Counts and offsets are in floats and 64-bit.
 *
 * <p>Closing frees it; a {@linkplain #slice slice} shares its parent's floats and closing it frees
 * nothing. Use after closing throws {@link IllegalStateException}. Not safe for use by one thread
 * while another writes.
 *
 * <p>Uploads and downloads are ordered with the work of the backend that made the memory. When they
 * return, the host side may be reused (upload) or read (download). So a download waits for the work
 * before it; a {@link FloatReadback} lets the caller wait later. An upload waits for nothing: on cuda
 * its bytes cross the bus while the work before it goes on.
 */
public interface FloatMemory extends AutoCloseable {
    /** Number of floats. */
    long length();

    /** Copies {@code count} floats from {@code source[from…]} to this memory at {@code at}. */
    void upload(long at, float[] source, int from, int count);

    /** Copies all floats of {@code source} (native byte order, any alignment) to {@code at}. */
    void upload(long at, MemorySegment source);

    /** Copies {@code count} floats at {@code at} to {@code target[to…]}. */
    void download(long at, float[] target, int to, int count);

    /** Fills {@code target} (native byte order, any alignment) with the floats at {@code at}. */
    void download(long at, MemorySegment target);

    /** Sets every float. */
    void fill(float value);

    /** The floats {@code [offset, offset + length)} of this memory, shared, not copied. */
    FloatMemory slice(long offset, long length);

    @Override
    void close();

    /** Copies all of {@code source} to the start. */
    default void upload(float... source) {
        upload(0, source, 0, source.length);
    }

    /** Copies the remaining floats of {@code source} to {@code at}; its position does not move. */
    default void upload(long at, FloatBuffer source) {
        upload(at, segmentOf("source", source));
    }

    /** Fills the rest of {@code target} from {@code at}; its position does not move. */
    default void download(long at, FloatBuffer target) {
        download(at, segmentOf("target", target));
    }

    /**
     * The remaining floats of a buffer, shared, not copied.
     *
     * @param name of the buffer, for the message
     * @throws IllegalArgumentException if its byte order is not the machine's
     */
    static MemorySegment segmentOf(String name, FloatBuffer buffer) {
        // A segment forgets the order, and a direct ByteBuffer is big-endian unless told otherwise.
        if (buffer.order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException(name + " has byte order " + buffer.order() + "; the machine's, "
                    + ByteOrder.nativeOrder() + ", expected");
        }
        return MemorySegment.ofBuffer(buffer);
    }

    /**
     * A copy of all floats.
     *
     * @throws IllegalStateException if there are more than an array can hold
     */
    default float[] toArray() {
        if (length() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    "memory has " + length() + " floats; a float[] holds at most " + (Integer.MAX_VALUE - 8));
        }
        float[] array = new float[(int) length()];
        download(0, array, 0, array.length);
        return array;
    }
}
