package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import dev.gru4j.Directions;
import dev.gru4j.Gru;
import dev.gru4j.GruGradients;
import dev.gru4j.GruInput;
import dev.gru4j.GruOutput;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.GruWeights;
import dev.gru4j.backend.BackendOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * In the steady state a call of the simd backend through the public API allocates nothing, neither in the caller nor in the pool's
 * threads.
 *
 * <p>Until C2 has compiled the kernels every vector is an object on the heap, so the calls run in rounds until a
 * round allocates nothing. The smallest object has 16 bytes: a call that made a single one would leave at least
 * {@value #CALLS} times that in every round, and no round would ever pass. What a round may hold is some bytes
 * for what the JVM itself puts on these threads.
 */
final class SteadyStateAllocationTest {
    /** Calls of a round. */
    private static final int CALLS = 64;

    /** Bytes of a round, less than one object of 16 bytes every second call. */
    private static final long ALLOWED = CALLS / 2 * 16;

    private static final long LIMIT_NANOS = 100_000_000_000L;

    private static final int T = 3;
    private static final int B = 4;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final GruSpec SPEC = GruSpec.of(16, 16);

    static Stream<GruSpec> specs() {
        GruSpec deep = SPEC.withLayers(2).withDirections(Directions.BIDIRECTIONAL).withDropout(0.5f);
        return Stream.of(
                SPEC, SPEC.withVariant(GruVariant.RESET_BEFORE), deep, deep.withVariant(GruVariant.RESET_BEFORE));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void aForwardAllocatesNothing(GruSpec spec) throws Exception {
        inGroup(spec + " forward", group -> {
            try (Gru gru = gru(spec, 2);
                    Arena arena = Arena.ofConfined()) {
                GruInput full = input(spec, null);
                GruInput ragged = input(spec, new int[] {3, 0, 1, 2});
                GruOutput output = GruOutput.of(spec, T, B);
                MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, full.x());
                MemorySegment y = arena.allocate(ValueLayout.JAVA_FLOAT, output.y().length);
                MemorySegment inPlace = MemorySegment.ofArray(full.x());
                MemorySegment result = MemorySegment.ofArray(output.y());
                assertSettles(group, spec + " forward", () -> {
                    gru.forward(full, output);
                    gru.forward(ragged, output);
                    gru.forward(x, T, B, null, null, y, null);
                    gru.forward(inPlace, T, B, null, ragged.lengths(), result, null);
                });
            }
        });
    }

    @ParameterizedTest
    @MethodSource("specs")
    void aTrainingStepAllocatesNothing(GruSpec spec) throws Exception {
        inGroup(spec + " training", group -> {
            try (Gru gru = gru(spec, 2);
                    var training = gru.training()) {
                GruInput full = input(spec, null);
                GruInput ragged = input(spec, new int[] {3, 0, 1, 2});
                GruOutput output = GruOutput.of(spec, T, B);
                GruGradients gradients = GruGradients.of(spec, T, B);
                GruWeights weights = gru.weights();
                assertSettles(group, spec + " training", () -> {
                    gru.setWeights(weights);
                    training.forward(full, 1, output);
                    training.backward(output.y(), output.hT(), gradients);
                    training.forward(ragged, 2, output);
                    training.backward(output.y(), null, gradients);
                });
            }
        });
    }

    @Test
    void callersAtTheSameTimeAllocateNothing() throws Exception {
        inGroup("parallel forwards", group -> {
            try (Gru gru = gru(SPEC, 2)) {
                GruInput input = input(SPEC, null);
                GruOutput output = GruOutput.of(SPEC, T, B);
                AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
                boolean[] done = {false};
                List<Thread> others = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    GruOutput own = GruOutput.of(SPEC, T, B);
                    others.add(Thread.ofPlatform().group(group).start(() -> {
                        try {
                            while (!isSet(done)) {
                                gru.forward(input, own);
                            }
                        } catch (RuntimeException | Error e) {
                            failure.set(e);
                        }
                    }));
                }
                try {
                    assertSettles(group, "parallel forwards", () -> gru.forward(input, output));
                } finally {
                    synchronized (done) {
                        done[0] = true;
                    }
                    for (Thread other : others) {
                        other.join();
                    }
                }
                assertTrue(failure.get() == null, "another caller failed: " + failure.get());
            }
        });
    }

    private static boolean isSet(boolean[] flag) {
        synchronized (flag) {
            return flag[0];
        }
    }

    private static Gru gru(GruSpec spec, int threads) {
        return Gru.builder(spec).backend("simd").options(new BackendOptions(threads, 0)).build();
    }

    private static GruInput input(GruSpec spec, int @Nullable [] lengths) {
        Random random = new Random(5);
        float[] x = new float[T * B * spec.inputSize()];
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat() - 0.5f;
        }
        return new GruInput(x, T, B).withLengths(lengths);
    }

    /** Repeats calls until a round of them allocates nothing. */
    private static void assertSettles(ThreadGroup group, String what, Runnable call) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        long fewest = Long.MAX_VALUE;
        int rounds = 0;
        while (System.nanoTime() < deadline) {
            long before = allocated(group);
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            long bytes = allocated(group) - before;
            fewest = Math.min(fewest, bytes);
            rounds++;
            if (bytes < ALLOWED) {
                return;
            }
        }
        fail(what + ": " + fewest / (double) CALLS + " bytes a call in the best of " + rounds + " rounds; less than "
                + ALLOWED / CALLS + " expected. Repeat: mvn -pl java/parity -am test -Dtest=SteadyStateAllocationTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false");
    }

    /** Bytes that the threads of a group have allocated since they started. */
    private static long allocated(ThreadGroup group) {
        Thread[] threads = new Thread[16];
        int count = group.enumerate(threads);
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += Math.max(0, THREADS.getThreadAllocatedBytes(threads[i].threadId()));
        }
        return bytes;
    }

    private interface Body {
        void run(ThreadGroup group) throws Exception;
    }

    /** Runs in a thread of a new group, which the threads of a pool that is made there join. */
    private static void inGroup(String name, Body body) throws Exception {
        ThreadGroup group = new ThreadGroup(name);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().group(group).start(() -> {
            try {
                body.run(group);
            } catch (Exception | Error e) {
                failure.set(e);
            }
        });
        thread.join();
        Throwable failed = failure.get();
        if (failed instanceof Error error) {
            throw error;
        }
        if (failed instanceof Exception exception) {
            throw exception;
        }
    }
}
