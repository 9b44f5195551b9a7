package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One run of the command line in this JVM: exit status and what it wrote. */
record CommandRun(int status, String out, String err) {
    /** Runs with an empty standard input. */
    static CommandRun of(List<String> arguments) {
        return of("", arguments);
    }

    static CommandRun of(String... arguments) {
        return of("", List.of(arguments));
    }

    static CommandRun of(String in, List<String> arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new BufferedReader(new StringReader(in)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false);
        // The launcher gives properties to the JVM; this one has those that a printed command names.
        String[] own = arguments.stream().filter(argument -> !argument.startsWith("-D")).toArray(String[]::new);
        int status = Main.run(terminal, own);
        return new CommandRun(
                status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Fails with everything the run wrote unless it succeeded. */
    CommandRun succeeded() {
        assertEquals(0, status, this::toString);
        return this;
    }

    /** Fails unless the run ended with that status, a message with these parts, and no stack trace. */
    void failed(int expectedStatus, String... parts) {
        assertEquals(expectedStatus, status, this::toString);
        for (String part : parts) {
            assertTrue(err.contains(part), () -> "'" + part + "' is not in the message\n" + this);
        }
        assertTrue(err.contains("gru4j: "), this::toString);
        assertFalse(err.contains("\tat "), () -> "a stack trace\n" + this);
    }

    /** The rest of the output line that starts with {@code label}. */
    String line(String label) {
        return out.lines()
                .map(String::strip)
                .filter(line -> line.startsWith(label))
                .map(line -> line.substring(label.length()).strip())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no line '" + label + "' in\n" + this));
    }

    /** The number behind {@code label}. */
    double number(String label) {
        return Double.parseDouble(line(label));
    }

    @Override
    public String toString() {
        return "status " + status + "\n--- out\n" + out + "--- err\n" + err;
    }
}
