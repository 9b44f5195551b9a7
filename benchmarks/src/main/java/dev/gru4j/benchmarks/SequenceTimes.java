package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.KernelFamily;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Times of whole sequences on one backend, for {@code ci/gpu}: each shape, in every precision and by every family of
 * kernels that the backend has, is checked against the reference, then timed by a {@link CallTimer}. No JMH here: a
 * call takes from tens of microseconds to a second, and a JVM per shape would cost more than the measuring.
 *
 * <p>{@code java -cp benchmarks.jar dev.gru4j.benchmarks.SequenceTimes BACKEND SECONDS FILE.shapes…}: after
 * so many seconds nothing further is begun, and everything left out is counted. What tells most comes first: the
 * shapes of the first file, as the backend itself chooses its kernels; the same by the other family; then the
 * shapes of the other files likewise.
 */
public final class SequenceTimes implements AutoCloseable {
    private static final String CUDA = "cuda";

    /** One thing to measure: a shape in a precision, by the kernels the backend chooses or by the others. */
    private record Row(String shape, ProductPrecision precision, boolean isChosen) {}

    private final String name;
    private final Map<BackendOptions, GruBackend> backends = new HashMap<>();
    private final Set<Row> checked = new HashSet<>();

    /** The latest shape, its inputs, and what the reference makes of them. */
    private String latestShape = "";

    private GruProblem.@Nullable Inputs inputs;
    private GruProblem.@Nullable Expected expected;

    private SequenceTimes(String name) {
        this.name = name;
    }

    public static void main(String[] args) throws IOException {
        if (args.length < 3) {
            throw new IllegalArgumentException(args.length + " arguments; BACKEND SECONDS FILE.shapes… expected");
        }
        double seconds = Double.parseDouble(args[1]);
        List<String> first = Shape.read(Path.of(args[2]));
        List<String> others = new ArrayList<>();
        for (int i = 3; i < args.length; i++) {
            others.addAll(Shape.read(Path.of(args[i])));
        }
        others.removeAll(first);
        try (SequenceTimes times = new SequenceTimes(args[0])) {
            times.facts();
            times.run(times.rows(first, others.stream().distinct().toList()), seconds);
        }
    }

    private List<Row> rows(List<String> first, List<String> others) {
        List<ProductPrecision> precisions =
                name.equals(CUDA) ? List.of(ProductPrecision.values()) : List.of(ProductPrecision.FP32);
        List<Row> rows = new ArrayList<>();
        for (List<String> shapes : List.of(first, others)) {
            for (boolean isChosen : name.equals(CUDA) ? new boolean[] {true, false} : new boolean[] {true}) {
                for (String shape : shapes) {
                    precisions.forEach(precision -> rows.add(new Row(shape, precision, isChosen)));
                }
            }
        }
        return rows;
    }

    private void run(List<Row> rows, double seconds) {
        long start = System.nanoTime();
        int passed = 0;
        int failed = 0;
        for (Row row : rows) {
            if (System.nanoTime() - start > seconds * 1e9) {
                tell("left-out", row, "the time was used up");
                continue;
            }
            try {
                passed += isMeasured(row) ? 1 : 0;
            } catch (RuntimeException | OutOfMemoryError e) {
                // One that fails must not keep the others from being timed.
                failed++;
                tell("failed", row, String.valueOf(e.getMessage()));
            }
        }
        System.out.printf("%d passed, %d failed, %d skipped%n", passed, failed, rows.size() - passed - failed);
        if (failed > 0) {
            throw new IllegalStateException(failed + " measurements failed; see above");
        }
    }

    private void tell(String kind, Row row, String why) {
        Measures.print(
                "kind", kind, "by", name, "shape", row.shape(), "mode", row.precision(), "how",
                row.isChosen() ? "kernels as chosen" : "the other kernels", "why", why);
    }

    private GruBackend backend(BackendOptions options) {
        GruBackend backend = backends.computeIfAbsent(options, wanted -> Backends.open(name, wanted));
        if (backend.precision() != options.precision()) {
            throw new IllegalStateException("backend '" + name + "' computes in " + backend.precision() + "; "
                    + options.precision() + " expected (a property of its own overrules the option)");
        }
        return backend;
    }

