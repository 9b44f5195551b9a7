package dev.gru4j.benchmarks.comparison;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Something that runs a GRU layer. Found by {@link java.util.ServiceLoader}, in the driver, which only asks for
 * {@link #name}, {@link #jvmOptions} and {@link #environment}, and in a worker JVM of its own, which does the rest. So
 * constructors load nothing native.
 *
 * <p>One thread calls all methods.
 */
public interface Contender extends AutoCloseable {
    /** {@code onednn}, {@code gru4j-simd}: lower case, and what options call it. */
    String name();

    /** One line for the report: version, configuration, what it runs. Asked in the worker only. */
    String description();

    /** Why it cannot run on this machine, or empty. */
    Optional<String> unavailable();

    /** Why it cannot run this cell, {@code cannot train} for example, or empty. */
    Optional<String> refuses(Cell cell);

    /** Ways to run this cell, at least one: each is timed, and the best counts. */
    List<String> configurations(Cell cell);

    /**
     * Makes a cell ready to run: for inference the weights are packed here, outside what is timed.
     *
     * @param configuration one of {@link #configurations}
     * @param problem not to be changed
     */
    Prepared prepare(Cell cell, String configuration, Problem problem);

    /** Options that its worker's JVM needs beside those of all workers, {@code -Dname=value} for example. */
    default List<String> jvmOptions() {
        return List.of();
    }

    /**
     * Environment variables that its worker needs beside the numbers of threads of OpenMP, OpenBLAS and MKL, which
     * every worker gets; one named here goes before those.
     *
     * @param threads CPU threads of a call
     */
    default Map<String, String> environment(int threads) {
        return Map.of();
    }

    @Override
    default void close() {}
}
