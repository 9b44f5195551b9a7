package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One inference plan, many threads, each with its own call, workspace and outputs. */
@ExtendWith(ClosingTable.class)
final class ConcurrentInferenceTest {
    private static final int THREADS = 4;

    private static final int ROUNDS = 10;

    /** Inputs differ from thread to thread in their values, their lengths and their number of rows. */
    private static final GruCase PROBLEM =
            GruCase.parse("T5 B9 I7 H35 layers=2 directions=bidirectional lengths=random");

    static List<Subject> subjects() {
        return Subject.single();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void everyThreadGetsTheBitsOfItsOwnInput(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> check(subject.backend()));
    }

    private static void check(GruBackend backend) throws Exception {
        GruInputs in = GruInputs.of(PROBLEM);
        int T = PROBLEM.shape().T();
        int B = PROBLEM.shape().B();
        try (GruPlan plan = backend.plan(PROBLEM.spec(), T, B, GruPlan.Mode.INFERENCE);
                FloatMemory parameters = backend.allocate(in.parameters().length);
                ExecutorService executor = Executors.newFixedThreadPool(THREADS)) {
            parameters.upload(in.parameters());
            plan.loadParameters(parameters);
            List<float[]> alone = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                alone.add(forward(backend, plan, thread));
            }
            CyclicBarrier start = new CyclicBarrier(THREADS);
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int own = thread;
                running.add(executor.submit(() -> {
                    start.await();
                    for (int round = 0; round < ROUNDS; round++) {
                        float[] found = forward(backend, plan, own);
                        assertArrayEquals(alone.get(own), found, "thread " + own + ", round " + round);
                    }
                    return own;
                }));
            }
            for (Future<?> future : running) {
                future.get();
            }
        }
    }

    /** y of a batch that only this thread runs. */
    private static float[] forward(GruBackend backend, GruPlan plan, int thread) {
        int T = PROBLEM.shape().T();
        int B = PROBLEM.shape().B() - thread;
        int I = PROBLEM.shape().I();
        int length = T * B * PROBLEM.spec().outputSize();
        float[] values = new float[T * B * I];
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) Math.sin(thread + 0.1 * k);
        }
        int[] lengths = new int[B];
        for (int b = 0; b < B; b++) {
            lengths[b] = (b + thread) % (T + 1);
        }
        try (FloatMemory x = backend.allocate(values.length);
                FloatMemory y = backend.allocate(length);
                FloatMemory workspace = backend.allocate(plan.workspaceLength())) {
            x.upload(values);
            plan.forward(new GruCall().shape(T, B).x(x).y(y).lengths(lengths).workspace(workspace));
            return y.toArray();
        }
    }
}
