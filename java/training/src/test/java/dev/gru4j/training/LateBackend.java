package dev.gru4j.training;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.FloatReadback;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.IntMemory;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.backend.TrainingKernels;
import java.util.List;

/**
 * The reference as a slow GPU shows itself to a training loop: no result is there before somebody waits for it. Writes
 * down, as {@code asked} and {@code waited}, when a result is asked for and when it is waited for.
 */
final class LateBackend implements GruBackend {
    private final GruBackend backend = Backends.named("reference").open(BackendOptions.DEFAULT);
    private final List<String> events;

    /** Readbacks made and not closed. */
    int open;

    /** Readbacks that may still be made. */
    int allowed = Integer.MAX_VALUE;

    LateBackend(List<String> events) {
        this.events = events;
    }

    private final class LateReadback implements FloatReadback {
        private final FloatReadback readback;
        private boolean isDone = true;
        private boolean isOpen = true;

        LateReadback(int floats) {
            this.readback = backend.allocateReadback(floats);
            open++;
        }

        @Override
        public int length() {
            return readback.length();
        }

        @Override
        public void copy(FloatMemory source, long at, int to, int count) {
            readback.copy(source, at, to, count);
            isDone = false;
            events.add("asked");
        }

        @Override
        public boolean isDone() {
            return isDone;
        }

        @Override
        public void get(int at, float[] target, int to, int count) {
            if (!isDone) {
                events.add("waited");
            }
            isDone = true;
            readback.get(at, target, to, count);
        }

        @Override
        public void close() {
            if (isOpen) {
                isOpen = false;
                open--;
            }
            readback.close();
        }
    }

    @Override
    public FloatReadback allocateReadback(int floats) {
        if (allowed-- == 0) {
            throw new IllegalStateException("out of memory");
        }
        return new LateReadback(floats);
    }

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public String description() {
        return backend.description();
    }

    @Override
    public ProductPrecision precision() {
        return backend.precision();
    }

    @Override
    public FloatMemory allocate(long floats) {
        return backend.allocate(floats);
    }

    @Override
    public IntMemory allocateInts(long integers) {
        return backend.allocateInts(integers);
    }

    @Override
    public GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        return backend.plan(spec, maxT, maxB, mode);
    }

    @Override
    public TrainingKernels trainingKernels() {
        return backend.trainingKernels();
    }

    @Override
    public void synchronize() {
        backend.synchronize();
    }

    @Override
    public void close() {
        backend.close();
    }
}
