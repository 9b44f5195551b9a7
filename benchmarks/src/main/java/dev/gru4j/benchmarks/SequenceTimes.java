package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.cuda.CudaTimer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Times of whole sequences on one backend, for {@code ci/gpu}: each shape is checked against the
 * reference, then timed. On cuda the clock is the device's: an event before and one after each call, which
 * finds the device idle, so that the CPU's enqueueing is in the time as far as the device waits for it. On the CPU it
 * is the wall clock. No JMH here: a call takes from tens of microseconds to a second, and a JVM per
 * shape would cost more than the measuring.
 *
 * <p>{@code java -cp benchmarks.jar dev.gru4j.benchmarks.SequenceTimes BACKEND SECONDS FILE.shapes…}: after
 * so many seconds no further shape is begun, and every shape left out is counted.
 */
public final class SequenceTimes {
    /** Of one row of the table: this long, but no fewer and no more calls than these. */
    private static final double SECONDS_PER_ROW = 0.3;

    private static final double WARM_UP_SECONDS = 0.3;
    private static final int MIN_CALLS = 3;
    private static final int MAX_CALLS = 100;

    private SequenceTimes() {}

    public static void main(String[] args) throws IOException {
        if (args.length < 3) {
            throw new IllegalArgumentException(args.length + " arguments; BACKEND SECONDS FILE.shapes… expected");
        }
        String backend = args[0];
        double seconds = Double.parseDouble(args[1]);
        List<String> shapes = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            shapes.addAll(Shape.read(Path.of(args[i])));
        }
        shapes = shapes.stream().distinct().toList();
        long start = System.nanoTime();
        int left = 0;
        int failed = 0;
        try (GruProblem first = GruProblem.training(backend, Shape.parse("2,2,3,4"), 0, 0)) {
            Measures.print("kind", "fact", "name", "backend " + backend, "value", first.backendDescription());
            Measures.print("kind", "fact", "name", "plan", "value", first.planDescription());
            Measures.print("kind", "fact", "name", "processor", "value", Machine.description());
            if (backend.equals("cuda")) {
                launches(first.backend());
            }
            Set<String> checked = new HashSet<>();
            for (String shape : shapes) {
                if (System.nanoTime() - start > seconds * 1e9) {
                    left++;
                    Measures.print("kind", "left-out", "by", backend, "shape", shape, "why", "the time was used up");
                } else if (!isTimed(backend, shape, checked)) {
                    failed++;
                }
            }
        }
        System.out.printf("%d passed, %d failed, %d skipped%n", shapes.size() - left - failed, failed, left);
        if (failed > 0) {
            throw new IllegalStateException(failed + " shapes failed; see above");
        }
    }

    /**
     * Checks and times one shape; one that fails is reported and does not keep the others from being timed.
     *
     * @param checked B,I,H that were compared with the reference: once is enough for all T
     */
    private static boolean isTimed(String backend, String text, Set<String> checked) {
        GruShape shape = Shape.parse(text);
        boolean isNew = checked.add(text.substring(text.indexOf(',')));
        try {
            try (GruProblem problem = GruProblem.inference(backend, shape, 0, 0)) {
                check(problem, isNew);
                time(problem, backend, text, "inference", problem::forward);
            }
            try (GruProblem problem = GruProblem.training(backend, shape, 0, 0)) {
                check(problem, isNew);
                time(problem, backend, text, "forward", problem::forward);
                time(problem, backend, text, "training", () -> {
                    problem.forward();
                    problem.backward();
                });
            }
            return true;
        } catch (RuntimeException | OutOfMemoryError e) {
            Measures.print("kind", "failed", "by", backend, "shape", text, "why", String.valueOf(e.getMessage()));
            return false;
        }
    }

    private static void check(GruProblem problem, boolean isNew) {
        if (isNew) {
            System.out.println("checked  " + problem.verify());
        } else {
            problem.verifyStates();
        }
    }

    private static void time(GruProblem problem, String backend, String shape, String pass, Runnable call) {
        double[] times = sample(problem.backend(), backend.equals("cuda"), call);
        Measures.print(
                "kind", "gru", "by", "gru4j", "backend", isEmulated(problem) ? "emulator" : backend, "mode", "fp32",
                "shape", shape, "pass", pass, "us", Measures.number(Measures.quantile(0.5, times)), "us-min",
                Measures.number(times[0]), "us-p90", Measures.number(Measures.quantile(0.9, times)), "calls",
                times.length, "how", problem.planDescription());
    }

    /** A time of the emulator says nothing about a GPU and must not be taken for one. */
    private static boolean isEmulated(GruProblem problem) {
        return problem.backendDescription().contains("emulated");
    }

    /** Microseconds of single calls, sorted. */
    private static double[] sample(GruBackend backend, boolean onDevice, Runnable call) {
        try (CudaTimer timer = onDevice ? CudaTimer.of(backend) : null) {
            // Until buffers are known and the JIT compiler has seen what it needs; the last one tells how many calls fit.
            long start = System.nanoTime();
            one(backend, timer, call);
            double once;
            do {
                once = one(backend, timer, call);
            } while (System.nanoTime() - start < 1e9 * WARM_UP_SECONDS);
            int calls = (int) Math.clamp(1e6 * SECONDS_PER_ROW / once, MIN_CALLS, MAX_CALLS);
            double[] times = new double[calls];
            for (int i = 0; i < calls; i++) {
                times[i] = one(backend, timer, call);
            }
            return Measures.sorted(times);
        }
    }

    private static double one(GruBackend backend, @Nullable CudaTimer timer, Runnable call) {
        if (timer != null) {
            timer.start();
            call.run();
            timer.stop();
            return timer.microseconds();
        }
        long start = System.nanoTime();
        call.run();
        backend.synchronize();
        return (System.nanoTime() - start) / 1e3;
    }

    /** The price of one launch from Java: of the smallest kernel there is, enqueued a thousand times in a row. */
    private static void launches(GruBackend backend) {
        int launches = 1000;
        try (FloatMemory one = backend.allocate(1);
                FloatMemory two = backend.allocate(1);
                CudaTimer timer = CudaTimer.of(backend)) {
            Runnable launch = () -> backend.trainingKernels().sgd(one, two, null, 1, 0, 0);
            double[] enqueue = new double[5];
            double[] device = new double[5];
            for (int i = -2; i < device.length; i++) {
                backend.synchronize();
                timer.start();
                long start = System.nanoTime();
                for (int k = 0; k < launches; k++) {
                    launch.run();
                }
                double host = (System.nanoTime() - start) / 1e3 / launches;
                timer.stop();
                double onDevice = timer.microseconds() / launches;
                if (i >= 0) {
                    enqueue[i] = host;
                    device[i] = onDevice;
                }
            }
            fact("launch from Java, enqueueing", Measures.quantile(0.5, Measures.sorted(enqueue)));
            fact("launch from Java, on the device", Measures.quantile(0.5, Measures.sorted(device)));
        }
    }

    private static void fact(String name, double microseconds) {
        Measures.print("kind", "fact", "name", name, "value", Measures.number(microseconds), "unit", "us");
    }
}
