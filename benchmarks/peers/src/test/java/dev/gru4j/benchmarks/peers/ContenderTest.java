package dev.gru4j.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.comparison.Cell;
import dev.gru4j.benchmarks.comparison.Contender;
import dev.gru4j.benchmarks.comparison.Mode;
import dev.gru4j.benchmarks.comparison.Prepared;
import dev.gru4j.benchmarks.comparison.Problem;
import dev.gru4j.benchmarks.comparison.Results;
import dev.gru4j.reference.Precision;
import dev.gru4j.reference.ReferenceNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every configuration of the contender {@code -Dgru4j.peer=NAME} against the reference in double. One name a run, since
 * the libraries bring runtimes that do not mix in one process: {@code check-peers} runs them one after the other.
 */
class ContenderTest {
    private static final String PEER = System.getProperty("gru4j.peer", "onednn");

    /** T, B, I, H: all different, around a register's 16 floats, one row, one step. */
    private static final List<GruShape> SHAPES = List.of(
            new GruShape(5, 3, 7, 4), new GruShape(3, 4, 13, 17), new GruShape(6, 1, 16, 32), new GruShape(1, 5, 9, 8),
            new GruShape(4, 17, 20, 33));

    static Stream<String> namesOfServices() {
        return ServiceLoader.load(Contender.class).stream()
                .filter(p -> p.type().getName().startsWith("dev.gru4j.benchmarks.peers."))
                .map(p -> p.get().name());
    }

    static Stream<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        for (GruShape shape : SHAPES) {
            for (GruVariant variant : GruVariant.values()) {
                for (Mode mode : Mode.values()) {
                    cells.add(new Cell(shape, variant, mode, 1, ProductPrecision.FP32));
                }
            }
        }
        return cells.stream();
    }

    private static Contender contender() {
        return ServiceLoader.load(Contender.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(c -> c.name().equals(PEER))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no contender '" + PEER + "'"));
    }

    @Test
    void noTwoContendersShareAName() {
        List<String> names = namesOfServices().toList();
        assertEquals(names.stream().distinct().toList(), names);
        assertTrue(names.contains(PEER), PEER + " is none of " + names);
    }

    @ParameterizedTest
    @MethodSource("cells")
    void everyTensorAgreesWithTheReferenceAfterTwoRuns(Cell cell) {
        try (Contender contender = contender()) {
            skip(contender.unavailable());
            assertTrue(contender.description().length() > PEER.length(), contender.description());
            skip(contender.refuses(cell));
            Problem problem = Problem.of(cell.shape());
            Map<String, double[]> exact = expected(cell, problem, Precision.DOUBLE);
            Map<String, double[]> rounded = expected(cell, problem, Precision.FLOAT);
            List<String> configurations = contender.configurations(cell);
            assertTrue(configurations.size() >= 1, "no configuration");
            for (String configuration : configurations) {
                try (Prepared prepared = contender.prepare(cell, configuration, problem)) {
                    // Twice, for gradients must not be added to those of the call before.
                    prepared.run();
                    prepared.run();
                    Map<String, float @Nullable []> found = found(prepared.results());
                    exact.forEach((name, values) -> compare(
                            cell, configuration, name, values, rounded.getOrDefault(name, values), found.get(name)));
                }
            }
        }
    }

    private static void skip(Optional<String> reason) {
        assumeTrue(reason.isEmpty(), () -> PEER + ": " + reason.orElseThrow());
    }

    /** Four times the float reference's largest error, and 8 ULP of the tensor's largest value. */
    private static void compare(
            Cell cell, String configuration, String name, double[] exact, double[] rounded,
            float @Nullable [] found) {
        String what = PEER + " " + configuration + ", " + cell + ": " + name;
        if (found == null) {
            throw new AssertionError(what + " is absent");
        }
        assertEquals(exact.length, found.length, what + ", length");
        double largest = 0;
        double error = 0;
        for (int i = 0; i < exact.length; i++) {
            largest = Math.max(largest, Math.abs(exact[i]));
            error = Math.max(error, Math.abs(exact[i] - rounded[i]));
        }
        double bound = 4 * error + 8 * Math.ulp((float) largest);
        for (int i = 0; i < exact.length; i++) {
            // So written, a NaN is an error.
            if (!(Math.abs(exact[i] - found[i]) <= bound)) {
                fail(what + "[" + i + "] is " + found[i] + "; " + exact[i] + " ± " + bound + " expected; repeat with"
                        + " ./gru4j mvn -Ppeers -pl benchmarks/peers -am test -Dgru4j.peer=" + PEER
                        + " -Dtest=ContenderTest -Dsurefire.failIfNoSpecifiedTests=false");
            }
        }
    }

    private static Map<String, double[]> expected(Cell cell, Problem problem, Precision precision) {
        GruShape shape = problem.shape();
        GruSpec spec = GruSpec.of(shape.I(), shape.H()).withVariant(cell.variant());
        ReferenceNetwork network =
                new ReferenceNetwork(spec, precision, inDouble(problem.weights(cell.variant()).values()));
        ReferenceNetwork.Forward forward = network.forward(
                shape.T(), shape.B(), inDouble(problem.x()), inDouble(problem.h0()), null, null);
        Map<String, double[]> tensors = new LinkedHashMap<>();
        tensors.put("y", forward.y());
        tensors.put("hT", forward.hT());
        if (cell.mode() == Mode.TRAINING) {
            ReferenceNetwork.Gradients gradients =
                    network.backward(forward, inDouble(problem.dy()), inDouble(problem.dhT()));
            tensors.put("dx", gradients.dx());
            tensors.put("dh0", gradients.dh0());
            int rows = 3 * shape.H();
            int[] lengths = {rows * shape.I(), rows * shape.H(), rows, rows};
            String[] names = {"dWeightIh", "dWeightHh", "dBiasIh", "dBiasHh"};
            int offset = 0;
            for (int i = 0; i < names.length; i++) {
                tensors.put(names[i], Arrays.copyOfRange(gradients.dParameters(), offset, offset + lengths[i]));
                offset += lengths[i];
            }
        }
        return tensors;
    }

    private static Map<String, float @Nullable []> found(Results results) {
        Map<String, float @Nullable []> tensors = new LinkedHashMap<>();
        tensors.put("y", results.y());
        tensors.put("hT", results.hT());
        tensors.put("dx", results.dx());
        tensors.put("dh0", results.dh0());
        tensors.put("dWeightIh", results.dWeightIh());
        tensors.put("dWeightHh", results.dWeightHh());
        tensors.put("dBiasIh", results.dBiasIh());
        tensors.put("dBiasHh", results.dBiasHh());
        return tensors;
    }

    private static double[] inDouble(float... values) {
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }
}
