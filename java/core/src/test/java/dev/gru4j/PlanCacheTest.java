package dev.gru4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruPlan;
import org.junit.jupiter.api.Test;

class PlanCacheTest {
    private static final GruSpec SPEC = GruSpec.of(1, 1);

    @Test
    void sizesRoundUpByAtMostAQuarterAndToThemselvesOnceRounded() {
        int[] small = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 10, 12, 12, 14, 14, 16, 16};
        for (int n = 0; n < small.length; n++) {
            assertEquals(small[n], PlanCache.roundUp(n), "n = " + n);
        }
        for (int n = 1; n < 100_000; n++) {
            int rounded = PlanCache.roundUp(n);
            assertTrue(rounded >= n && rounded < 1.25 * n + 1e-9, n + " rounds to " + rounded);
            assertEquals(rounded, PlanCache.roundUp(rounded), "n = " + n);
        }
        assertEquals(Integer.MAX_VALUE, PlanCache.roundUp(Integer.MAX_VALUE));
    }

    @Test
    void callsAtTheSameTimeShareThePlanButNotTheWorkspace() {
        try (FakeDeviceBackend backend = new FakeDeviceBackend();
                FloatMemory parameters = backend.allocate(GruParameters.of(SPEC).length());
                PlanCache cache = new PlanCache(backend, SPEC, GruPlan.Mode.INFERENCE)) {
            try (PlanCache.Lease first = cache.acquire(9, 1, parameters, 0);
                    PlanCache.Lease second = cache.acquire(10, 1, parameters, 0)) {
                assertSame(first.plan(), second.plan());
                assertNotSame(first.call().workspace(), second.call().workspace());
            }
            int memories = backend.openMemories.get();
            cache.acquire(9, 1, parameters, 0).close();
            assertEquals(memories, backend.openMemories.get(), "a workspace given back is used again");
        }
    }

    @Test
    void aPlanInUseIsNotDropped() {
        try (FakeDeviceBackend backend = new FakeDeviceBackend();
                FloatMemory parameters = backend.allocate(GruParameters.of(SPEC).length());
                PlanCache cache = new PlanCache(backend, SPEC, GruPlan.Mode.INFERENCE)) {
            try (PlanCache.Lease used = cache.acquire(1, 1, parameters, 0)) {
                for (int B = 2; B <= 8; B++) {
                    cache.acquire(1, B, parameters, 0).close();
                }
                assertEquals(PlanCache.KEPT, backend.openPlans.get());
                try (PlanCache.Lease again = cache.acquire(1, 1, parameters, 0)) {
                    assertSame(used.plan(), again.plan());
                }
            }
        }
    }
}
