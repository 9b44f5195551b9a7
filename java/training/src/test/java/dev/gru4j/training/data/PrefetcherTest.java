package dev.gru4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60) // a defect here would hang, not fail
final class PrefetcherTest {
    private record Numbered(long step) implements Batch {
        @Override
        public int T() {
            return 1;
        }

        @Override
        public int B() {
            return 1;
        }

        @Override
        public long targetCount() {
            return 1;
        }
    }

    /** Batches that carry their step's number, after {@code before} has been called with it. */
    private record Source(LongConsumer before) implements BatchSource<Numbered> {
        @Override
        public Numbered batch(long step) {
            before.accept(step);
            return new Numbered(step);
        }

        @Override
        public long batchesPerEpoch() {
            return 10;
        }

        @Override
        public int maxT() {
            return 1;
        }

        @Override
        public int maxB() {
            return 1;
        }

        @Override
        public Map<String, String> configuration() {
            return Map.of();
        }
    }

    @Test
    void batchesComeInTheOrderOfTheSteps() throws InterruptedException {
        try (Prefetcher<Numbered> batches = new Prefetcher<>(new Source(step -> {}), 5, 3)) {
            for (long step = 5; step < 200; step++) {
                assertEquals(step, batches.next().step());
            }
        }
    }

    @Test
    void noMoreThanTheDepthIsPreparedAhead() throws InterruptedException {
        AtomicLong latest = new AtomicLong(-1);
        try (Prefetcher<Numbered> batches = new Prefetcher<>(new Source(latest::set), 0, 3)) {
            for (long step = 0; step < 500; step++) {
                batches.next();
                // Three wait in the queue and one is in the worker's hands.
                assertTrue(latest.get() <= step + 4, "step " + latest.get() + " was prepared at step " + step);
            }
        }
    }

    @Test
    void aFailureArrivesAtItsStepWithItsCause() throws InterruptedException {
        RuntimeException cause = new IllegalArgumentException("no such text");
        try (Prefetcher<Numbered> batches = new Prefetcher<>(
                new Source(step -> {
                    if (step == 2) {
                        throw cause;
                    }
                }),
                0,
                8)) {
            assertEquals(0, batches.next().step());
            assertEquals(1, batches.next().step());
            IllegalStateException e = assertThrows(IllegalStateException.class, batches::next);
            assertEquals(cause, e.getCause());
            assertTrue(String.valueOf(e.getMessage()).contains("step 2"), e.getMessage());
            assertThrows(IllegalStateException.class, batches::next, "a second call must not wait for ever");
        }
    }

    @Test
    void closingEndsAWorkerThatWaitsForRoom() throws InterruptedException {
        AtomicReference<Thread> worker = new AtomicReference<>();
        CountDownLatch full = new CountDownLatch(2);
        Prefetcher<Numbered> batches = new Prefetcher<>(
                new Source(step -> {
                    worker.set(Thread.currentThread());
                    full.countDown();
                }),
                0,
                1);
        full.await();
        batches.close();
        assertFalse(worker.get().isAlive());
        batches.close();
        assertThrows(IllegalStateException.class, batches::next);
    }
}
