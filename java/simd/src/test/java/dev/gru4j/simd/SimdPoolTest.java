package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

final class SimdPoolTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void everyWorkerRunsOncePerTask() {
        try (SimdPool pool = new SimdPool(5)) {
            for (int most = 1; most <= 7; most++) {
                int workers = Math.min(most, 5);
                AtomicIntegerArray runs = new AtomicIntegerArray(5);
                for (int round = 0; round < 200; round++) {
                    pool.run((worker, team) -> {
                        assertEquals(workers, team.workers);
                        runs.incrementAndGet(worker);
                    }, most);
                }
                for (int worker = 0; worker < 5; worker++) {
                    assertEquals(worker < workers ? 200 : 0, runs.get(worker), "worker " + worker + " of " + workers);
                }
            }
        }
    }

    @Test
    void aBarrierSeparatesWhatIsBeforeFromWhatIsAfter() {
        try (SimdPool pool = new SimdPool(4)) {
            AtomicInteger arrived = new AtomicInteger();
            AtomicInteger tooEarly = new AtomicInteger();
            pool.run((worker, team) -> {
                for (int step = 1; step <= 500; step++) {
                    arrived.incrementAndGet();
                    team.await();
                    if (arrived.get() < 4 * step) {
                        tooEarly.incrementAndGet();
                    }
                    team.await();
                }
            }, 4);
            assertEquals(0, tooEarly.get());
        }
    }

    @Test
    void sharesCoverAllItemsWithoutOverlap() {
        SimdPool.Team team = new SimdPool.Team(3);
        for (int count = 0; count < 20; count++) {
            assertEquals(0, team.share(count, 0));
            assertEquals(count, team.share(count, 3));
            assertTrue(team.share(count, 1) <= team.share(count, 2));
        }
    }

    @Test
    void anErrorOfAnyWorkerReachesTheCallerAndThePoolGoesOn() {
        try (SimdPool pool = new SimdPool(3)) {
            for (int failing = 0; failing < 3; failing++) {
                int unlucky = failing;
                IllegalStateException thrown = new IllegalStateException("worker " + failing);
                IllegalStateException caught = Assertions.assertTimeoutPreemptively(
                        LIMIT, () -> assertThrows(IllegalStateException.class, () -> pool.run((worker, team) -> {
                            if (worker == unlucky) {
                                throw thrown;
                            }
                            team.await();
                        }, 3)));
                assertSame(thrown, caught);
                AtomicInteger runs = new AtomicInteger();
                pool.run((worker, team) -> {
                    team.await();
                    runs.incrementAndGet();
                }, 3);
                assertEquals(3, runs.get());
            }
        }
    }

    @Test
    void aCallerWhoFindsThePoolBusyWorksAlone() throws Exception {
        try (SimdPool pool = new SimdPool(2)) {
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch leave = new CountDownLatch(1);
            Thread first = Thread.ofPlatform().start(() -> pool.run((worker, team) -> {
                inside.countDown();
                try {
                    leave.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }, 2));
            inside.await();
            AtomicInteger workers = new AtomicInteger();
            pool.run((worker, team) -> workers.set(team.workers), 2);
            leave.countDown();
            first.join();
            assertEquals(1, workers.get());
        }
    }

    @Test
    void closingEndsItsThreads() throws Exception {
        Set<Thread> daemons = ConcurrentHashMap.newKeySet();
        SimdPool pool = new SimdPool(4);
        pool.run((worker, team) -> {
            if (worker > 0) {
                daemons.add(Thread.currentThread());
            }
        }, 4);
        pool.close();
        assertEquals(3, daemons.size());
        for (Thread daemon : daemons) {
            daemon.join(LIMIT);
            assertFalse(daemon.isAlive(), daemon + " still runs after close");
        }
        AtomicInteger workers = new AtomicInteger();
        pool.run((worker, team) -> workers.set(team.workers), 4);
        assertEquals(1, workers.get());
    }
}
