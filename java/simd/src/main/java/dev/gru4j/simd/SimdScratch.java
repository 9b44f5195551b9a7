package dev.gru4j.simd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What one running call needs besides its workspace: the packed side of a product, off heap and 64-byte
 * aligned, small blocks on heap, and the tasks that are split over the threads. Grows to the largest
 * call seen and is then reused, so that a call allocates nothing in the steady state.
 */
final class SimdScratch {
    /** Vectors of 512 bits that straddle a cache line cost 3 to 8 percent of a product. */
    static final int ALIGNMENT = 64;

    /** The scratches of a backend that are not in use. */
    static final class Pool implements AutoCloseable {
        private final ArrayDeque<SimdScratch> idle = new ArrayDeque<>();
        private boolean closed;

        synchronized SimdScratch take() {
            if (closed) {
                throw new IllegalStateException("simd backend was closed");
            }
            SimdScratch scratch = idle.poll();
            return scratch == null ? new SimdScratch() : scratch;
        }

        synchronized void giveBack(SimdScratch scratch) {
            if (closed) {
                scratch.free();
            } else {
                idle.push(scratch);
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
            idle.forEach(SimdScratch::free);
            idle.clear();
        }
    }

    final SimdSchedule schedule = new SimdSchedule();
    final SimdForward forward = new SimdForward();
    final SimdBackward backward = new SimdBackward();
    final SimdRowProduct rowProduct = new SimdRowProduct();
    final SimdWeightGradient weightGradient = new SimdWeightGradient();
    final SimdDropout dropout = new SimdDropout();

    /** Products of the weight gradients: with x, with hPrev and, reset-before, with r ⊙ hPrev. */
    private final SimdWeightGradient.Product[] three = {
        new SimdWeightGradient.Product(), new SimdWeightGradient.Product(), new SimdWeightGradient.Product()
    };

    private final SimdWeightGradient.Product[] two = {three[0], three[1]};
    private final SimdWeightGradient.Product[] one = {three[0]};

    private @Nullable Arena arena;
    private MemorySegment offHeap = MemorySegment.NULL;
    private float[] onHeap = new float[0];
    private float[] blocks = new float[0];
    private float[] row = new float[0];
    private double[] doubles = new double[0];

    private SimdScratch() {}

    /** 1 to 3 products of a weight gradient. */
    SimdWeightGradient.Product[] products(int count) {
        return count == 1 ? one : count == 2 ? two : three;
    }

    /** At least {@code floats} floats, aligned, contents undefined. */
    MemorySegment offHeap(long floats) {
        long bytes = floats * Float.BYTES;
        if (offHeap.byteSize() < bytes) {
            free();
            arena = Arena.ofShared();
            offHeap = arena.allocate(bytes, ALIGNMENT);
        }
        return offHeap;
    }

    /** At least {@code floats} floats, contents undefined. */
    float[] onHeap(int floats) {
        if (onHeap.length < floats) {
            onHeap = new float[floats];
        }
        return onHeap;
    }

    /** The same, beside {@link #onHeap}: blocks of a product that runs together with another. */
    float[] blocks(int floats) {
        if (blocks.length < floats) {
            blocks = new float[floats];
        }
        return blocks;
    }

    /** At least {@code floats} floats of 0; for a bias. */
    float[] clearedRow(int floats) {
        if (row.length < floats) {
            row = new float[floats];
        } else {
            java.util.Arrays.fill(row, 0, floats, 0f);
        }
        return row;
    }

    /** At least {@code count} doubles, contents undefined; for partial sums. */
    double[] doubles(int count) {
        if (doubles.length < count) {
            doubles = new double[count];
        }
        return doubles;
    }

    private void free() {
        if (arena != null) {
            arena.close();
            arena = null;
            offHeap = MemorySegment.NULL;
        }
    }
}
