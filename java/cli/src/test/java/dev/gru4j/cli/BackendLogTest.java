package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackend;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** What the library's dispatch logs, seen through the logging of the JDK. */
final class BackendLogTest {
    private static final Logger LOGGER = Logger.getLogger("dev.gru4j");

    private final List<String> messages = new CopyOnWriteArrayList<>();

    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            messages.add(entry.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @Test
    void theChoiceIsLoggedOnceHoweverOftenItIsMade() {
        Level before = LOGGER.getLevel();
        LOGGER.setLevel(Level.INFO);
        LOGGER.addHandler(handler);
        try {
            // A number of threads that no other test uses, so that this choice is a new one.
            BackendOptions options = BackendOptions.DEFAULT.withThreads(11);
            String chosen = "";
            for (int k = 0; k < 2; k++) {
                try (GruBackend backend = Backends.open(options)) {
                    chosen = "backend " + backend.description();
                }
            }
            String expected = chosen;
            assertEquals(
                    1,
                    messages.stream().filter(expected::equals).count(),
                    "records of '" + expected + "' among " + messages);
        } finally {
            LOGGER.removeHandler(handler);
            LOGGER.setLevel(before);
        }
    }
}
