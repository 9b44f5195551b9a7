package dev.gru4j.parity;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import java.util.Arrays;

/**
 * A tensor inside a larger memory, at an odd offset and between guards: what a kernel writes beyond its tensor, or into
 * an input, is found. Outputs and scratch start as NaN, so an element that is not written, or read before it is, shows.
 */
final class GuardedMemory implements AutoCloseable {
    /** Odd, so that nothing is aligned by chance. */
    private static final int BEFORE = 3;

    private static final int AFTER = 21;

    /** Floats of the guard behind the tensor that the kernel is handed when the case has room to spare. */
    private static final int SPARE = 19;

    private static final float GUARD = -1.5e30f;

    private final String name;
    private final int length;
    private final FloatMemory whole;
    private final FloatMemory handed;

    private GuardedMemory(GruBackend backend, String name, float[] content, boolean spare) {
        this.name = name;
        this.length = content.length;
        this.whole = backend.allocate((long) BEFORE + content.length + AFTER);
        whole.fill(GUARD);
        whole.upload(BEFORE, content, 0, content.length);
        this.handed = whole.slice(BEFORE, (long) content.length + (spare ? SPARE : 0));
    }

    /** Memory that holds {@code content}. */
    static GuardedMemory of(GruBackend backend, String name, float[] content, boolean spare) {
        return new GuardedMemory(backend, name, content, spare);
    }

    /** Memory full of NaN. */
    static GuardedMemory ofNaN(GruBackend backend, String name, long length, boolean spare) {
        float[] content = new float[Math.toIntExact(length)];
        Arrays.fill(content, Float.NaN);
        return new GuardedMemory(backend, name, content, spare);
    }

    /** What the kernel gets. */
    FloatMemory memory() {
        return handed;
    }

    /** The tensor, after checking that its guards are whole. */
    float[] read() {
        float[] all = whole.toArray();
        for (int k = 0; k < all.length; k++) {
            boolean inside = k >= BEFORE && k < BEFORE + length;
            if (!inside && all[k] != GUARD) {
                throw new AssertionError(name + " has " + length + " floats, but float " + (k - BEFORE)
                        + " was overwritten with " + all[k]);
            }
        }
        return Arrays.copyOfRange(all, BEFORE, BEFORE + length);
    }

    /** Checks that an input still is what it was, bit for bit. */
    void checkUnchanged(float[] content) {
        float[] now = read();
        for (int k = 0; k < length; k++) {
            if (Float.floatToRawIntBits(now[k]) != Float.floatToRawIntBits(content[k])) {
                throw new AssertionError("input " + name + "[" + k + "] was " + content[k] + " and is now " + now[k]);
            }
        }
    }

    @Override
    public void close() {
        whole.close();
    }
}
