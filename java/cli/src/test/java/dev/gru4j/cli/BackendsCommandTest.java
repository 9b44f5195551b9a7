package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.Backends;
import dev.gru4j.backend.GruBackendProvider;
import org.junit.jupiter.api.Test;

class BackendsCommandTest {
    @Test
    void everyBackendIsAvailableOrSaysWhyNotAndWhatToDo() {
        CommandRun run = CommandRun.of("backends").succeeded();
        for (GruBackendProvider provider : Backends.all()) {
            String line = run.line(provider.name());
            if (provider.availability().isAvailable()) {
                assertTrue(line.startsWith("available: "), line);
            } else {
                assertEquals("not available: " + provider.availability().reason(), line);
                assertTrue(run.out().contains("remedy: " + provider.availability().remedy()), run::toString);
            }
        }
        assertEquals(1, run.out().lines().filter(line -> line.endsWith("<- used")).count(), run::toString);
    }

    @Test
    void everyAvailableBackendNamesItsPrecisions() {
        CommandRun run = CommandRun.of("backends").succeeded();
        assertTrue(run.out().contains("           precisions: fp32, tf32, 3xtf32, bf16, fp16\n"), run::toString);
        long available = Backends.all().stream().filter(p -> p.availability().isAvailable()).count();
        assertEquals(available, run.out().lines().filter(line -> line.contains(" precisions: fp32")).count());
    }

    @Test
    void theMachineIsNamed() {
        CommandRun run = CommandRun.of("backends").succeeded();
        assertTrue(run.line("JDK").startsWith(Runtime.version().toString()), run::toString);
        assertTrue(run.line("CPU").endsWith(Runtime.getRuntime().availableProcessors() + " processors"), run::toString);
    }
}
