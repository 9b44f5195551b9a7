package dev.gru4j.parity;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.function.Executable;
import org.opentest4j.TestAbortedException;

/**
 * Counts what every subject did and prints one table when the last test of the JVM is over, also to
 * {@code target/parity.txt}. Extends every test class that runs on subjects.
 */
final class ClosingTable implements BeforeAllCallback {
    private static final Path FILE = Path.of("target", "parity.txt");

    /** By subject id. */
    private static final Map<String, Row> ROWS = new LinkedHashMap<>();

    /** One line of the table. */
    private static final class Row {
        private int passed;
        private int failed;
        private int skipped;
        private double worstShare = -1;
        private String worstWhere = "";
        private String skipReason = "";

        private String text(String subject) {
            String last = worstShare >= 0 ? String.format(Locale.ROOT, "%.2f  %s", worstShare, worstWhere) : "";
            return String.format(
                    Locale.ROOT,
                    "         %-36s %6d  %6d  %6d  %7d  %s",
                    subject,
                    passed + failed + skipped,
                    passed,
                    failed,
                    skipped,
                    skipped > 0 ? skipReason : last)
                    .stripTrailing();
        }
    }

    /** Closes what the run opened, then prints; JUnit calls it when the root store ends. */
    private static final class AtEnd implements AutoCloseable {
        @Override
        public void close() {
            Subject.closeAll();
            print();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot()
                .getStore(ExtensionContext.Namespace.create(ClosingTable.class))
                .getOrComputeIfAbsent(AtEnd.class, key -> new AtEnd(), AtEnd.class);
    }

    /** Runs a test on a subject and counts how it ends. */
    static void run(Subject subject, Executable test) throws Throwable {
        try {
            subject.assumeAvailable();
            test.execute();
            count(subject, row -> row.passed++);
        } catch (TestAbortedException e) {
            count(subject, row -> {
                row.skipped++;
                row.skipReason = String.valueOf(e.getMessage());
            });
            throw e;
        } catch (Throwable e) {
            count(subject, row -> row.failed++);
            throw e;
        }
    }

    /** Notes which share of its bound a tensor used. */
    static void share(Subject subject, double share, String where) {
        count(subject, row -> {
            if (share > row.worstShare) {
                row.worstShare = share;
                row.worstWhere = where;
            }
        });
    }

    private static void count(Subject subject, Consumer<Row> change) {
        synchronized (ROWS) {
            change.accept(ROWS.computeIfAbsent(subject.id(), id -> new Row()));
        }
    }

    @SuppressWarnings("SystemOut") // The table is the suite's result, printed whatever the logging configuration is.
    private static void print() {
        String text = text();
        System.out.print(text);
        System.out.flush();
        try {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, text);
        } catch (IOException e) {
            throw new UncheckedIOException(FILE.toString(), e);
        }
    }

    private static String text() {
        StringBuilder text =
                new StringBuilder("\nparity   subject                               cases  passed  failed  skipped"
                        + "  worst share of bound\n");
        synchronized (ROWS) {
            ROWS.forEach((subject, row) -> text.append(row.text(subject)).append('\n'));
            Subject.notInBuild().stream().filter(name -> !ROWS.containsKey(name))
                    .forEach(name -> text.append("         ")
                            .append(name)
                            .append(": its module is not part of this build\n"));
        }
        return text.append('\n').toString();
    }
}
