package dev.gru4j.benchmarks.comparison;

import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how a run gets on: a bar where a person watches, otherwise a line for each cell. */
final class BenchProgress implements Comparison.Listener, AutoCloseable {
    private static final int UPDATE_MILLIS = 500;

    private final PrintStream err;
    private final @Nullable ProgressBar bar;

    BenchProgress(PrintStream err, boolean interactive, int cells) {
        this.err = err;
        bar = interactive
                ? new ProgressBarBuilder()
                        .setTaskName("")
                        .setInitialMax(cells)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis(UPDATE_MILLIS)
                        .setConsumer(new ConsoleProgressBarConsumer(err))
                        .build()
                : null;
    }

    @Override
    public void begins(String what) {
        if (bar != null) {
            bar.setExtraMessage(" " + what);
        }
    }

    @Override
    public void measured(CellReport report, int cells, int of) {
        if (bar != null) {
            bar.stepTo(cells);
            return;
        }
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%d/%d %s:", cells, of, report.cell()));
        for (Measurement m : report.measurements()) {
            line.append(' ').append(m.contender()).append(' ')
                    .append(m.isMeasured()
                            ? String.format(Locale.ROOT, "%.1f GFLOP/s", report.rate(m))
                            : m.outcome() == Measurement.Outcome.REFUSED ? "refused"
                            : "FAILED, " + m.note());
        }
        err.println(line.append(report.conditions().disturbed() ? " (disturbed)" : ""));
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
