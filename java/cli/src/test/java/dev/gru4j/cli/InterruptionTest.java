package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
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

    /** In a process of its own, since a signal ends it. */
    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no kill -INT")
    void ctrlCWritesACheckpointAndSaysHowToGoOn() throws Exception {
        Path out = folder.resolve("run");
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.gru4j.cli.Main"));
        command.addAll(List.of(
                "train", "--text", SampleText.write(folder).toString(), "--steps", "100000000", "--hidden", "8", "--batch",
                "4", "--window", "16", "--backend", "reference", "--checkpoint-every", "0", "--out", out.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            // The first line of progress says that steps are done; no checkpoint was written so far.
            while (process.isAlive() && !Files.readString(log).contains("GFLOP/s")) {
                Thread.sleep(20);
            }
            assertTrue(Files.notExists(out.resolve(RunLimits.CHECKPOINT)));
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the process did not end within a minute");
        } finally {
            process.destroyForcibly();
        }
        String text = Files.readString(log, StandardCharsets.UTF_8);
        assertEquals(Interruption.EXIT_STATUS, process.exitValue(), text);
        assertTrue(text.contains("go on with: ./gru4j train --resume"), text);
        assertTrue(Files.exists(out.resolve(RunLimits.CHECKPOINT)), text);
    }
}
