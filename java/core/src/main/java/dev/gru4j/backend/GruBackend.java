package dev.gru4j.backend;

import dev.gru4j.GruSpec;

/**
 * A complete implementation of the library's arithmetic: memory, GRU plans and the kernels that
 * training needs around them. Close it after everything made from it.
 *
 * <p>Threads: all methods may be called from any thread. Calls that share no memory may run at the
 * same time. Work is done in the order of the calls; on a GPU a call returns before its work is done,
 * and {@link FloatMemory#download}, {@link FloatReadback#get} or {@link #synchronize()} waits for it.
 *
 * <p>Same inputs, same backend and same plan give the same bits, on every run and for any number of
 * threads.
 */
public interface GruBackend extends AutoCloseable {
    /** {@code cuda}, {@code simd} or {@code reference}. */
    String name();

    /** One line for people: name, vector width or device, precision, threads. */
    String description();

    /** What it rounds the operands of its matrix products to: that of the options it was opened with. */
    ProductPrecision precision();

    /** New memory, all zero. */
    FloatMemory allocate(long floats);

    /** New memory, all zero. */
    IntMemory allocateInts(long integers);

    /**
     * A place on the host for that many floats of results, all zero, to be waited for later than they are
     * asked for. Done at once here; a backend whose calls return before their work is done has its own.
     *
     * @throws IllegalArgumentException if {@code floats} is negative
     */
    default FloatReadback allocateReadback(int floats) {
        return new HostReadback(floats);
    }

    /**
     * Prepares a GRU for sequences of up to {@code maxT} steps in batches of up to {@code maxB} rows.
     * Parameters are given with {@link GruPlan#loadParameters} before the first call.
     */
    GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode);

    /** The kernels around a GRU: embedding, dense head, losses, optimizers. */
    TrainingKernels trainingKernels();

    /** Waits until all work given so far is done; nothing to do on a CPU. */
    void synchronize();

    @Override
    void close();
}
