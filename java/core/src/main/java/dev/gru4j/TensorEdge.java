package dev.gru4j;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.HostFloatMemory;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Brings host tensors to where a backend computes, and results back. A {@code float[]}, or a writable
 * segment of one, is used in place by a backend that computes in host memory; all else is staged in
 * memory that is kept and grows, so that a call allocates nothing. Belongs to one call at a time.
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

    private static final Role[] ROLES = Role.values();

    private final GruBackend backend;
    private final boolean inHostMemory;
    private final Map<Role, Place> places = new EnumMap<>(Role.class);

    /** Where one tensor is computed on: over the array of the present call, or in memory of its own. */
    private static final class Place {
        final HostFloatMemory window = HostFloatMemory.window();

        @Nullable
        FloatMemory staging;
    }

    TensorEdge(GruBackend backend, boolean inHostMemory) {
        this.backend = backend;
        this.inHostMemory = inHostMemory;
        for (Role role : ROLES) {
            places.put(role, new Place());
        }
    }

    /** Memory that holds the floats of {@code host}. */
    FloatMemory input(Role role, float[] host) {
        if (inHostMemory) {
            return place(role).window.moveTo(host, 0, host.length);
        }
        FloatMemory staged = staged(role, host.length);
        staged.upload(0, host, 0, host.length);
        return staged;
    }

    /** Memory that holds the floats of {@code host}. */
    FloatMemory input(Role role, MemorySegment host) {
        float[] array = sharedArray(host);
        if (array != null) {
            return share(role, array, host);
        }
        FloatMemory staged = staged(role, floats(host));
        staged.upload(0, host);
        return staged;
    }

    /** Memory for a result that {@link #deliver} brings to {@code host}. */
    FloatMemory output(Role role, float[] host) {
        return inHostMemory ? place(role).window.moveTo(host, 0, host.length) : staged(role, host.length);
    }

    /** Memory for a result that {@link #deliver} brings to {@code host}. */
    FloatMemory output(Role role, MemorySegment host) {
        float[] array = sharedArray(host);
        return array != null ? share(role, array, host) : staged(role, floats(host));
    }

    /** Completes an {@link #output}: waits for it and copies it, unless it was computed in place. */
    void deliver(Role role, float[] host) {
        if (!inHostMemory) {
            staged(role, host.length).download(0, host, 0, host.length);
        }
    }

    /** Completes an {@link #output}: waits for it and copies it, unless it was computed in place. */
    void deliver(Role role, MemorySegment host) {
        if (sharedArray(host) == null) {
            staged(role, floats(host)).download(0, host);
        }
    }

    /** The array behind a tensor that can be used in place. */
    private float @Nullable [] sharedArray(MemorySegment host) {
        if (!inHostMemory) {
            return null;
        }
        // A read-only segment does not show its array; an odd slice of one is not a row of floats.
        Optional<Object> base = host.heapBase();
        return base.isPresent() && base.get() instanceof float[] array && host.address() % Float.BYTES == 0
                ? array
                : null;
    }

    private FloatMemory share(Role role, float[] array, MemorySegment host) {
        return place(role).window.moveTo(array, (int) (host.address() / Float.BYTES), (int) floats(host));
    }

    private FloatMemory staged(Role role, long floats) {
        Place place = place(role);
        FloatMemory memory = place.staging;
        if (memory == null || memory.length() < floats) {
            if (memory != null) {
                place.staging = null;
                memory.close();
            }
            memory = backend.allocate(floats);
            place.staging = memory;
        }
        return memory;
    }

    private Place place(Role role) {
        return Objects.requireNonNull(places.get(role));
    }

    /** Lets go of the caller's arrays. */
    void release() {
        for (Role role : ROLES) {
            place(role).window.release();
        }
    }

    private static long floats(MemorySegment host) {
        return host.byteSize() / Float.BYTES;
    }

    @Override
    public void close() {
        for (Place place : places.values()) {
            place.window.release();
            if (place.staging != null) {
                place.staging.close();
                place.staging = null;
            }
        }
    }
}
