package dev.gru4j.benchmarks.comparison;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Turns Ctrl-C (or SIGTERM) into a request to stop after the present round. The JVM waits in the shutdown hook until what
 * was measured has been written.
 */
final class BenchInterruption implements BooleanSupplier, AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stopAndWait, "gru4j-bench-interruption");
    private volatile boolean requested;

    BenchInterruption() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether the run shall stop. */
    @Override
    public boolean getAsBoolean() {
        return requested;
    }

    private void stopAndWait() {
        requested = true;
        try {
            if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("gru4j: the run did not stop within " + PATIENCE_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The run is over, with everything written that has to be. */
    @Override
    public void close() {
        if (!requested) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The process is ending: the hook has started and only waits for the next line.
            }
        }
        done.countDown();
    }
}
