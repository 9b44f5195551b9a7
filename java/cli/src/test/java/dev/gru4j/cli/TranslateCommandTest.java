package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TranslateCommandTest {
    private static final List<String> SMALL =
            List.of("--hidden", "32", "--embedding", "8", "--batch", "16", "--backend", "reference");

    @TempDir
    private Path folder;

    /** Two words of two letters each, the target being the words swapped: 256 pairs. */
    private Path pairs() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 256; i++) {
            String first = "abcd".charAt(i >> 6) + "" + "abcd".charAt(i >> 4 & 3);
            String second = "wxyz".charAt(i >> 2 & 3) + "" + "wxyz".charAt(i & 3);
            text.append(first).append(' ').append(second).append('\t');
            text.append(second).append(' ').append(first).append('\n');
        }
        return Files.writeString(folder.resolve("pairs.tsv"), text);
    }

    @Test
    void anEncoderDecoderLearnsToSwapWords() throws IOException {
        CommandRun run = train("swap", "400", "--learning-rate", "0.01", "ab wx").succeeded();
        double[] copied = score(run, "copy the source");
        double[] nearest = score(run, "nearest training pair");
        double[] ours = score(run, "GRU encoder-decoder");
        assertEquals(0, copied[0], "exact matches of copying, in percent");
        assertTrue(
                ours[0] > nearest[0] && ours[0] > 50,
                () -> "exact matches " + Arrays.toString(ours) + ", nearest pair " + Arrays.toString(nearest));
        assertTrue(ours[1] < nearest[1],
                () -> "character error rate " + ours[1] + " %, nearest pair " + nearest[1] + " %");
        assertTrue(run.out().endsWith("wx ab\n"), run::toString);
    }

    @Test
    void trainedWeightsTranslateStandardInputLineByLine() throws IOException {
        train("kept", "3", "ab wx").succeeded();
        List<String> again = List.of(
                "translate", "--backend", "reference", "--weights",
                folder.resolve("kept/weights.safetensors").toString());
        CommandRun run = CommandRun.of("ab wx\n\nq\n" + "a".repeat(101) + "\n", again).succeeded();
        // The line of the backend, one translation, one empty line, one translation; the last is too long.
        assertEquals(4, run.out().lines().count(), run::toString);
        assertTrue(run.err().contains("not in the training pairs: q"), run::toString);
        assertTrue(run.err().contains("the line has 101 characters; at most 100 expected"), run::toString);
    }

    @Test
    void thePrintedCommandRepeatsTheRunBitForBit() throws IOException {
        CommandRun first = train("first", "4", "--layers", "2", "--dropout", "0.1").succeeded();
        List<String> command = new ArrayList<>(
                Arrays.asList(first.line("repeat").replace("./gru4j ", "").split(" ")));
        command.addAll(List.of("--out", folder.resolve("second").toString()));
        CommandRun.of(command).succeeded();
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("first/weights.safetensors")),
                Files.readAllBytes(folder.resolve("second/weights.safetensors")));
    }

    @Test
    void withoutAFileThePairsAreTheJdksOwn() {
        CommandRun run = CommandRun.of(
                "translate", "--steps", "1", "--hidden", "4", "--embedding", "2", "--batch", "8", "--backend",
                "reference", "--out", folder.toString())
                .succeeded();
        assertTrue(run.line("pairs").contains("English to French"), run::toString);
        assertTrue(score(run, "copy the source")[0] > 1, run::toString);
    }

    @Test
    void aWrongLineOfPairsIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("bad.tsv"), "a\tb\nc\n");
        CommandRun.of("translate", "--pairs", file.toString()).failed(1, "bad.tsv line 2");
    }

    @Test
    void weightsAndResumeExcludeEachOther() {
        CommandRun.of("translate", "--weights", "x", "--resume").failed(2, "exclude each other");
    }

    private CommandRun train(String name, String steps, String... more) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("translate", "--pairs", pairs().toString(), "--steps", steps));
        arguments.addAll(SMALL);
        arguments.addAll(List.of("--out", folder.resolve(name).toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments);
    }

    /** Exact match and character error rate, in percent. */
    private static double[] score(CommandRun run, String label) {
        return Arrays.stream(run.line(label).split("%"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
