package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class InterruptionTest {
    @TempDir
    private Path folder;

    /** Exit status of a JVM that SIGTERM (15) ended. */
    private static final int TERMINATED = 128 + 15;

    /**
     * In a process of its own, since a signal ends it; resumed in this one. With SIGTERM, which takes the same way as
     * Ctrl-C: SIGINT is ignored by whatever is started from a shell's background, as these tests may be.
     */
    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no kill -TERM")
    void aSignalWritesACheckpointFromWhichTheRunGoesOnAsIfUndisturbed() throws Exception {
        Path log = folder.resolve("log");
        Path out = folder.resolve("stopped");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.gru4j.cli.Main"));
        command.addAll(train(out));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            Path checkpoint = out.resolve(RunLimits.CHECKPOINT);
            while (process.isAlive() && !Files.exists(checkpoint)) {
                Thread.sleep(5);
            }
            new ProcessBuilder("kill", "-TERM", Long.toString(process.pid())).start().waitFor();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the process did not end within a minute");
        } finally {
            process.destroyForcibly();
        }
        String text = Files.readString(log);
        assertEquals(TERMINATED, process.exitValue(), text);
        assertTrue(text.contains("go on with: ./gru4j train --resume --out " + out), text);

        CommandRun.of("train", "--resume", "--backend", "reference", "--out", out.toString()).succeeded();
        Path undisturbed = folder.resolve("undisturbed");
        CommandRun.of(train(undisturbed)).succeeded();
        assertArrayEquals(
                Files.readAllBytes(undisturbed.resolve(RunLimits.WEIGHTS)),
                Files.readAllBytes(out.resolve(RunLimits.WEIGHTS)),
                "weights of the undisturbed and of the resumed run");
    }

    /** Long enough that the signal finds it between the first checkpoint and the end. */
    private List<String> train(Path out) throws IOException {
        return List.of(
                "train", "--text", SampleText.write(folder).toString(), "--steps", "2000", "--hidden", "8",
                "--embedding",
                "4", "--layers", "2", "--dropout", "0.2", "--batch", "4", "--window", "8", "--backend", "reference",
                "--checkpoint-every", "20", "--out", out.toString());
    }
}