    /** Checks and times one row; false, with the reason in the log, where the backend has nothing of the kind. */
    private boolean isMeasured(Row row) {
        GruShape shape = Shape.parse(row.shape());
        GruBackend backend;
        BackendOptions options = BackendOptions.DEFAULT.withPrecision(row.precision());
        Availability availability = Backends.named(name).availability(options);
        if (!availability.isAvailable()) {
            tell("left-out", row, availability.toString());
            return false;
        }
        try {
            backend = backend(options);
            if (!row.isChosen()) {
                backend = backend(options.withKernels(
                        isPersistent(plan(backend, shape)) ? KernelFamily.STEPWISE : KernelFamily.PERSISTENT));
                plan(backend, shape);
            }
        } catch (IllegalArgumentException e) {
            // The backend's word for a family of kernels that it does not have for this shape.
            tell("left-out", row, String.valueOf(e.getMessage()));
            return false;
        }
        try (CallTimer timer = CallTimer.of(backend)) {
            try (GruProblem problem = GruProblem.on(backend, shape, inputs(row), GruPlan.Mode.TRAINING)) {
                // Before the inference plan, since what is expected of gradients is computed once for both.
                check(problem, row);
                time(problem, timer, row, "forward", problem::forward);
                time(problem, timer, row, "training", () -> {
                    problem.forward();
                    problem.backward();
                });
            }
            try (GruProblem problem = GruProblem.on(backend, shape, inputs(row), GruPlan.Mode.INFERENCE)) {
                problem.verify(expected(problem), row.precision());
                time(problem, timer, row, "inference", problem::forward);
            }
        }
        return true;
    }

    private static PlanReport plan(GruBackend backend, GruShape shape) {
        try (GruPlan plan = backend.plan(
                GruSpec.of(shape.I(), shape.H()), shape.T(), shape.B(), GruPlan.Mode.TRAINING)) {
            return plan.report();
        }
    }

    private static boolean isPersistent(PlanReport report) {
        return kernels(report).startsWith(KernelFamily.PERSISTENT.toString());
    }

    private static String kernels(PlanReport report) {
        return report.decisions().getFirst().choice();
    }

    /** Once for all T of a problem: the first steps are the same. */
    private void check(GruProblem problem, Row row) {
        String anyT = row.shape().substring(row.shape().indexOf(','));
        if (checked.add(new Row(anyT, row.precision(), row.isChosen()))) {
            System.out.println("checked  " + problem.verify(expected(problem), row.precision()));
        } else {
            problem.verifyStates();
        }
    }

    private GruProblem.Inputs inputs(Row row) {
        GruProblem.Inputs known = inputs;
        if (known == null || !latestShape.equals(row.shape())) {
            known = GruProblem.Inputs.of(Shape.parse(row.shape()));
            inputs = known;
            expected = null;
            latestShape = row.shape();
        }
        return known;
    }

    private GruProblem.Expected expected(GruProblem problem) {
        GruProblem.Expected known = expected;
        if (known == null) {
            known = problem.expected();
            expected = known;
        }
        return known;
    }

    private void time(GruProblem problem, CallTimer timer, Row row, String pass, Runnable call) {
        double[] times = timer.sample(call);
        PlanReport report = problem.planReport();
        Measures.print(
                "kind", "gru", "by", "gru4j", "backend", timer.isEmulated() ? "emulator" : name, "mode",
                row.precision(), "kernels", kernels(report), "chosen", row.isChosen(), "shape", row.shape(), "pass",
                pass,
                "us", Measures.number(Measures.quantile(0.5, times)), "us-min", Measures.number(times[0]), "us-p90",
                Measures.number(Measures.quantile(0.9, times)), "calls", times.length, "how", report.line());
    }

    private void facts() {
        GruBackend backend = backend(BackendOptions.DEFAULT);
        Measures.print("kind", "fact", "name", "backend " + name, "value", backend.description());
        Measures.print("kind", "fact", "name", "processor", "value", Machine.description());
        if (name.equals(CUDA)) {
            CallTimer.launches(backend);
        }
    }

    @Override
    public void close() {
        backends.values().forEach(GruBackend::close);
    }
}
