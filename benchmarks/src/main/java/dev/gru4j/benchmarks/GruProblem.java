package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A plan with seeded inputs, ready to be called, and a check of the same plan against the reference. */
final class GruProblem implements AutoCloseable {
    /** Stands for a problem that has not been set up. */
    static final GruProblem NONE = new GruProblem();

    /** The check takes the first steps, and compares the first rows: all would take the scalar reference minutes. */
    private static final int CHECKED_STEPS = 3;

    private static final int CHECKED_ROWS = 3;

    /** Random numbers that repeat after that many: enough for every checked step, prime so that no two rows agree. */
    private static final int PERIOD = 1_048_573;

    private final GruShape shape;
    private final @Nullable GruBackend backend;
    private final @Nullable GruPlan plan;
    private final GruCall call = new GruCall();
    private final FloatMemory[] memories;
    private final float[] parameters;
    private final float[] x;
    private final float[] dy;

    private GruProblem() {
        shape = new GruShape(0, 1, 1, 1);
        backend = null;
        plan = null;
        memories = new FloatMemory[0];
        parameters = new float[0];
        x = parameters;
        dy = parameters;
    }

    private GruProblem(String name, GruShape shape, int threads, int bits, GruPlan.Mode mode) {
        this.shape = shape;
        GruBackend opened = Backends.open(name, new BackendOptions(threads, bits));
        GruPlan made = opened.plan(GruSpec.of(shape.I(), shape.H()), shape.T(), shape.B(), mode);
        backend = opened;
        plan = made;
        boolean trains = mode == GruPlan.Mode.TRAINING;
        SplittableRandom random = new SplittableRandom(42);
        parameters = uniform(random, Math.toIntExact(made.parameters().length()), 1 / Math.sqrt(shape.H()));
        x = uniform(random, Math.toIntExact((long) shape.T() * shape.B() * shape.I()), 1);
        int outputs = Math.toIntExact((long) shape.T() * shape.B() * shape.H());
        dy = uniform(random, trains ? outputs : 0, 1e-3);
        long states = (long) shape.B() * shape.H();
        memories = new FloatMemory[] {
            filled(opened, parameters), filled(opened, x), filled(opened, dy), opened.allocate(outputs),
            opened.allocate(states), opened.allocate(trains ? x.length : 0), opened.allocate(states),
            opened.allocate(trains ? parameters.length : 0), opened.allocate(made.workspaceLength()),
            opened.allocate(made.reserveLength())
        };
        call.shape(shape.T(), shape.B()).x(memories[1]).y(memories[3]).hT(memories[4]).workspace(memories[8]);
        if (trains) {
            call.dy(memories[2]).dx(memories[5]).dh0(memories[6]).dParameters(memories[7]).reserve(memories[9]);
        }
        loadParameters();
    }

    static GruProblem inference(String backend, GruShape shape, int threads, int bits) {
        return new GruProblem(backend, shape, threads, bits, GruPlan.Mode.INFERENCE);
    }

    static GruProblem training(String backend, GruShape shape, int threads, int bits) {
        GruProblem problem = new GruProblem(backend, shape, threads, bits, GruPlan.Mode.TRAINING);
        // Backward alone must have a reserve to read.
        problem.forward();
        return problem;
    }

    private static float[] uniform(SplittableRandom random, int n, double range) {
        float[] values = new float[n];
        int period = Math.min(n, PERIOD);
        for (int i = 0; i < period; i++) {
            values[i] = (float) ((2 * random.nextDouble() - 1) * range);
        }
        for (int i = period; i < n; i += period) {
            System.arraycopy(values, 0, values, i, Math.min(period, n - i));
        }
        return values;
    }

    private static FloatMemory filled(GruBackend backend, float... values) {
        FloatMemory memory = backend.allocate(values.length);
        memory.upload(values);
        return memory;
    }

    /** The backend, for a clock of its own. */
    GruBackend backend() {
        return open(backend);
    }

    String backendDescription() {
        return open(backend).description();
    }

    String planDescription() {
        return open(plan).description();
    }

    void loadParameters() {
        open(plan).loadParameters(memories[0]);
    }

    void forward() {
        open(plan).forward(call);
    }

