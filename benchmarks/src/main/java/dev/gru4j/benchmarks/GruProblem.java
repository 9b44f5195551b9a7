package dev.gru4j.benchmarks;

import dev.gru4j.GruParameters;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.GruCall;
import dev.gru4j.backend.GruPlan;
import dev.gru4j.backend.PlanReport;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
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
    private final boolean isBackendOwn;
    private final @Nullable GruPlan plan;
    private final GruCall call = new GruCall();
    private final List<FloatMemory> memories = new ArrayList<>();
    private final Inputs inputs;

    private GruProblem() {
        shape = new GruShape(0, 1, 1, 1);
        backend = null;
        isBackendOwn = false;
        plan = null;
        inputs = new Inputs(new float[0], new float[0], new float[0]);
    }

    /** Seeded parameters, x (T,B,I) and dy (T,B,H): the same for all problems of a shape. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
    record Inputs(float[] parameters, float[] x, float[] dy) {
        static Inputs of(GruShape shape) {
            SplittableRandom random = new SplittableRandom(42);
            long parameters = GruParameters.of(GruSpec.of(shape.I(), shape.H())).length();
            return new Inputs(
                    uniform(random, Math.toIntExact(parameters), 1 / Math.sqrt(shape.H())),
                    uniform(random, Math.toIntExact((long) shape.T() * shape.B() * shape.I()), 1),
                    uniform(random, Math.toIntExact((long) shape.T() * shape.B() * shape.H()), 1e-3));
        }
    }

    private GruProblem(
            GruBackend opened, boolean isBackendOwn, GruShape shape, Inputs inputs, GruPlan.Mode mode) {
        this.shape = shape;
        this.inputs = inputs;
        GruPlan made = opened.plan(GruSpec.of(shape.I(), shape.H()), shape.T(), shape.B(), mode);
        backend = opened;
        this.isBackendOwn = isBackendOwn;
        plan = made;
        boolean complete = false;
        try {
            allocate(opened, made);
            complete = true;
        } finally {
            if (!complete) {
                // A device whose memory does not suffice for one shape has to have it again for the next.
                close();
            }
        }
    }

    private void allocate(GruBackend opened, GruPlan made) {
        boolean trains = made.mode() == GruPlan.Mode.TRAINING;
        long states = (long) shape.B() * shape.H();
        memories.add(filled(opened, inputs.parameters));
        memories.add(filled(opened, inputs.x));
        memories.add(trains ? filled(opened, inputs.dy) : opened.allocate(0));
        memories.add(opened.allocate(inputs.dy.length));
        memories.add(opened.allocate(states));
        memories.add(opened.allocate(trains ? inputs.x.length : 0));
        memories.add(opened.allocate(states));
        memories.add(opened.allocate(trains ? inputs.parameters.length : 0));
        memories.add(opened.allocate(made.workspaceLength()));
        memories.add(opened.allocate(made.reserveLength()));
        call.shape(shape.T(), shape.B()).x(memories.get(1)).y(memories.get(3)).hT(memories.get(4));
        call.workspace(memories.get(8));
        if (trains) {
            call.dy(memories.get(2)).dx(memories.get(5)).dh0(memories.get(6)).dParameters(memories.get(7));
            call.reserve(memories.get(9));
        }
        loadParameters();
        if (trains) {
            // Backward alone must have a reserve to read.
            forward();
        }
    }

    static GruProblem inference(String backend, GruShape shape, int threads, int bits) {
        return of(backend, shape, threads, bits, GruPlan.Mode.INFERENCE);
    }

    static GruProblem training(String backend, GruShape shape, int threads, int bits) {
        return of(backend, shape, threads, bits, GruPlan.Mode.TRAINING);
    }

    private static GruProblem of(String backend, GruShape shape, int threads, int bits, GruPlan.Mode mode) {
        return new GruProblem(
                Backends.open(backend, new BackendOptions(threads, bits)), true, shape, Inputs.of(shape), mode);
    }

    /** On a backend that others use, too, and that stays open. */
    static GruProblem on(GruBackend backend, GruShape shape, Inputs inputs, GruPlan.Mode mode) {
        return new GruProblem(backend, false, shape, inputs, mode);
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

    PlanReport planReport() {
        return open(plan).report();
    }

    void loadParameters() {
        open(plan).loadParameters(memories.get(0));
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
     * What the reference computes in double of the first steps of the first rows: the same for every precision and
     * kernel, so that one is enough for all problems of a shape and mode.
     */
    record Expected(ReferenceNetwork.Forward forward, ReferenceNetwork.@Nullable Gradients gradients) {}

    Expected expected() {
        int steps = Math.min(CHECKED_STEPS, shape.T());
        int rows = Math.min(CHECKED_ROWS, shape.B());
        ReferenceNetwork network =
                new ReferenceNetwork(open(plan).spec(), Precision.DOUBLE,
                        Agreement.rows(inputs.parameters, 1, 1, first(1), inputs.parameters.length));
        ReferenceNetwork.Forward forward = network.forward(
                steps, rows, Agreement.rows(inputs.x, steps, shape.B(), first(rows), shape.I()), null, null, null);
        return new Expected(
                forward,
                isTraining()
                        ? network.backward(forward, Agreement.rows(inputs.dy, steps, shape.B(), first(rows), shape.H()),
                                null)
                        : null);
    }

    /** {@link #verify(Expected, ProductPrecision)} in fp32. */
    String verify() {
        return verify(expected(), ProductPrecision.FP32);
    }

    /**
     * Runs the first steps of all rows through the plan that will be timed and compares the first rows with what
     * the reference computes, then runs all steps once. The gradients of the rows that are not compared are zero
     * meanwhile, so that the sums over rows can be compared. Outputs hold NaN before.
     *
     * @return what was compared and how far it was off
     * @throws IllegalStateException if a tensor is off by more than the {@link Agreement#tolerance} of its largest value, or if
     *     a state after all steps is not in [−1, 1]
     */
    String verify(Expected expected, ProductPrecision precision) {
        int steps = Math.min(CHECKED_STEPS, shape.T());
        int rows = Math.min(CHECKED_ROWS, shape.B());
        double share = Agreement.tolerance(precision);
        for (int i = 3; i <= 7; i++) {
            memories.get(i).fill(Float.NaN);
        }
        call.shape(steps, shape.B());
        forward();
        StringBuilder report = new StringBuilder(open(plan).mode() + " in " + precision + " of " + shape + ", " + rows
                + " rows of " + steps + " steps: y off by ");
        report.append(compare(share, "y", expected.forward().y(), memories.get(3), steps, shape.B(), rows, shape.H()));
        if (isTraining()) {
            float[] some = Arrays.copyOf(inputs.dy, steps * shape.B() * shape.H());
            for (int t = 0; t < steps; t++) {
                int step = t * shape.B() * shape.H();
                Arrays.fill(some, step + rows * shape.H(), step + shape.B() * shape.H(), 0);
            }
            memories.get(2).upload(some);
            backward();
            ReferenceNetwork.Gradients gradients = open(expected.gradients());
            report.append(", dx ")
                    .append(compare(share, "dx", gradients.dx(), memories.get(5), steps, shape.B(), rows, shape.I()));
            report.append(", dParameters ")
                    .append(compare(
                            share, "dParameters", gradients.dParameters(), memories.get(7), 1, 1, 1,
                            inputs.parameters.length));
            memories.get(2).upload(inputs.dy);
        }
        call.shape(shape.T(), shape.B());
        verifyStates();
        return report.append(" of the largest value").toString();
    }

    private boolean isTraining() {
        return open(plan).mode() == GruPlan.Mode.TRAINING;
    }

    /**
     * Runs all steps.
     *
     * @throws IllegalStateException if a state after them is not in [−1, 1]
     */
    void verifyStates() {
        forward();
        for (float h : memories.get(4).toArray()) {
            if (!(Math.abs(h) <= 1)) {
                throw new IllegalStateException("a state after " + shape.T() + " steps is " + h + "; −1 to 1 expected");
            }
        }
    }

    /** The first so many rows. */
    private static int[] first(int rows) {
        return IntStream.range(0, rows).toArray();
    }

    private static String compare(
            double share, String name, double[] expected, FloatMemory found, int steps, int all, int rows, int width) {
        float[] values = new float[steps * all * width];
        found.download(0, values, 0, values.length);
        return String.format(
                Locale.ROOT, "%.1e", Agreement.worst(name, share, expected, values, all, first(rows), width));
    }

    @Override
    public void close() {
        if (plan != null) {
            plan.close();
        }
        for (FloatMemory memory : memories) {
            memory.close();
        }
        if (isBackendOwn && backend != null) {
            backend.close();
        }
    }
}
