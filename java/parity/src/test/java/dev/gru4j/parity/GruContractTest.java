package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.Gates;
import dev.gru4j.GruParameters;
import dev.gru4j.GruParameters.Kind;
import dev.gru4j.GruParameters.Parameter;
import dev.gru4j.GruSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the contract promises exactly, on every backend: nothing to do, and the update gate's two ends. */
@ExtendWith(ClosingTable.class)
final class GruContractTest {
    static List<Subject> subjects() {
        return Subject.all();
    }

    private static final List<String> VARIANTS = List.of(
            "", "variant=reset_before", "layers=2 directions=bidirectional", "directions=reverse bias=none room=spare");

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void withoutStepsTheStateAndItsGradientPassUnchanged(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> passesThrough(subject, "T0 B3 I5 H19 "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void rowsOfLengthZeroPassTheStateAndItsGradientUnchanged(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> passesThrough(subject, "T4 B3 I5 H19 lengths=zero "));
    }

    private static void passesThrough(Subject subject, String shape) {
        for (String options : VARIANTS) {
            GruCase problem = GruCase.parse(shape + options);
            GruInputs in = GruInputs.of(problem);
            Map<String, double[]> forward = GruRun.run(subject.backend(), problem, in, Phase.TRAINING);
            assertArrayEquals(doubles(in.h0()), get(forward, "hT"), problem + ": hT");
            Map<String, double[]> backward = GruRun.run(subject.backend(), problem, in, Phase.BACKWARD);
            assertArrayEquals(doubles(in.dhT()), get(backward, "dh0"), problem + ": dh0");
            for (Tensor tensor : GruTensors.of(problem, Phase.BACKWARD)) {
                if (!tensor.name().equals("dh0")) {
                    assertAllZero(problem + ": " + tensor.name(), get(backward, tensor.name()));
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void accumulatingNothingKeepsTheGradientsBits(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (String shape : List.of("T0 B3 I5 H19 ", "T4 B3 I5 H19 lengths=zero ")) {
                GruCase problem = GruCase.parse(shape + "gradients=accumulated layers=2");
                GruInputs in = GruInputs.of(problem);
                Map<String, double[]> backward = GruRun.run(subject.backend(), problem, in, Phase.BACKWARD);
                GruReference.splitParameters(problem.spec(), doubles(in.base()))
                        .forEach((name, base) -> assertArrayEquals(base, get(backward, name), problem + ": " + name));
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void aRowThatEndedKeepsItsStateWhileOthersGoOn(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            GruCase problem = GruCase.parse("T9 B5 I3 H21 lengths=random");
            GruInputs in = GruInputs.of(problem);
            int[] lengths = Objects.requireNonNull(in.lengths());
            Map<String, double[]> found = GruRun.run(subject.backend(), problem, in, Phase.INFERENCE);
            int H = problem.shape().H();
            for (int b = 0; b < lengths.length; b++) {
                double[] hT = Arrays.copyOfRange(get(found, "hT"), b * H, (b + 1) * H);
                int from = ((lengths[b] - 1) * lengths.length + b) * H;
                double[] last = lengths[b] == 0
                        ? Arrays.copyOfRange(doubles(in.h0()), b * H, (b + 1) * H)
                        : Arrays.copyOfRange(get(found, "y"), from, from + H);
                assertArrayEquals(last, hT, "hT of row " + b + " of length " + lengths[b]);
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void anUpdateGateAtOneCopiesTheStateBitForBit(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            for (String options : Stream.of("", "variant=reset_before", "directions=reverse bias=input").toList()) {
                GruCase problem = GruCase.parse("T6 B5 I3 H37 " + options);
                GruInputs in = GruInputs.of(problem);
                setUpdateBias(problem.spec(), in.parameters(), 200);
                Map<String, double[]> found = GruRun.run(subject.backend(), problem, in, Phase.INFERENCE);
                double[] h0 = doubles(in.h0());
                assertArrayEquals(h0, get(found, "hT"), problem + ": hT");
                double[] y = get(found, "y");
                for (int t = 0; t < problem.shape().T(); t++) {
                    double[] h = Arrays.copyOfRange(y, t * h0.length, (t + 1) * h0.length);
                    assertArrayEquals(h0, h, problem + ": y at t=" + t);
                }
            }
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("subjects")
    void anUpdateGateAtZeroReplacesTheStateByTheCandidate(Subject subject) throws Throwable {
        ClosingTable.run(subject, () -> {
            GruCase problem = GruCase.parse("T6 B5 I3 H37");
            GruInputs in = GruInputs.of(problem);
            setUpdateBias(problem.spec(), in.parameters(), -200);
            Map<String, double[]> found = GruRun.run(subject.backend(), problem, in, Phase.TRAINING);
            assertArrayEquals(get(found, "n_l0"), get(found, "y"), problem + ": y is n");
        });
    }

    /** Far enough out that σ is 0 or 1 in float, whatever x and h add. */
    private static void setUpdateBias(GruSpec spec, float[] parameters, float value) {
        Parameter bias = GruParameters.of(spec).get(0, 0, Kind.BIAS_IH);
        int H = spec.hiddenSize();
        int update = (int) bias.offset() + Gates.UPDATE * H;
        Arrays.fill(parameters, update, update + H, value);
    }

    private static void assertAllZero(String what, double[] values) {
        for (int k = 0; k < values.length; k++) {
            assertEquals(0, Math.abs(values[k]), what + "[" + k + "]");
        }
    }

    private static double[] get(Map<String, double[]> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    private static double[] doubles(float @Nullable [] values) {
        return GruReference.doubles(values, Objects.requireNonNull(values).length);
    }
}