    void backward() {
        open(plan).backward(call);
    }

    private static <T> T open(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("no problem was set up");
        }
        return value;
    }

    /**
     * Runs the first steps of all rows through the plan that will be timed and the first rows through the
     * reference in double, then all steps once. The gradients of the rows that are not compared are zero
     * meanwhile, so that the sums over rows can be compared. Outputs hold NaN before.
     *
     * @return what was compared and how far it was off
     * @throws IllegalStateException if a tensor is off by more than 10⁻⁴ of its largest value, or if a
     *     state after all steps is not in [−1, 1]
     */
    String verify() {
        int steps = Math.min(CHECKED_STEPS, shape.T());
        int rows = Math.min(CHECKED_ROWS, shape.B());
        boolean trains = open(plan).mode() == GruPlan.Mode.TRAINING;
        for (int i = 3; i <= 7; i++) {
            memories[i].fill(Float.NaN);
        }
        call.shape(steps, shape.B());
        forward();
        ReferenceNetwork network =
                new ReferenceNetwork(open(plan).spec(), Precision.DOUBLE,
                        firstRows(parameters, 1, 1, 1, parameters.length));
        ReferenceNetwork.Forward expected = network.forward(
                steps, rows, firstRows(x, steps, shape.B(), rows, shape.I()), null, null, null);
        StringBuilder report = new StringBuilder(
                open(plan).mode() + " of " + shape + ", " + rows + " rows of " + steps + " steps: y off by ");
        report.append(compare("y", expected.y(), memories[3], steps, shape.B(), rows, shape.H()));
        if (trains) {
            float[] some = Arrays.copyOf(dy, steps * shape.B() * shape.H());
            for (int t = 0; t < steps; t++) {
                int step = t * shape.B() * shape.H();
                Arrays.fill(some, step + rows * shape.H(), step + shape.B() * shape.H(), 0);
            }
            memories[2].upload(some);
            backward();
            ReferenceNetwork.Gradients gradients =
                    network.backward(expected, firstRows(dy, steps, shape.B(), rows, shape.H()), null);
            report.append(", dx ")
                    .append(compare("dx", gradients.dx(), memories[5], steps, shape.B(), rows, shape.I()));
            report.append(", dParameters ")
                    .append(compare("dParameters", gradients.dParameters(), memories[7], 1, 1, 1, parameters.length));
            memories[2].upload(dy);
        }
        call.shape(shape.T(), shape.B());
        verifyStates();
        return report.append(" of the largest value").toString();
    }

    /**
     * Runs all steps.
     *
     * @throws IllegalStateException if a state after them is not in [−1, 1]
     */
    void verifyStates() {
        forward();
        for (float h : memories[4].toArray()) {
            if (!(Math.abs(h) <= 1)) {
                throw new IllegalStateException("a state after " + shape.T() + " steps is " + h + "; −1 to 1 expected");
            }
        }
    }

    /** The tensor (steps, all, width) without the rows from {@code rows} on, in double. */
    private static double[] firstRows(float[] values, int steps, int all, int rows, int width) {
        double[] result = new double[steps * rows * width];
        for (int i = 0; i < result.length; i++) {
            int step = i / (rows * width);
            result[i] = values[step * all * width + i % (rows * width)];
        }
        return result;
    }

    private static String compare(
            String name, double[] expected, FloatMemory found, int steps, int all, int rows, int width) {
        float[] values = new float[steps * all * width];
        found.download(0, values, 0, values.length);
        double[] compared = firstRows(values, steps, all, rows, width);
        double largest = 0;
        for (double value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs(compared[i] - expected[i]);
            // So written, a NaN is an error.
            if (!(error <= 1e-4 * largest)) {
                throw new IllegalStateException(
                        name + "[" + i + "] is off by " + error + "; the largest value is " + largest);
            }
            worst = Math.max(worst, error);
        }
        return String.format(Locale.ROOT, "%.1e", worst / largest);
    }

    @Override
    public void close() {
        if (plan != null) {
            plan.close();
        }
        for (FloatMemory memory : memories) {
            memory.close();
        }
        if (backend != null) {
            backend.close();
        }
    }
}
