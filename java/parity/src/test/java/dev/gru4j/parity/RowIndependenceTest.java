package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruSpec;
import dev.gru4j.backend.GruBackend;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row's results do not depend on the values of the other rows, be they numbers, infinite or NaN. */
@ExtendWith(ClosingTable.class)
final class RowIndependenceTest {
    static Stream<GruParityTest.Run> runs() {
        return Stream.of(
                "T4 B11 I9 H35",
                "T4 B6 I7 H17 variant=reset_before layers=2 directions=bidirectional lengths=random dropout=0.25",
                "T3 B2 I5 H130 directions=reverse")
                .map(GruCase::parse)
                .flatMap(c -> Subject.all().stream()
                        .flatMap(s -> Stream.of(Phase.values()).map(p -> new GruParityTest.Run(s, p, c))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void otherValuesInOtherRowsChangeNoBit(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            int row = run.problem().shape().B() - 1;
            SplittableRandom random = new SplittableRandom(7);
            check(run, IntStream.range(0, row).toArray(), random::nextGaussian);
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void notANumberStaysInItsRow(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> check(run, new int[] {1}, () -> Double.NaN));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void infinityStaysInItsRow(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> check(run, new int[] {0}, () -> Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("runs")
    void notANumberIsNotSwallowed(GruParityTest.Run run) throws Throwable {
        ClosingTable.run(run.subject(), () -> {
            GruInputs in = withFullLengths(GruInputs.of(run.problem()));
            GruInputs poisoned = replaceRows(run.problem().spec(), in, new int[] {1}, () -> Double.NaN);
            Map<String, double[]> found = run(run, poisoned);
            for (Tensor tensor : rowTensors(run)) {
                double[] values = Objects.requireNonNull(found.get(tensor.name()), tensor.name());
                boolean nan = IntStream.range(0, values.length)
                        .anyMatch(k -> rowOf(tensor, k) == 1 && Double.isNaN(values[k]));
                assertTrue(nan, run + ": " + tensor.name() + " of the row that is NaN holds only numbers");
            }
        });
    }

    /** Replaces some rows' x, h0, dy and dhT and expects every other row to keep its bits. */
    private static void check(GruParityTest.Run run, int[] rows, DoubleSupplier value) {
        GruInputs in = GruInputs.of(run.problem());
        Map<String, double[]> before = run(run, in);
        Map<String, double[]> after = run(run, replaceRows(run.problem().spec(), in, rows, value));
        for (Tensor tensor : rowTensors(run)) {
            Bits.assertSame(
                    run + ", rows " + Arrays.toString(rows) + " replaced",
                    tensor,
                    before,
                    after,
                    k -> Arrays.stream(rows).noneMatch(r -> r == rowOf(tensor, k)));
        }
    }

    private static Map<String, double[]> run(GruParityTest.Run run, GruInputs in) {
        GruBackend backend = run.subject().backend();
        return GruRun.run(backend, run.problem(), in, run.phase());
    }

    /** All but the parameters' gradients, which are sums over the rows. */
    private static List<Tensor> rowTensors(GruParityTest.Run run) {
        return GruRun.asked(run.problem(), run.phase()).stream()
                .filter(t -> t.axes().get(1).letter().equals("b"))
                .toList();
    }

    private static int rowOf(Tensor tensor, int flat) {
        return flat / tensor.axes().getLast().size() % tensor.axes().get(1).size();
    }

    private static GruInputs withFullLengths(GruInputs in) {
        return new GruInputs(
                zeroForNaN(in.x()), in.h0(), null, in.parameters(), zeroForNaN(dy(in)), in.dhT(), in.base());
    }

    private static GruInputs replaceRows(
            GruSpec spec, GruInputs in, int[] rows, DoubleSupplier value) {
        float[] h0 = Objects.requireNonNull(in.h0());
        int B = h0.length / (spec.states() * spec.hiddenSize());
        return new GruInputs(
                replaceRows(in.x(), spec.inputSize(), B, rows, value),
                replaceRows(h0, spec.hiddenSize(), B, rows, value),
                in.lengths(),
                in.parameters(),
                replaceRows(dy(in), spec.outputSize(), B, rows, value),
                replaceRows(in.dhT(), spec.hiddenSize(), B, rows, value),
                in.base());
    }

    private static float[] replaceRows(
            float @Nullable [] tensor, int width, int B, int[] rows, DoubleSupplier value) {
        float[] result = Objects.requireNonNull(tensor).clone();
        for (int k = 0; k < result.length; k++) {
            int row = k / width % B;
            if (Arrays.stream(rows).anyMatch(r -> r == row)) {
                result[k] = (float) value.getAsDouble();
            }
        }
        return result;
    }

    private static float[] dy(GruInputs in) {
        return Objects.requireNonNull(in.dy());
    }

    private static float[] zeroForNaN(float[] values) {
        float[] result = values.clone();
        for (int k = 0; k < result.length; k++) {
            result[k] = Float.isNaN(result[k]) ? 0 : result[k];
        }
        return result;
    }
}
