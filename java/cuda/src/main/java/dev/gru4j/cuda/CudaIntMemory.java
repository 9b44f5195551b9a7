package dev.gru4j.cuda;

import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.TrainingKernels;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Integers on the device. No kernel writes integers, so the host keeps a copy that is always right: ids
 * are checked against it without waiting for the device.
 */
final class CudaIntMemory implements IntMemory {
    /** Largest array HotSpot allocates. */
    private static final int MAX_LENGTH = Integer.MAX_VALUE - 8;

    private final CudaSession session;
    private final long address;
    private final int length;
    private int[] copy;
    private boolean open = true;

    private CudaIntMemory(CudaSession session, long address, int length) {
        this.session = session;
        this.address = address;
        this.length = length;
        this.copy = new int[length];
    }

    static CudaIntMemory allocate(CudaSession session, long integers) {
        if (integers < 0 || integers > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "length is " + integers + " integers; 0 to " + MAX_LENGTH + " expected");
        }
        return new CudaIntMemory(
                session, session.allocate(CudaFloatMemory.bytes("integers", integers)), (int) integers);
    }

    /**
     * The device address of an argument whose first n integers are {@link TrainingKernels#NONE} or below {@code range}.
     *
     * @throws IllegalArgumentException if they are not, or if another backend made {@code memory}
     */
    static long indices(String name, IntMemory memory, int n, int range, CudaSession session) {
        if (!(memory instanceof CudaIntMemory device) || device.session != session) {
            throw new IllegalArgumentException(name + " lies in " + memory.getClass().getSimpleName()
                    + " of another backend; device memory of this cuda backend expected");
        }
        device.checkOpen();
        int[] values = device.copy;
        for (int k = 0; k < n; k++) {
            if (values[k] < TrainingKernels.NONE || values[k] >= range) {
                throw new IllegalArgumentException(name + "[" + k + "] is " + values[k] + "; 0 to " + (range - 1)
                        + ", or " + TrainingKernels.NONE + " for none, expected");
            }
        }
        return device.address;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void upload(long at, int[] source, int from, int count) {
        checkOpen();
        Objects.checkFromIndexSize(from, count, source.length);
        Objects.checkFromIndexSize(at, (long) count, (long) length);
        System.arraycopy(source, from, copy, (int) at, count);
        MemorySegment values = MemorySegment.ofArray(copy);
        session.upload(
                address + at * Integer.BYTES, values.asSlice(at * Integer.BYTES, (long) count * Integer.BYTES));
    }

    @Override
    public void download(long at, int[] target, int to, int count) {
        checkOpen();
        Objects.checkFromIndexSize(to, count, target.length);
        Objects.checkFromIndexSize(at, (long) count, (long) length);
        System.arraycopy(copy, (int) at, target, to, count);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            copy = new int[0];
            session.free(address);
        }
    }

    private void checkOpen() {
        if (!open) {
            throw new IllegalStateException("memory of " + length + " integers was closed");
        }
    }
}
