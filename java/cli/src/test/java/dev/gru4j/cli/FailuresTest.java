package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every way to go wrong ends with a message that helps, exit status 1 or 2, and no stack trace. */
class FailuresTest {
    @TempDir
    private Path folder;

    @Test
    void wrongArgumentsEndWithStatusTwo() {
        CommandRun.of("train", "--no-such-option").failed(2, "--no-such-option", "Try 'gru4j train --help'");
        CommandRun.of("train", "--hidden", "many").failed(2, "--hidden", "many");
        CommandRun.of("train", "--hidden", "0").failed(2, "--hidden is 0; at least 1 expected");
        CommandRun.of("train", "--dropout", "1").failed(2, "--dropout is 1.0");
        CommandRun.of("train", "--learning-rate", "-1").failed(2, "--learning-rate is -1.0");
        CommandRun.of("train", "--steps", "0").failed(2, "--steps is 0");
        CommandRun.of("train", "--minutes", "0").failed(2, "--minutes is 0.0");
        CommandRun.of("train", "--threads", "-1", "--out", folder.toString()).failed(2, "--threads is -1");
        CommandRun.of("train", "--steps", "5", "--minutes", "1").failed(2, "--minutes", "--steps");
        CommandRun.of("nonsense").failed(2, "nonsense");
        CommandRun.of().failed(2, "a command is missing");
        CommandRun.of("forecast", "--column", "a", "--horizon", "2").failed(2, "--csv FILE is missing");
        CommandRun.of("forecast", "--csv", "a", "--column", "a").failed(2, "--horizon N is missing");
        CommandRun.of("translate", "--hidden", "7").failed(2, "--hidden is 7; an even number expected");
        CommandRun.of("sample", "--count", "0").failed(2, "--count is 0");
    }

    @Test
    void anUnknownBackendListsTheKnownOnes() {
        CommandRun.of("train", "--steps", "1", "--backend", "cdua", "--out", folder.toString())
                .failed(2, "unknown backend 'cdua'; known: cuda, simd, reference");
    }

    @Test
    void anUnavailableBackendFailsWithItsReason() {
        CommandRun.of("train", "--steps", "1", "--backend", "cuda", "--out", folder.toString())
                .failed(1, "backend 'cuda' was requested but is unavailable");
    }

    @Test
    void aMissingFileIsNamed() {
        CommandRun.of("train", "--text", "absent.txt").failed(1, "absent.txt does not exist");
        CommandRun.of("translate", "--pairs", "absent.tsv").failed(1, "absent.tsv does not exist");
        CommandRun.of("translate", "--weights", "absent.safetensors").failed(1, "absent.safetensors does not exist");
        CommandRun.of("sample", "--weights", "absent.safetensors").failed(1, "absent.safetensors does not exist");
        CommandRun.of("forecast", "--csv", "absent.csv", "--column", "a", "--horizon", "1")
                .failed(1, "absent.csv does not exist");
        CommandRun.of("train", "--resume", "--out", folder.toString()).failed(1, RunLimits.CHECKPOINT);
    }

    @Test
    void aWrongEncodingNamesTheByteOffset() throws IOException {
        Path file = Files.write(folder.resolve("latin1.txt"), "état".repeat(200).getBytes(StandardCharsets.ISO_8859_1));
        CommandRun.of("train", "--text", file.toString()).failed(1, "latin1.txt is not UTF-8: wrong byte at offset 0");
    }

    @Test
    void anEmptyOrTooShortTextIsAnError() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.txt"));
        CommandRun.of("train", "--text", empty.toString()).failed(1, "empty.txt is empty; text expected");
        Path brief = Files.writeString(folder.resolve("brief.txt"), "brief");
        CommandRun.of("train", "--text", brief.toString()).failed(1, "has 5 characters; at least 400 expected");
    }

    @Test
    void anOutputFolderThatIsAFileIsAnError() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        CommandRun.of(train(SampleText.write(folder), file, "1")).failed(1, "exists and is not a folder");
    }

    @Test
    void aCorruptCheckpointIsAnError() throws IOException {
        Path out = folder.resolve("run");
        List<String> arguments = train(SampleText.write(folder), out, "2");
        CommandRun.of(arguments).succeeded();
        Path checkpoint = out.resolve(RunLimits.CHECKPOINT);
        byte[] good = Files.readAllBytes(checkpoint);
        List<String> resume = new ArrayList<>(arguments);
        resume.add("--resume");

        byte[] flipped = good.clone();
        flipped[flipped.length - 5] ^= 1;
        Files.write(checkpoint, flipped);
        CommandRun.of(resume).failed(1, checkpoint.toString());

        Files.write(checkpoint, Arrays.copyOf(good, good.length / 2));
        CommandRun.of(resume).failed(1, checkpoint.toString());

        Files.write(checkpoint, new byte[0]);
        CommandRun.of(resume).failed(1, checkpoint.toString());
    }

    @Test
    void aCorruptWeightFileIsAnError() throws IOException {
        Path out = folder.resolve("run");
        CommandRun.of(train(SampleText.write(folder), out, "1")).succeeded();
        Path weights = out.resolve(RunLimits.WEIGHTS);
        byte[] good = Files.readAllBytes(weights);

        Files.write(weights, Arrays.copyOf(good, good.length - 4));
        CommandRun.of("sample", "--weights", weights.toString()).failed(1, weights.toString());

        byte[] broken = good.clone();
        broken[8] = '[';
        Files.write(weights, broken);
        CommandRun.of("sample", "--weights", weights.toString()).failed(1, weights.toString());

        Files.write(weights, good);
        CommandRun.of("translate", "--weights", weights.toString(), "hello")
                .failed(1, "holds a language-model; a sequence-to-sequence expected");
    }

    @Test
    void aLossThatIsNotANumberEndsTheRun() throws IOException {
        List<String> arguments = train(SampleText.write(folder), folder.resolve("run"), "50");
        arguments.addAll(List.of("--learning-rate", "1e30"));
        CommandRun.of(arguments).failed(1, "learning rate");
    }

    @Test
    void debugShowsWhere() {
        CommandRun run = CommandRun.of("train", "--debug", "--text", "absent.txt");
        assertEquals(1, run.status(), run::toString);
        assertTrue(run.err().contains("\tat dev.gru4j"), run::toString);
    }

    @Test
    void helpAndVersionSucceed() {
        assertTrue(CommandRun.of("--help").succeeded().out().contains("translate"));
        assertTrue(CommandRun.of("train", "--help").succeeded().out().contains("--resume"));
        assertTrue(CommandRun.of("--version").succeeded().out().startsWith("gru4j "));
    }

    private static List<String> train(Path text, Path out, String steps) {
        return new ArrayList<>(List.of(
                "train", "--text", text.toString(), "--out", out.toString(), "--steps", steps, "--hidden", "8",
                "--embedding",
                "4", "--batch", "4", "--window", "16", "--backend", "reference"));
    }
}
