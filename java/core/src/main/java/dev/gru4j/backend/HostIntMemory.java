package dev.gru4j.backend;

import java.util.Objects;

/** Host memory over an {@code int[]}, shared by the CPU backends. */
public final class HostIntMemory implements IntMemory {
    private int[] array;
    private boolean open = true;

    private HostIntMemory(int[] array) {
        this.array = array;
    }

    /**
     * New memory, all zero.
     *
     * @throws IllegalArgumentException if {@code length} is negative or beyond an array's limit
     */
    public static HostIntMemory allocate(long length) {
        if (length < 0 || length > HostFloatMemory.MAX_LENGTH) {
            throw new IllegalArgumentException("length is " + length + " integers; 0 to "
                    + HostFloatMemory.MAX_LENGTH + " fit the memory of a CPU backend");
        }
        return new HostIntMemory(new int[(int) length]);
    }

    /**
     * The host memory behind an argument of a CPU backend.
     *
     * @throws IllegalArgumentException if another backend made {@code memory}
     */
    public static HostIntMemory of(String name, IntMemory memory) {
        if (memory instanceof HostIntMemory host) {
            return host;
        }
        throw new IllegalArgumentException(
                name + " lies in " + memory.getClass().getSimpleName() + "; host memory of a CPU backend expected");
    }

    /** The array itself. */
    public int[] array() {
        if (!open) {
            throw new IllegalStateException("memory was closed");
        }
        return array;
    }

    @Override
    public long length() {
        return array.length;
    }

    @Override
    public void upload(long at, int[] source, int from, int count) {
        int[] target = array();
        System.arraycopy(
                source,
                Objects.checkFromIndexSize(from, count, source.length),
                target,
                (int) Objects.checkFromIndexSize(at, (long) count, (long) target.length),
                count);
    }

    @Override
    public void download(long at, int[] target, int to, int count) {
        int[] source = array();
        System.arraycopy(
                source,
                (int) Objects.checkFromIndexSize(at, (long) count, (long) source.length),
                target,
                Objects.checkFromIndexSize(to, count, target.length),
                count);
    }

    @Override
    public void close() {
        open = false;
        array = new int[0];
    }
}
