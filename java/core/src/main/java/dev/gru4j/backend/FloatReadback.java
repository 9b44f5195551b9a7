package dev.gru4j.backend;

/**
 * A place on the host for results that nobody wants to wait for yet. {@link #copy} takes its turn among
 * the backend's work and returns at once; {@link #get} waits for it. In between, more work can be given,
 * so that a GPU has something to do while the host looks at what it had computed before:
 *
 * <pre>{@code
 * try (FloatReadback early = backend.allocateReadback(1)) {
 *     kernels.squaredNorm(v, n, norm);
 *     early.copy(norm, 0, 0, 1);
 *     kernels.clipByNorm(v, n, norm, 1);   // and whatever comes next; norm may be overwritten
 *     float found = early.get(0);          // waits for squaredNorm, not for what came after
 * }
 * }</pre>
 *
 * <p>On a CPU backend copies are done when they return. On cuda the place is page-locked memory: keep it
 * small and use it again. Belongs to one thread at a time; to be closed before its backend. Use after
 * closing throws {@link IllegalStateException}.
 */
public interface FloatReadback extends AutoCloseable {
    /** Number of floats. */
    int length();

    /**
     * Copies {@code count} floats of {@code source} from {@code at} on to this place's floats from
     * {@code to} on, as they are when all work given so far is done. The source may be overwritten, or
     * closed, by later calls. Copies to several parts of one place are waited for together.
     *
     * @throws IndexOutOfBoundsException if either range does not lie inside its memory
     * @throws IllegalArgumentException if this place cannot take floats of the backend that made
     *     {@code source}
     */
    void copy(FloatMemory source, long at, int to, int count);

    /** Whether {@link #get} would return at once. Never waits; a failure of the work shows here or there. */
    boolean isDone();

    /**
     * Copies {@code count} floats of this place from {@code at} on to {@code target[to…]}, when all copies to
     * this place are done; 0 where nothing was copied to.
     *
     * @throws IndexOutOfBoundsException if either range does not lie inside its memory
     */
    void get(int at, float[] target, int to, int count);

    /** One float of this place, as above. */
    default float get(int at) {
        float[] one = new float[1];
        get(at, one, 0, 1);
        return one[0];
    }

    /** Waits for copies that are under way and frees the place. Closing twice does nothing. */
    @Override
    void close();
}
