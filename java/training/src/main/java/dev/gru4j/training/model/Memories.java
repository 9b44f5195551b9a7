package dev.gru4j.training.model;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.IntMemory;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a model holds on its backend, closed together and in reverse order. Belongs to one thread. */
final class Memories implements AutoCloseable {
    private final GruBackend backend;
    private final Deque<AutoCloseable> held = new ArrayDeque<>();

    Memories(GruBackend backend) {
        this.backend = backend;
    }

    GruBackend backend() {
        return backend;
    }

    FloatMemory floats(long length) {
        return keep(backend.allocate(length));
    }

    IntMemory ints(long length) {
        return keep(backend.allocateInts(length));
    }

    GruPlan plan(GruSpec spec, int maxT, int maxB, GruPlan.Mode mode) {
        return keep(backend.plan(spec, maxT, maxB, mode));
    }

    <C extends AutoCloseable> C keep(C resource) {
        held.push(resource);
        return resource;
    }

    /** Closes everything, also when one of them fails; the first failure is thrown, the others suppressed. */
    @Override
    public void close() {
        RuntimeException failure = null;
        while (!held.isEmpty()) {
            try {
                held.pop().close();
            } catch (Exception e) {
                RuntimeException unchecked = e instanceof RuntimeException r ? r : new IllegalStateException(e);
                if (failure == null) {
                    failure = unchecked;
                } else {
                    failure.addSuppressed(unchecked);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
