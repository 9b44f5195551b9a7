package dev.gru4j;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.HostFloatMemory;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/**
 * Brings host tensors to where a backend computes, and results back. A {@code float[]}, or a writable
 * segment of one, is used in place by a backend that computes in host memory; all else is staged in
 * memory that is kept and grows. Belongs to one call at a time.
 */
final class TensorEdge implements AutoCloseable {
    /** The tensors that cross, each with staging memory of its own. */
    enum Role {
        X,
        H0,
        Y,
        HT,
        DY,
        DHT,
        DX,
        DH0,
        DPARAMETERS
    }

    private final GruBackend backend;
    private final boolean inHostMemory;
    private final Map<Role, FloatMemory> staging = new EnumMap<>(Role.class);

    TensorEdge(GruBackend backend, boolean inHostMemory) {
        this.backend = backend;
        this.inHostMemory = inHostMemory;
    }

    /** Memory that holds the floats of {@code host}. */
    FloatMemory input(Role role, MemorySegment host) {
        if (isShared(host)) {
            return share(host);
        }
        FloatMemory staged = staged(role, floats(host));
        staged.upload(0, host);
        return staged;
    }

    /** Memory for a result that {@link #deliver} brings to {@code host}. */
    FloatMemory output(Role role, MemorySegment host) {
        return isShared(host) ? share(host) : staged(role, floats(host));
    }

    /** Completes an {@link #output}: waits for it and copies it, unless it was computed in place. */
    void deliver(Role role, MemorySegment host) {
        if (!isShared(host)) {
            staged(role, floats(host)).download(0, host);
        }
    }

    private boolean isShared(MemorySegment host) {
        // A read-only segment does not show its array; an odd slice of one is not a row of floats.
        return inHostMemory
                && host.heapBase().filter(base -> base instanceof float[]).isPresent()
                && host.address() % Float.BYTES == 0;
    }

    private static FloatMemory share(MemorySegment host) {
        float[] array = (float[]) host.heapBase().orElseThrow();
        return HostFloatMemory.wrap(array).slice(host.address() / Float.BYTES, floats(host));
    }

    private FloatMemory staged(Role role, long floats) {
        FloatMemory memory = staging.get(role);
        if (memory == null || memory.length() < floats) {
            if (memory != null) {
                staging.remove(role);
                memory.close();
            }
            memory = backend.allocate(floats);
            staging.put(role, memory);
        }
        return memory;
    }

    private static long floats(MemorySegment host) {
        return host.byteSize() / Float.BYTES;
    }

    @Override
    public void close() {
        staging.values().forEach(FloatMemory::close);
        staging.clear();
    }
}
