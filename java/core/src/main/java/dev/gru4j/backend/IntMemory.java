package dev.gru4j.backend;

/**
 * A row of 32-bit integers where a backend computes: token ids, class targets, row indices. The
 * rules of {@link FloatMemory} hold.
 */
public interface IntMemory extends AutoCloseable {
    /** Number of integers. */
    long length();

    /** Copies {@code count} integers from {@code source[from…]} to this memory at {@code at}. */
    void upload(long at, int[] source, int from, int count);

    /** Copies {@code count} integers at {@code at} to {@code target[to…]}. */
    void download(long at, int[] target, int to, int count);

    @Override
    void close();
}
