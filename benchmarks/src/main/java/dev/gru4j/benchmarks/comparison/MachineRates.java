package dev.gru4j.benchmarks.comparison;

import dev.gru4j.benchmarks.PeakBenchmark;
import dev.gru4j.simd.ActivationLoops;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * What floors are computed from: multiply-adds on registers, activations in the first-level cache, reads of as many bytes
 * as the recurrent weights have. All threads begin together, and their rates are added up.
 */
final class MachineRates {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    /** 4 KiB of floats: a small part of every first-level cache. */
    private static final int ACTIVATIONS = 1024;

    private static final int ALIGNMENT = 64;

    /** Vectors per turn of the reading loop, each into a sum of its own, so that additions do not wait for one another. */
    private static final int UNROLLED = 8;

    /** Keeps what is measured from being optimized away. */
    private static volatile float sink;

    private MachineRates() {}

    /** GFLOP/s of fused multiply-adds: the loop of {@link PeakBenchmark}. */
    static Reply peak(int threads, double seconds) {
        return Reply.rates(rate(threads, seconds, thread -> {
            PeakBenchmark loop = new PeakBenchmark();
            return () -> {
                sink = loop.multiplyAdd();
                return PeakBenchmark.FLOP;
            };
        }));
    }

    /** σ and tanh of the simd backend in elements/ns, then reads in GB/s of {@code bytes} a thread, again and again. */
    static Reply machine(int threads, double seconds, long bytes) {
        double sigmoid = rate(threads, seconds, thread -> {
            float[] v = new float[ACTIVATIONS];
            return () -> {
                for (int i = 0; i < 100; i++) {
                    ActivationLoops.sigmoid(v);
                }
                return 100 * ACTIVATIONS;
            };
        });
        double tanh = rate(threads, seconds, thread -> {
            float[] v = new float[ACTIVATIONS];
            return () -> {
                for (int i = 0; i < 100; i++) {
                    ActivationLoops.tanh(v);
                }
                return 100 * ACTIVATIONS;
            };
        });
        long step = (long) UNROLLED * SPECIES.vectorByteSize();
        long rounded = Math.ceilDiv(bytes, step) * step;
        try (Arena arena = Arena.ofShared()) {
            double read = rate(threads, seconds, thread -> {
                MemorySegment segment = arena.allocate(rounded, ALIGNMENT).fill((byte) 0);
                return () -> {
                    sink = sum(segment, rounded);
                    return rounded;
                };
            });
            return Reply.rates(sigmoid, tanh, read);
        }
    }

    private static float sum(MemorySegment segment, long bytes) {
        FloatVector s0 = FloatVector.zero(SPECIES);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        long width = SPECIES.vectorByteSize();
        for (long i = 0; i < bytes; i += UNROLLED * width) {
            s0 = s0.add(load(segment, i));
            s1 = s1.add(load(segment, i + width));
            s2 = s2.add(load(segment, i + 2 * width));
            s3 = s3.add(load(segment, i + 3 * width));
            s4 = s4.add(load(segment, i + 4 * width));
            s5 = s5.add(load(segment, i + 5 * width));
            s6 = s6.add(load(segment, i + 6 * width));
            s7 = s7.add(load(segment, i + 7 * width));
        }
        return s0.add(s1).add(s2).add(s3).add(s4).add(s5).add(s6).add(s7).reduceLanes(VectorOperators.ADD);
    }

    private static FloatVector load(MemorySegment segment, long offset) {
        return FloatVector.fromMemorySegment(SPECIES, segment, offset, ByteOrder.nativeOrder());
    }

    /** One piece of work; how much it was. */
    private interface Work {
        long run();
    }

    /** Work per nanosecond of all threads together. */
    private static double rate(int threads, double seconds, IntFunction<Work> works) {
        if (threads == 1) {
            return rate(seconds, works.apply(0));
        }
        CyclicBarrier start = new CyclicBarrier(threads);
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<Future<Double>> rates = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                rates.add(pool.submit(() -> {
                    Work work = works.apply(thread);
                    start.await();
                    return rate(seconds, work);
                }));
            }
            double sum = 0;
            for (Future<Double> rate : rates) {
                sum += rate.get();
            }
            return sum;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("the machine's rates could not be measured", e);
        }
    }

    private static double rate(double seconds, Work work) {
        long start = System.nanoTime();
        long done = 0;
        long elapsed;
        do {
            done += work.run();
            elapsed = System.nanoTime() - start;
        } while (elapsed < 1e9 * seconds);
        return (double) done / elapsed;
    }
}
