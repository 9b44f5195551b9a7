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
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A plan with seeded inputs, ready to be called, and a check of the same plan against the reference. */
final class GruProblem implements AutoCloseable {
    /** Stands for a problem that has not been set up. */
    static final GruProblem NONE = new GruProblem();

    /** The check takes the first steps and rows only: the whole shape would take the scalar reference minutes. */
    private static final int CHECKED_STEPS = 4;

    private static final int CHECKED_ROWS = 5;

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
        Random random = new Random(42);
        parameters = uniform(random, Math.toIntExact(made.parameters().length()), 1 / Math.sqrt(shape.H()));
        x = uniform(random, shape.T() * shape.B() * shape.I(), 1);
        dy = uniform(random, shape.T() * shape.B() * shape.H(), 1e-3);
        long states = (long) shape.B() * shape.H();
        memories = new FloatMemory[] {
            filled(opened, parameters), filled(opened, x), filled(opened, dy), opened.allocate(dy.length),
            opened.allocate(states), opened.allocate(x.length), opened.allocate(states),
            opened.allocate(parameters.length), opened.allocate(made.workspaceLength()),
            opened.allocate(made.reserveLength())
        };
        call.shape(shape.T(), shape.B()).x(memories[1]).dy(memories[2]).y(memories[3]).hT(memories[4]);
        call.dx(memories[5]).dh0(memories[6]).dParameters(memories[7]).workspace(memories[8]).reserve(memories[9]);
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

    private static float[] uniform(Random random, int n, double range) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) ((2 * random.nextDouble() - 1) * range);
        }
        return values;
    }

    private static FloatMemory filled(GruBackend backend, float... values) {
        FloatMemory memory = backend.allocate(values.length);
        memory.upload(values);
        return memory;
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
     * Runs the first steps and rows through the plan that will be timed and through the reference in
     * double.
     *
     * @return what was compared and how far it was off
     * @throws IllegalStateException if a tensor is off by more than 10⁻⁴ of its largest value
     */
    String verify() {
        int steps = Math.min(CHECKED_STEPS, shape.T());
        int rows = Math.min(CHECKED_ROWS, shape.B());
        boolean trains = open(plan).mode() == GruPlan.Mode.TRAINING;
        call.shape(steps, rows);
        forward();
        ReferenceNetwork network =
                new ReferenceNetwork(open(plan).spec(), Precision.DOUBLE, doubles(parameters, parameters.length));
        ReferenceNetwork.Forward expected = network.forward(
                steps, rows, doubles(x, steps * rows * shape.I()), null, null, null);
        StringBuilder report = new StringBuilder(open(plan).mode() + " T" + steps + " B" + rows + " of " + shape);
        report.append(": y off by ").append(compare("y", expected.y(), memories[3]));
        if (trains) {
            backward();
            ReferenceNetwork.Gradients gradients =
                    network.backward(expected, doubles(dy, steps * rows * shape.H()), null);
            report.append(", dx ").append(compare("dx", gradients.dx(), memories[5]));
            report.append(", dParameters ").append(compare("dParameters", gradients.dParameters(), memories[7]));
        }
        call.shape(shape.T(), shape.B());
        if (trains) {
            forward();
        }
        return report.append(" of the largest value").toString();
    }

    private static String compare(String name, double[] expected, FloatMemory found) {
        float[] values = new float[expected.length];
        found.download(0, values, 0, values.length);
        double largest = 0;
        double error = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            error = Math.max(error, Math.abs(values[i] - expected[i]));
        }
        if (!(error <= 1e-4 * largest)) {
            throw new IllegalStateException(name + " is off by " + error + "; its largest value is " + largest);
        }
        return String.format(java.util.Locale.ROOT, "%.1e", error / largest);
    }

    private static double[] doubles(float[] values, int n) {
        double[] result = new double[n];
        for (int i = 0; i < n; i++) {
            result[i] = values[i];
        }
        return result;
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
