package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import dev.gru4j.GruWeights;
import dev.gru4j.benchmarks.Agreement;
import dev.gru4j.benchmarks.Shape;
import dev.gru4j.io.SafetensorsFile;
import dev.gru4j.io.SafetensorsWriter;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the reference makes in double of some steps of some rows of a problem, and the check of a contender against it.
 * The loss is at these steps and rows alone ({@link Problem#withLossAt}), but forward and backward of the contender run
 * over all steps and rows, in the very configuration that will be timed.
 *
 * @param steps compared, from the first: all of T where the scalar reference can afford it
 * @param rows compared
 * @param results rounded to float, y and dx (steps,rows,·), hT and dh0 (rows,H)
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
record Expectation(int steps, int[] rows, Results results) {
    /** FLOP of a forward that the scalar reference is given: about a second. */
    private static final double MOST_FLOP = 1e9;

    private static final int LEAST_STEPS = 3;

    /** Of the first, the middle and the last row: a row that reads its neighbour's data shows. */
    static Expectation of(Problem whole, GruVariant variant) {
        return of(whole, variant, MOST_FLOP);
    }

    static Expectation of(Problem whole, GruVariant variant, double mostFlop) {
        GruShape shape = whole.shape();
        int B = shape.B();
        int[] rows = IntStream.of(0, B / 2, B - 1).distinct().toArray();
        double perStep = Shape.forwardFlop(new GruShape(1, rows.length, shape.I(), shape.H()));
        int steps = Math.min(shape.T(), Math.max(LEAST_STEPS, (int) (mostFlop / perStep)));
        Problem problem = whole.withLossAt(steps, rows);
        GruWeights weights = problem.weights(variant);
        ReferenceNetwork network = new ReferenceNetwork(weights.spec(), Precision.DOUBLE, doubles(weights.values()));
        ReferenceNetwork.Forward forward = network.forward(
                steps, rows.length, Agreement.rows(problem.x(), steps, B, rows, shape.I()),
                Agreement.rows(problem.h0(), 1, B, rows, shape.H()), null, null);
        ReferenceNetwork.Gradients gradients = network.backward(
                forward, Agreement.rows(problem.dy(), steps, B, rows, shape.H()),
                Agreement.rows(problem.dhT(), 1, B, rows, shape.H()));
        GruWeights d = new GruWeights(weights.spec(), floats(gradients.dParameters()));
        return new Expectation(
                steps, rows,
                new Results(
                        floats(forward.y()), floats(forward.hT()), floats(gradients.dx()), floats(gradients.dh0()),
                        d.get("weight_ih_l0"), d.get("weight_hh_l0"), d.get("bias_ih_l0"), d.get("bias_hh_l0")));
    }

    /**
     * Checks what a contender computed.
     *
     * @param lossIsHere whether it ran on {@link Problem#withLossAt} these steps and rows; else on the whole problem,
     *     where the gradients of the weights are others, and those of these rows only the same if all steps are here
     * @return how far it is off, and which tensors it does not give
     * @throws IllegalStateException naming what is wrong
     */
    String check(Cell cell, Results found, boolean lossIsHere) {
        GruShape shape = cell.shape();
        double share = Agreement.tolerance(cell.precision());
        boolean allSteps = steps == shape.T();
        boolean trains = cell.mode() == Mode.TRAINING;
        if (found.y() == null && found.hT() == null) {
            throw new IllegalStateException("neither y nor hT came back");
        }
        Comparison all = new Comparison(share);
        all.rows("y", results.y(), found.y(), shape.T(), shape.B(), rows, shape.H());
        if (allSteps) {
            all.rows("hT", results.hT(), found.hT(), 1, shape.B(), rows, shape.H());
        }
        states("hT", found.hT());
        if (trains && (lossIsHere || allSteps)) {
            all.rows("dx", results.dx(), found.dx(), shape.T(), shape.B(), rows, shape.I());
            all.rows("dh0", results.dh0(), found.dh0(), 1, shape.B(), rows, shape.H());
        }
        if (trains && lossIsHere) {
            all.whole("dWeightIh", results.dWeightIh(), found.dWeightIh());
            all.whole("dWeightHh", results.dWeightHh(), found.dWeightHh());
            all.whole("dBiasIh", results.dBiasIh(), found.dBiasIh());
            all.whole("dBiasHh", results.dBiasHh(), found.dBiasHh());
        }
        return all.text() + (allSteps ? "" : ", first " + steps + " steps");
    }

    private static void states(String name, float @Nullable [] values) {
        if (values != null) {
            for (float h : values) {
                if (!(Math.abs(h) <= 1)) {
                    throw new IllegalStateException(name + " holds " + h + "; −1 to 1 expected");
                }
            }
        }
    }

    /** The tensors compared so far. */
    private static final class Comparison {
        private final double share;
        private final List<String> missing = new ArrayList<>();
        private double worst;
        private String worstName = "";

        Comparison(double share) {
            this.share = share;
        }

        void rows(
                String name, float @Nullable [] expected, float @Nullable [] found, int steps, int all, int[] rows,
                int width) {
            if (found == null || expected == null) {
                missing.add(name);
                return;
            }
            if (found.length != steps * all * width) {
                throw new IllegalStateException(
                        name + " has " + found.length + " floats; " + steps * all * width + " expected");
            }
            double off = Agreement.worst(name, share, doubles(expected), found, all, rows, width);
            if (off >= worst) {
                worst = off;
                worstName = name;
            }
        }

        void whole(String name, float @Nullable [] expected, float @Nullable [] found) {
            rows(name, expected, found, 1, 1, new int[1], expected == null ? 0 : expected.length);
        }

        String text() {
            return String.format(Locale.ROOT, "off by at most %.1e (%s)", worst, worstName)
                    + (missing.isEmpty() ? "" : ", does not give " + String.join(", ", missing));
        }
    }

    void write(Path file) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.metadata("steps", String.valueOf(steps));
        writer.metadata("rows", String.join(",", IntStream.of(rows).mapToObj(String::valueOf).toList()));
        add(writer, "y", results.y());
        add(writer, "hT", results.hT());
        add(writer, "dx", results.dx());
        add(writer, "dh0", results.dh0());
        add(writer, "dWeightIh", results.dWeightIh());
        add(writer, "dWeightHh", results.dWeightHh());
        add(writer, "dBiasIh", results.dBiasIh());
        add(writer, "dBiasHh", results.dBiasHh());
        writer.write(file);
    }

    private static void add(SafetensorsWriter writer, String name, float @Nullable [] values) {
        if (values != null) {
            writer.floats(name, new long[] {values.length}, values);
        }
    }

    static Expectation read(Path path) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            int[] rows = List.of(file.metadata().getOrDefault("rows", "").split(",")).stream()
                    .mapToInt(Integer::parseInt)
                    .toArray();
            return new Expectation(
                    Integer.parseInt(file.metadata().getOrDefault("steps", "")), rows,
                    new Results(
                            file.readFloats("y"), file.readFloats("hT"), file.readFloats("dx"), file.readFloats("dh0"),
                            file.readFloats("dWeightIh"), file.readFloats("dWeightHh"), file.readFloats("dBiasIh"),
                            file.readFloats("dBiasHh")));
        }
    }

    private static double[] doubles(float[] values) {
        return Agreement.rows(values, 1, 1, new int[1], values.length);
    }

    private static float[] floats(double[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (float) values[i];
        }
        return result;
    }
}
