package dev.gru4j.training.data;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Prepares the batches of consecutive steps on a thread of its own, a bounded number ahead. The order is
 * that of the steps, so prefetching changes no result.
 *
 * @param <B> kind of batch
 */
public final class Prefetcher<B extends Batch> implements AutoCloseable {
    /** A batch, or the reason why there is none. */
    private sealed interface Item<B> {}

    private record Ready<B>(B batch) implements Item<B> {}

    private record Failed<B>(long step, Throwable cause) implements Item<B> {}

    /** How often a waiting consumer looks whether this was closed, in milliseconds. */
    private static final long PATIENCE_MILLIS = 500;

    private final BlockingQueue<Item<B>> queue;
    private final Thread worker;
    private volatile boolean closed;

    /**
     * Starts the thread.
     *
     * @param firstStep step of the first batch
     * @param depth batches ready at most, at least 1
     */
    public Prefetcher(BatchSource<B> source, long firstStep, int depth) {
        this.queue = new ArrayBlockingQueue<>(depth);
        this.worker = Thread.ofPlatform()
                .name("gru4j-prefetch")
                .daemon(true)
                .unstarted(() -> prepare(source, firstStep));
        worker.start();
    }

    /**
     * The batch of the next step; waits until it is ready.
     *
     * @throws IllegalStateException if the source failed, with its exception as cause, or if this was closed
     * @throws InterruptedException if the calling thread was interrupted while waiting
     */
    public B next() throws InterruptedException {
        while (!closed) {
            Item<B> item = queue.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            switch (item) {
                case Ready<B>(B batch) -> {
                    return batch;
                }
                case Failed<B> failed -> {
                    closed = true;
                    throw new IllegalStateException(
                            "the batch of step " + failed.step() + " could not be prepared: " + failed.cause(),
                            failed.cause());
                }
                case null -> {
                    // Nothing yet: the worker is busy with a large batch.
                }
            }
        }
        throw new IllegalStateException("prefetcher was closed");
    }

    private void prepare(BatchSource<B> source, long firstStep) {
        long step = firstStep;
        try {
            while (!closed) {
                queue.put(new Ready<>(source.batch(step)));
                step++;
            }
        } catch (InterruptedException e) {
            // close() was called: nobody waits for another batch.
        } catch (RuntimeException | Error e) {
            fail(new Failed<>(step, e));
        }
    }

    private void fail(Failed<B> failure) {
        try {
            queue.put(failure);
        } catch (InterruptedException e) {
            // close() was called: nobody is left to be told.
        }
    }

    /** Ends the thread and waits for its end. Closing twice does nothing. */
    @Override
    public void close() {
        closed = true;
        worker.interrupt();
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                interrupted = true; // finish first: the source must not be in use after close
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
