package dev.gru4j.backend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Host memory over a {@code float[]}, shared by the CPU backends. C2 compiles array accesses to
 * better code than segment accesses where scalars are read (measured for the simd kernels), hence an
 * array; hence also the limit of 2^31 − 9 floats a memory.
 */
public final class HostFloatMemory implements FloatMemory {
    /** Largest array HotSpot allocates. */
    public static final int MAX_LENGTH = Integer.MAX_VALUE - 8;

    private static final float[] NONE = {};

    private int offset;
    private int length;
    private final Owner owner;
    private final Kind kind;

    private enum Kind {
        WHOLE,
        SLICE,
        WINDOW
    }

    /** The array, shared by all slices, so that closing the owner closes them. */
    private static final class Owner {
        private float[] array;
        private boolean open = true;

        Owner(float[] array) {
            this.array = array;
        }
    }

    private HostFloatMemory(Owner owner, int offset, int length, Kind kind) {
        this.owner = owner;
        this.offset = offset;
        this.length = length;
        this.kind = kind;
    }

    /**
     * New memory, all zero.
     *
     * @throws IllegalArgumentException if {@code length} is negative or beyond {@link #MAX_LENGTH}
     */
    public static HostFloatMemory allocate(long length) {
        if (length < 0 || length > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "length is " + length + " floats; 0 to " + MAX_LENGTH + " fit the memory of a CPU backend");
        }
        return new HostFloatMemory(new Owner(new float[(int) length]), 0, (int) length, Kind.WHOLE);
    }

    /** Memory over the caller's own array: no copy, changes are seen both ways. */
    public static HostFloatMemory wrap(float[] array) {
        return new HostFloatMemory(new Owner(array), 0, array.length, Kind.WHOLE);
    }

    /**
     * Memory of no floats yet, for a caller who wraps arrays again and again without an allocation for each:
     * {@link #moveTo} puts it over an array, {@link #release} lets go of it.
     * A slice of it holds good until it is moved.
     */
    public static HostFloatMemory window() {
        return new HostFloatMemory(new Owner(NONE), 0, 0, Kind.WINDOW);
    }

    /**
     * Puts this window over {@code array[from … from + count)}: no copy, changes are seen both ways.
     *
     * @return this
     * @throws IllegalStateException if this memory is no {@link #window}
     * @throws IndexOutOfBoundsException if the array has no such floats
     */
    public HostFloatMemory moveTo(float[] array, int from, int count) {
        if (kind != Kind.WINDOW) {
            throw new IllegalStateException("memory of " + length + " floats is no window; it stays where it is");
        }
        offset = Objects.checkFromIndexSize(from, count, array.length);
        length = count;
        owner.array = array;
        return this;
    }

    /** Lets go of the array of a {@link #window}, so that it does not keep it alive. */
    public void release() {
        moveTo(NONE, 0, 0);
    }

    /**
     * The host memory behind an argument of a CPU backend.
     *
     * @param name the argument's name, for the message
     * @throws IllegalArgumentException if another backend made {@code memory}
     */
    public static HostFloatMemory of(String name, FloatMemory memory) {
        if (memory instanceof HostFloatMemory host) {
            return host;
        }
        throw new IllegalArgumentException(
                name + " lies in " + memory.getClass().getSimpleName() + "; host memory of a CPU backend expected");
    }

    /** The array; this memory is {@code array()[offset() … offset() + length())}. */
    public float[] array() {
        if (!owner.open) {
            throw new IllegalStateException("memory of " + length + " floats was closed");
        }
        return owner.array;
    }

    /** Index of the first float in {@link #array()}. */
    public int offset() {
        return offset;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void upload(long at, float[] source, int from, int count) {
        float[] array = array();
        System.arraycopy(source, Objects.checkFromIndexSize(from, count, source.length), array, seek(at, count), count);
    }

    @Override
    public void upload(long at, MemorySegment source) {
        float[] array = array();
        int count = floats(source);
        MemorySegment.copy(source, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, array, seek(at, count), count);
    }

    @Override
    public void download(long at, float[] target, int to, int count) {
        float[] array = array();
        System.arraycopy(array, seek(at, count), target, Objects.checkFromIndexSize(to, count, target.length), count);
    }

    @Override
    public void download(long at, MemorySegment target) {
        float[] array = array();
        int count = floats(target);
        MemorySegment.copy(array, seek(at, count), target, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, count);
    }

    @Override
    public void fill(float value) {
        java.util.Arrays.fill(array(), offset, offset + length, value);
    }

    @Override
    public HostFloatMemory slice(long from, long count) {
        array(); // a slice of closed memory is refused here, not at its first use
        Objects.checkFromIndexSize(from, count, (long) length);
        return new HostFloatMemory(owner, offset + (int) from, (int) count, Kind.SLICE);
    }

    /** Frees the array, unless this is a slice. A window lets go of it and may be moved again. */
    @Override
    public void close() {
        if (kind == Kind.WINDOW) {
            release();
        } else if (kind == Kind.WHOLE) {
            owner.open = false;
            owner.array = NONE;
        }
    }

    private int seek(long at, int count) {
        return offset + (int) Objects.checkFromIndexSize(at, (long) count, (long) length);
    }

    private static int floats(MemorySegment segment) {
        long bytes = segment.byteSize();
        if (bytes % Float.BYTES != 0 || bytes / Float.BYTES > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "segment has " + bytes + " bytes; a multiple of 4, at most " + MAX_LENGTH + " floats, expected");
        }
        return (int) (bytes / Float.BYTES);
    }
}
