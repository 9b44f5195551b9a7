package dev.gru4j.benchmarks.comparison;

import org.jspecify.annotations.Nullable;

/**
 * What the driver asks of a worker, one line of JSON.
 *
 * @param command what to do
 * @param lane number of a prepared cell, the driver's choice
 * @param cell of {@link Command#CONFIGURATIONS} and {@link Command#PREPARE}
 * @param configuration of {@link Command#PREPARE}
 * @param file of {@link Command#PREPARE}: the {@link Expectation}
 * @param seconds how long to measure or, in {@link Command#PREPARE}, to warm up at most
 * @param bytes of {@link Command#MACHINE}: what each thread reads again and again
 * @param threads of {@link Command#MACHINE} and {@link Command#PEAK}
 */
record Request(
        Command command,
        int lane,
        @Nullable Cell cell,
        @Nullable String configuration,
        @Nullable String file,
        double seconds,
        long bytes,
        int threads) {
    /** What a worker does. */
    enum Command {
        /** Say who you are, or why you cannot run here. */
        HELLO,
        /** Name the configurations for a cell, or say why you refuse it. */
        CONFIGURATIONS,
        /** Check a cell against the reference, make it ready and warm it up. */
        PREPARE,
        /** Run a prepared cell again and again for so many seconds, at least once. */
        SLICE,
        /** Check what the last run of a prepared cell computed, then close it. */
        FINISH,
        /** Close a prepared cell. */
        DROP,
        /** Measure the peak of fused multiply-adds. */
        PEAK,
        /** Measure activations and reads. */
        MACHINE
    }

    static Request hello() {
        return new Request(Command.HELLO, 0, null, null, null, 0, 0, 0);
    }

    static Request configurations(Cell cell) {
        return new Request(Command.CONFIGURATIONS, 0, cell, null, null, 0, 0, 0);
    }

    static Request prepare(int lane, Cell cell, String configuration, String file, double seconds) {
        return new Request(Command.PREPARE, lane, cell, configuration, file, seconds, 0, 0);
    }

    static Request slice(int lane, double seconds) {
        return new Request(Command.SLICE, lane, null, null, null, seconds, 0, 0);
    }

    static Request finish(int lane) {
        return new Request(Command.FINISH, lane, null, null, null, 0, 0, 0);
    }

    static Request drop(int lane) {
        return new Request(Command.DROP, lane, null, null, null, 0, 0, 0);
    }

    static Request peak(int threads, double seconds) {
        return new Request(Command.PEAK, 0, null, null, null, seconds, 0, threads);
    }

    static Request machine(int threads, double seconds, long bytes) {
        return new Request(Command.MACHINE, 0, null, null, null, seconds, bytes, threads);
    }
}
