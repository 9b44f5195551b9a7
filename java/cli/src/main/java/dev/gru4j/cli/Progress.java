package dev.gru4j.cli;

import dev.gru4j.training.TrainingListener;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows how a run gets on: a bar where a person watches, otherwise one line per tenth of the run. Loss is
 * smoothed over about the last 20 steps, rates are those since the line or second before.
 */
final class Progress implements TrainingListener, AutoCloseable {
    /** Weight of a new loss in the moving average. */
    private static final double SMOOTHING = 0.1;

    private static final int BAR_UNITS = 100;
    private static final int LINES = 10;
    private static final long BAR_NANOS = 500_000_000;
    private static final double KILO = 1e3;
    private static final double GIGA = 1e9;

    /**
     * How to put a run's numbers.
     *
     * @param lossUnit what a loss is given in: {@code bits per character}
     * @param lossScale turns a loss into it
     * @param targetUnit what is counted per second: {@code characters}
     * @param briefUnit the same where there is little room: {@code char}
     */
    record Units(String lossUnit, double lossScale, String targetUnit, String briefUnit) {
        /** Losses in bits, rates in characters. */
        static final Units CHARACTERS = new Units("bits per character", 1 / Math.log(2), "characters", "char");
    }

    private final Terminal terminal;
    private final Units units;
    private final @Nullable ProgressBar bar;
    private double loss = Double.NaN;
    private float lossScale = 1;
    private long skippedSteps;
    private long targets;
    private long flops;
    private long lastNanos = System.nanoTime();
    private int linesShown = -1;

    Progress(Terminal terminal, Units units) {
        this.terminal = terminal;
        this.units = units;
        this.bar = terminal.interactive()
                ? new ProgressBarBuilder()
                        .setTaskName("")
                        .setInitialMax(BAR_UNITS)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis((int) (BAR_NANOS / 1_000_000))
                        .hideEta()
                        .setConsumer(new ConsoleProgressBarConsumer(terminal.err()))
                        .build()
                : null;
    }

    @Override
    public void afterStep(Step step) {
        double now = step.loss() * units.lossScale();
        loss = Double.isNaN(loss) ? now : loss + SMOOTHING * (now - loss);
        lossScale = step.lossScale();
        skippedSteps = step.skippedSteps();
        targets += step.targets();
        flops += step.flops();
        if (bar != null) {
            bar.stepTo((long) (step.share() * BAR_UNITS));
            if (System.nanoTime() - lastNanos >= BAR_NANOS) {
                bar.setExtraMessage(" " + numbers(true));
            }
        } else if ((int) (step.share() * LINES) > linesShown) {
            linesShown = (int) (step.share() * LINES);
            terminal.remark("%3.0f %%  step %,d  %s", 100 * step.share(), step.step(), numbers(false));
        }
    }

    /** Loss and the rates since the last call; brief ones leave a bar its room on 80 columns. */
    private String numbers(boolean brief) {
        long nanos = System.nanoTime() - lastNanos;
        double seconds = Math.max(nanos, 1) / GIGA;
        String text = brief
                ? String.format(
                        Locale.ROOT,
                        "loss %.3f, %.1fk %s/s, %.0f GFLOP/s",
                        loss,
                        targets / seconds / KILO,
                        units.briefUnit(),
                        flops / seconds / GIGA)
                : String.format(
                        Locale.ROOT,
                        "loss %.3f %s, %,.0f %s/s, %.1f GFLOP/s",
                        loss,
                        units.lossUnit(),
                        targets / seconds,
                        units.targetUnit(),
                        flops / seconds / GIGA);
        targets = 0;
        flops = 0;
        lastNanos += nanos;
        return text + scaling(brief);
    }

    /** What loss scaling is at; nothing where there is none, and in brief where no step was skipped. */
    private String scaling(boolean brief) {
        if (skippedSteps == 0 && (brief || lossScale == 1)) {
            return "";
        }
        return brief
                ? String.format(Locale.ROOT, ", %,d skipped", skippedSteps)
                : String.format(Locale.ROOT, ", loss scale %,.0f, %,d steps skipped", lossScale, skippedSteps);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
