package dev.gru4j.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a command reads and writes.
 *
 * @param in lines to be translated
 * @param out results
 * @param err progress, remarks and errors
 * @param interactive whether a person watches: progress bars and prompts make sense
 */
record Terminal(BufferedReader in, PrintStream out, PrintStream err, boolean interactive) {
    /** The streams of this process. */
    static Terminal ofProcess() {
        // The JDK follows the locale, and in the POSIX locale would print "?" for every accent.
        boolean windows = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
        Charset charset = windows ? Charset.defaultCharset() : StandardCharsets.UTF_8;
        return new Terminal(
                new BufferedReader(new InputStreamReader(new FileInputStream(FileDescriptor.in), charset)),
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, charset),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, charset),
                // Absent where input or output is no terminal.
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false));
    }

    void print(String format, @Nullable Object... arguments) {
        out.printf(Locale.ROOT, format + "%n", arguments);
    }

    /** A remark beside the results. */
    void remark(String format, @Nullable Object... arguments) {
        err.printf(Locale.ROOT, format + "%n", arguments);
    }
}
