package dev.gru4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.reference.Precision;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who tests the test: a kernel that leaves one number of one argument out must be beyond the bound. */
final class PlantedKernelErrorsTest {
    /**
     * A mistake.
     *
     * @param kernel id of the case it is planted in
     * @param input the argument of which {@code index} reads as 0
     * @param result where it must be seen
     */
    record Mistake(String kernel, String input, int index, String result) {
        @Override
        public String toString() {
            return kernel + " without " + input + "[" + index + "]";
        }
    }

    static Stream<Mistake> mistakes() {
        return Stream.of(
                new Mistake("embeddingBackward [257, 31, 8]", "dOut", 255 * 8 + 7, "dTable"),
                new Mistake("denseForward [33, 64, 65] bias", "x", 33 * 64 - 1, "y"),
                new Mistake("denseForward [33, 64, 65] bias", "bias", 64, "y"),
                new Mistake("denseBackward [485, 9, 33] all", "x", 485 * 9 - 1, "dWeight"),
                new Mistake("denseBackward [485, 9, 33] all", "dy", 485 * 33 - 1, "dBias"),
                new Mistake("denseBackward [485, 9, 33] all", "weight", 33 * 9 - 1, "dx"),
                new Mistake("denseBackward [485, 9, 33] all accumulate", "dBias", 32, "dBias"),
                new Mistake("softmaxCrossEntropy [65, 33] spread 1.0 gradient", "logits", 64 * 33 - 1, "dLogits"),
                new Mistake("softmaxCrossEntropy [65, 33] spread 1.0 gradient", "logits", 64 * 33 - 1, "loss"),
                new Mistake("squaredError [131, 17] rowWeights", "target", 129 * 17 + 16, "loss"),
                new Mistake("squaredError [131, 17] rowWeights", "rowWeights", 129, "dPrediction"),
                new Mistake("squaredNorm [1023]", "v", 1022, "result"),
                new Mistake("clipByNorm [1023] maxNorm 0.5", "gradient", 1022, "gradient"),
                new Mistake("sgd [1023] velocity", "velocity", 1022, "parameters"),
                new Mistake("adam [1023] step 7", "m", 1022, "parameters"),
                new Mistake("adam [1023] step 7", "v", 1022, "parameters"),
                new Mistake("adam [1023] step 1000000", "v", 1022, "v"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isBeyondTheBound(Mistake mistake) {
        KernelCase right = find(mistake.kernel());
        Map<String, float[]> inputs = new HashMap<>(right.inputs());
        float[] changed = Objects.requireNonNull(inputs.get(mistake.input())).clone();
        assertTrue(changed[mistake.index()] != 0, mistake + ": it is 0 anyway");
        changed[mistake.index()] = 0;
        inputs.put(mistake.input(), changed);
        KernelCase wrong = new KernelCase(
                right.id(), inputs, right.ids(), right.results(), right.formula(), right.onBackend());
        assertTrue(missed(right, wrong).contains(mistake.result()), "expected a miss in " + mistake.result());
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void withoutTheMistakeAllIsWithinTheBound(Mistake mistake) {
        KernelCase right = find(mistake.kernel());
        assertEquals(List.of(), missed(right, right));
    }

    private static List<String> missed(KernelCase right, KernelCase computed) {
        Expectation expectation = Expectation.of(
                right.results(),
                Precision.FLOAT,
                (precision, draw, change) -> right.redraw(draw, change).run(precision));
        return Comparison.misses(right.results(), expectation, computed.run(Precision.FLOAT)).stream()
                .map(m -> m.tensor().name())
                .toList();
    }

    private static KernelCase find(String id) {
        return KernelCases.all().stream()
                .filter(c -> c.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no kernel case '" + id + "'"));
    }
}
