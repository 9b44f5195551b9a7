package dev.gru4j.benchmarks.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruVariant;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worker's side without its process. */
class WorkerTest {
    private static final Cell TRAINING = Samples.cell(Mode.TRAINING);

    @TempDir
    private Path folder = Path.of("");

    private Reply prepare(Worker worker, Cell cell) throws IOException {
        Path file = folder.resolve("expected.safetensors");
        Expectation.of(Problem.of(cell.shape()), GruVariant.RESET_AFTER).write(file);
        return worker.answer(Request.prepare(1, cell, "only", file.toString(), 0.001));
    }

    private Reply afterTheLie(int honestCalls, UnaryOperator<Results> lie) throws IOException {
        try (Worker worker = new Worker(new FakeContender.Lying(honestCalls, lie))) {
            Reply prepared = prepare(worker, TRAINING);
            if (!prepared.ok()) {
                return prepared;
            }
            assertTrue(worker.answer(Request.slice(1, 0.001)).ok());
            return worker.answer(Request.finish(1));
        }
    }

    @Test
    void anHonestContenderIsCheckedWarmedUpTimedAndCheckedAgain() throws IOException {
        try (Worker worker = new Worker(new FakeContender.Honest())) {
            assertEquals("honest, by the reference", worker.answer(Request.hello()).text());
            assertEquals(List.of("one", "two"), worker.answer(Request.configurations(TRAINING)).names());
            Reply prepared = prepare(worker, TRAINING);
            assertTrue(prepared.ok() && prepared.text().startsWith("off by at most "), prepared.text());
            Reply slice = worker.answer(Request.slice(1, 0.005));
            assertTrue(slice.calls() > 1 && slice.seconds() >= 0.005, slice.toString());
            assertTrue(worker.answer(Request.finish(1)).ok());
            assertFalse(worker.answer(Request.slice(1, 0.001)).ok(), "a lane that is closed");
        }
    }

    @Test
    void aWrongGradientLosesTheCellAndIsNamed() throws IOException {
        Reply reply = afterTheLie(0, r -> {
            float[] d = given(r.dWeightHh());
            d[5] *= 1.01f;
            d[5] += 1e-3f;
            return r;
        });
        assertFalse(reply.ok());
        assertTrue(reply.text().startsWith("dWeightHh[5] is "), reply.text());
    }

    @Test
    void gradientsAddedToThoseOfTheCallBeforeAreNoticed() throws IOException {
        // The second call's results are looked at.
        Reply reply = afterTheLie(1, r -> new Results(
                r.y(), r.hT(), r.dx(), r.dh0(), twice(given(r.dWeightIh())), r.dWeightHh(), r.dBiasIh(), r.dBiasHh()));
        assertFalse(reply.ok());
        assertTrue(reply.text().startsWith("dWeightIh["), reply.text());
    }

    private static float[] given(float @Nullable [] tensor) {
        return Objects.requireNonNull(tensor, "the reference gives every tensor");
    }

    private static float[] twice(float[] values) {
        float[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] *= 2;
        }
        return result;
    }

    @Test
    void resultsThatChangeOnceTheCheckIsOverAreNoticed() throws IOException {
        Reply reply = afterTheLie(3, r -> new Results(
                new float[given(r.y()).length], r.hT(), r.dx(), r.dh0(), r.dWeightIh(), r.dWeightHh(), r.dBiasIh(),
                r.dBiasHh()));
        assertFalse(reply.ok());
        assertTrue(reply.text().startsWith("y[0] is 0.0, off by "), reply.text());
    }

    @Test
    void notANumberIsNotARightNumber() throws IOException {
        Reply reply = afterTheLie(0, r -> {
            given(r.dx())[0] = Float.NaN;
            return r;
        });
        assertTrue(!reply.ok() && reply.text().startsWith("dx[0] is NaN"), reply.text());
    }

    @Test
    void aTensorThatIsNotGivenIsNamedAndForgiven() throws IOException {
        Reply reply = afterTheLie(0, r -> new Results(
                r.y(), r.hT(), r.dx(), null, r.dWeightIh(), r.dWeightHh(), r.dBiasIh(), r.dBiasHh()));
        assertTrue(reply.ok() && reply.text().endsWith("does not give dh0"), reply.text());
    }

    @Test
    void noResultAtAllIsNotForgiven() throws IOException {
        Reply reply = afterTheLie(0, r -> Results.ofInference(null, null));
        assertTrue(!reply.ok() && reply.text().equals("neither y nor hT came back"), reply.text());
    }

    @Test
    void aTensorOfAnotherSizeIsNamedWithBothSizes() throws IOException {
        Reply reply = afterTheLie(0, r -> Results.ofInference(new float[3], r.hT()));
        assertEquals("y has 3 floats; 140 expected", reply.text());
    }

    @Test
    void anExceptionLosesTheCellAndNotTheWorker() throws IOException {
        try (Worker worker = new Worker(new FakeContender.Lying(0, r -> {
            throw new UnsupportedOperationException("no results");
        }))) {
            Reply reply = prepare(worker, TRAINING);
            assertTrue(!reply.ok() && reply.text().contains("no results"), reply.text());
            assertTrue(worker.answer(Request.hello()).ok());
        }
    }

    /** Where the reference cannot afford all steps, the loss lies in the first ones and nothing after them matters. */
    @Test
    void theFirstStepsAreEnoughToCheckAllTensors() throws IOException {
        Cell cell = TRAINING;
        Problem problem = Problem.of(cell.shape());
        Path file = folder.resolve("some.safetensors");
        Expectation.of(problem, GruVariant.RESET_AFTER, 1).write(file);
        Expectation some = Expectation.read(file);
        assertEquals(3, some.steps());
        assertEquals(List.of(0, 2, 3), Arrays.stream(some.rows()).boxed().toList());
        try (Prepared prepared = new Gru4jContender.Simd()
                .prepare(cell, "default", problem.withLossAt(some.steps(), some.rows()))) {
            prepared.run();
            String text = some.check(cell, prepared.results(), true);
            assertTrue(text.endsWith(", first 3 steps"), text);
        }
    }
}
