package dev.gru4j.benchmarks.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.benchmarks.comparison.Measurement.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The driver with real processes, two of which misbehave. */
class ComparisonTest {
    @Test
    void whoDiesOrHangsLosesTheCellWithTheReasonAndTheOthersGoOn() throws InterruptedException, IOException {
        List<String> heard = new ArrayList<>();
        Comparison comparison = new Comparison(
                List.of(new FakeContender.Dying(), new FakeContender.Hanging(), new FakeContender.Honest()), List.of(),
                Samples.PACE,
                new Comparison.Listener() {
                    @Override
                    public void begins(String what) {
                        heard.add(what);
                    }

                    @Override
                    public void measured(CellReport report, int cells, int of) {
                        heard.add(cells + " of " + of);
                    }
                },
                () -> false);
        comparison.run(List.of(Samples.cell(Mode.INFERENCE)), 0.2);

        assertEquals(
                List.of(
                        "starting the contenders for one thread", "T5 B4 I3 H7 inference reset-after, 1 thread",
                        "1 of 1"),
                heard);
        CellReport report = comparison.reports().getFirst();
        Measurement dying = report.measurements().getFirst();
        assertEquals(Outcome.FAILED, dying.outcome());
        assertTrue(
                dying.note().startsWith("only: its process died during ") && dying.note().contains("exit status 134")
                        && dying.note().endsWith("corrupted size vs. prev_size"),
                dying.note());
        Measurement hanging = report.measurements().get(1);
        assertEquals(Outcome.FAILED, hanging.outcome());
        assertTrue(hanging.note().startsWith("only: its process did not answer within 4 s during prepare"),
                hanging.note());
        Measurement honest = report.measured("honest").orElseThrow();
        assertTrue(honest.slices().size() >= 1 && honest.median() > 0, honest.toString());
        assertEquals(List.of("one", "two"), List.copyOf(honest.tried().keySet()));
        assertTrue(report.conditions().peak() > 0 && report.conditions().read() > 0, report.conditions().toString());
        assertEquals("honest, by the reference", comparison.descriptions().get("honest"));
    }

    @Test
    void whatTheTimeDoesNotSufficeForIsLeftOutAndSaid() throws InterruptedException, IOException {
        Comparison comparison = new Comparison(List.of(), List.of(), Samples.PACE, new Comparison.Listener() {
            @Override
            public void begins(String what) {}

            @Override
            public void measured(CellReport report, int cells, int of) {}
        }, () -> false);
        comparison.run(List.of(Samples.cell(Mode.INFERENCE)), 1e-9);
        assertEquals(
                List.of("T5 B4 I3 H7 inference reset-after, 1 thread: the time was used up"), comparison.leftOut());
    }
}
