package dev.gru4j.cuda;

import dev.gru4j.backend.FloatMemory;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Floats on the device. Uploads and downloads take their place among the enqueued work. */
final class CudaFloatMemory implements FloatMemory {
    private final Owner owner;
    private final long address;
    private final long length;
    private final boolean isSlice;

    /** The allocation, shared by all slices, so that closing the owner closes them. */
    private static final class Owner {
        private final CudaSession session;
        private volatile boolean open = true;

        Owner(CudaSession session) {
            this.session = session;
        }
    }

    private CudaFloatMemory(Owner owner, long address, long length, boolean isSlice) {
        this.owner = owner;
        this.address = address;
        this.length = length;
        this.isSlice = isSlice;
    }

    static CudaFloatMemory allocate(CudaSession session, long floats) {
        return new CudaFloatMemory(new Owner(session), session.allocate(bytes("floats", floats)), floats, false);
    }

    /** Bytes of that many 4-byte elements; at least 4, for an address of 0 means absent to a kernel. */
    static long bytes(String elements, long count) {
        if (count < 0 || count > Long.MAX_VALUE / Float.BYTES) {
            throw new IllegalArgumentException("length is " + count + " " + elements + "; 0 to "
                    + Long.MAX_VALUE / Float.BYTES + " expected");
        }
        return Math.max(1, count) * Float.BYTES;
    }

    /**
     * The device address of an argument.
     *
     * @param name the argument's name, for the message
     * @throws IllegalArgumentException if another backend made {@code memory}
     */
    static long address(String name, FloatMemory memory, CudaSession session) {
        if (!(memory instanceof CudaFloatMemory device)) {
            throw new IllegalArgumentException(name + " lies in " + memory.getClass().getSimpleName()
                    + "; device memory of this cuda backend expected");
        }
        if (device.owner.session != session) {
            throw new IllegalArgumentException(
                    name + " belongs to another cuda backend; memory of the one that computes expected");
        }
        return device.address();
    }

    private long address() {
        checkOpen();
        return address;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void upload(long at, float[] source, int from, int count) {
        Objects.checkFromIndexSize(from, count, source.length);
        upload(at, MemorySegment.ofArray(source).asSlice((long) from * Float.BYTES, (long) count * Float.BYTES));
    }

    @Override
    public void upload(long at, MemorySegment source) {
        owner.session.upload(seek(at, source), source);
    }

    @Override
    public void download(long at, float[] target, int to, int count) {
        Objects.checkFromIndexSize(to, count, target.length);
        download(at, MemorySegment.ofArray(target).asSlice((long) to * Float.BYTES, (long) count * Float.BYTES));
    }

    @Override
    public void download(long at, MemorySegment target) {
        owner.session.download(target, seek(at, target));
    }

    @Override
    public void fill(float value) {
        owner.session.fill(address(), Float.floatToRawIntBits(value), length);
    }

    @Override
    public FloatMemory slice(long offset, long count) {
        checkOpen(); // a slice of closed memory is refused here, not at its first use
        Objects.checkFromIndexSize(offset, count, length);
        return new CudaFloatMemory(owner, address + offset * Float.BYTES, count, true);
    }

    /** Frees the device memory, when the work that uses it is done; a slice frees nothing. */
    @Override
    public void close() {
        if (!isSlice && owner.open) {
            owner.open = false;
            owner.session.free(address);
        }
    }

    private void checkOpen() {
        if (!owner.open) {
            throw new IllegalStateException("memory of " + length + " floats was closed");
        }
    }

    /** The address of float {@code at}, from which on all of {@code segment} fits. */
    private long seek(long at, MemorySegment segment) {
        if (segment.byteSize() % Float.BYTES != 0) {
            throw new IllegalArgumentException(
                    "segment has " + segment.byteSize() + " bytes; a multiple of 4 expected");
        }
        Objects.checkFromIndexSize(at, segment.byteSize() / Float.BYTES, length);
        return address() + at * Float.BYTES;
    }
}
