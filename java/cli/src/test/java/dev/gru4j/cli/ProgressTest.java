package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.training.TrainingListener.Step;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /** 1000 steps give eleven lines: the first step's and one per tenth. */
    @Test
    void withoutATerminalThereIsOneLinePerTenth() {
        List<String> lines = run(false).lines().toList();
        assertEquals(11, lines.size(), lines::toString);
        assertTrue(lines.getFirst().startsWith("  0 %  step 1  loss 2.000 bits per character, "), lines::toString);
        assertTrue(lines.getLast().startsWith("100 %  step 1,000  "), lines::toString);
    }

    /** A loss of ln 2 nats is one bit, ln 4 two; the average moves a tenth of the way each step. */
    @Test
    void theLossIsAMovingAverageInBits() {
        String text = run(false);
        double expected = 1 + Math.pow(0.9, 100 - 1);
        assertTrue(text.contains(String.format(Locale.ROOT, "step 100  loss %.3f", expected)), text);
    }

    @Test
    void onATerminalThereIsABarOnOneLine() {
        String text = run(true);
        assertTrue(text.contains("100%"), text);
        assertTrue(text.lines().filter(line -> !line.isBlank()).count() > 0, text);
        assertEquals(0, text.strip().chars().filter(c -> c == '\n').count(), text);
    }

    @Test
    void aScaledLossIsReportedWithTheStepsThatWereSkipped() {
        List<String> lines = run(false, 1 << 16, 3).lines().toList();
        assertTrue(lines.getFirst().endsWith(" GFLOP/s, loss scale 65,536, 3 steps skipped"), lines::toString);
        assertTrue(run(false, 1, 2).contains(", loss scale 1, 2 steps skipped"), "at the smallest scale, too");
    }

    @Test
    void aLossThatIsNotScaledIsReportedWithoutAScale() {
        String text = run(false);
        assertFalse(text.contains("scale"), text);
    }

    /** Losses of two bits in the first step, of one bit in all others. */
    private String run(boolean interactive) {
        return run(interactive, 1, 0);
    }

    private String run(boolean interactive, float lossScale, long skipped) {
        Terminal terminal = new Terminal(
                new BufferedReader(new StringReader("")),
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                interactive);
        try (Progress progress = new Progress(terminal, Progress.Units.CHARACTERS)) {
            for (int k = 1; k <= 1000; k++) {
                float loss = (float) (k == 1 ? Math.log(4) : Math.log(2));
                progress.afterStep(
                        new Step(k, 1000, loss, 1, 1e-3f, 10, 100, Duration.ZERO, k / 1000.0, lossScale, skipped));
            }
        }
        return err.toString(StandardCharsets.UTF_8);
    }
}
