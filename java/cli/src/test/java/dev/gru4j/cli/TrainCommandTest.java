package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainCommandTest {
    private static final List<String> SMALL = List.of(
            "--hidden", "12", "--embedding", "6", "--batch", "4", "--window", "16", "--backend", "reference");

    @TempDir
    private Path folder;

    @Test
    void namesAreLearnedWithoutAnyFile() {
        CommandRun run = CommandRun.of(
                "train", "--steps", "3", "--hidden", "4", "--embedding", "4", "--batch", "8", "--backend",
                "reference", "--out", folder.toString())
                .succeeded();
        assertEquals(4.44, run.number("order-0 n-gram"), 0.03);
        assertEquals(2.60, run.number("order-2 n-gram"), 0.03);
        assertEquals(1.245, run.number("order-4 n-gram"), 0.03);
        double bits = run.number("GRU");
        assertTrue(bits > 4 && bits < 7, "an untrained GRU took " + bits + " bits per character");
        assertTrue(run.line("text").contains("Unicode character names"), run::toString);
        assertTrue(run.line("backend").startsWith("reference"), run::toString);
    }

    @Test
    void trainingLowersTheHeldOutLoss() throws IOException {
        double untrained = train("untrained", "1").number("GRU");
        CommandRun trained = train("trained", "300");
        assertTrue(
                trained.number("GRU") < untrained - 1,
                () -> "before " + untrained + " bits, after " + trained.number("GRU"));
        assertTrue(
                trained.number("GRU") < trained.number("order-0 n-gram"),
                () -> "300 steps did not beat order 0\n" + trained);
    }

    @Test
    void theLossCurveIsAnImage() throws IOException {
        train("chart", "20");
        BufferedImage image =
                ImageIO.read(folder.resolve("chart").resolve("loss.png").toFile());
        assertNotNull(image, "loss.png cannot be read as an image");
        assertEquals(960, image.getWidth());
        long colours = Arrays.stream(image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
                .distinct()
                .count();
        assertTrue(colours > 10, "loss.png has " + colours + " colours; lines and text expected");
    }

    @Test
    void thePrintedCommandRepeatsTheRunBitForBit() throws IOException {
        // By the clock: only it decides how many steps are done, and the command says how many.
        CommandRun first = train("first", "", "--minutes", "0.02", "--seed", "5");
        List<String> command = new ArrayList<>(
                Arrays.asList(first.line("repeat").replace("./gru4j ", "").split(" ")));
        command.addAll(List.of("--out", folder.resolve("second").toString()));
        CommandRun.of(command).succeeded();
        assertArrayEquals(weights("first"), weights("second"), () -> "other weights after: " + command);
    }

    @Test
    void anotherSeedGivesOtherWeights() throws IOException {
        train("one", "2", "--seed", "1");
        train("two", "2", "--seed", "2");
        assertFalse(Arrays.equals(weights("one"), weights("two")), "seeds 1 and 2 gave the same weights");
    }

    @Test
    void aFinishedRunResumedReportsAgainAndChangesNothing() throws IOException {
        train("done", "5");
        byte[] before = weights("done");
        CommandRun again = train("done", "5", "--resume");
        assertArrayEquals(before, weights("done"));
        assertTrue(again.out().contains("5 steps"), again::toString);
    }

    @Test
    void anotherSettingThanTheCheckpointsIsRefused() throws IOException {
        train("run", "2");
        CommandRun.of("train", "--resume", "--hidden", "13", "--out", folder.resolve("run").toString())
                .failed(2, "--hidden is 13; the run to be resumed has 12");
    }

    @Test
    void aPrecisionIsASettingOfTheRun() throws IOException {
        CommandRun first = train("run", "2", "--precision", "bf16");
        assertTrue(first.line("backend").contains("products in bf16"), first::toString);
        assertTrue(first.line("repeat").contains(" --precision bf16 "), first::toString);
        train("single", "2");
        assertFalse(Arrays.equals(weights("run"), weights("single")), "bf16 and fp32 gave the same weights");
        CommandRun resumed = CommandRun.of(
                "train", "--resume", "--backend", "reference", "--out", folder.resolve("run").toString())
                .succeeded();
        assertTrue(resumed.line("backend").contains("products in bf16"), resumed::toString);
        CommandRun.of("train", "--resume", "--precision", "tf32", "--out", folder.resolve("run").toString())
                .failed(2, "--precision is tf32; the run to be resumed has bf16");
    }

    @Test
    void aPrecisionThatIsNoneListsAll() {
        CommandRun.of("train", "--precision", "fp8").failed(2, "precision is 'fp8'; fp32, tf32, 3xtf32, bf16 or fp16");
        CommandRun.of("train", "--precision", "bf16", "--backend", "simd", "--steps", "1", "--out", folder.toString())
                .failed(1,
                        "backend 'simd' was requested but is unavailable: its products are in fp32 only, not in bf16");
    }

    @Test
    void aRunOfFixedLengthIsNotResumedByTheClock() throws IOException {
        train("run", "2");
        CommandRun.of("train", "--resume", "--minutes", "1", "--out", folder.resolve("run").toString())
                .failed(2, "--minutes cannot change a run whose number of steps is fixed at 2");
    }

    @Test
    void aTextOfTheLeastLengthCanBeLearned() throws IOException {
        Path brief = Files.writeString(folder.resolve("brief.txt"), "gate".repeat(100));
        CommandRun run = CommandRun.of(
                "train", "--text", brief.toString(), "--steps", "3", "--hidden", "8", "--backend", "reference",
                "--out", folder.toString())
                .succeeded();
        assertTrue(run.line("text").startsWith("380 characters"), run::toString);
    }

    @Test
    void progressWithoutATerminalIsAtMostOneLinePerTenth() throws IOException {
        CommandRun run = train("lines", "200");
        long lines = run.err().lines().filter(line -> line.contains("GFLOP/s")).count();
        assertTrue(lines >= 2 && lines <= 11, () -> lines + " lines of progress\n" + run);
        assertFalse(run.err().contains("\r"), "a carriage return in a log");
    }

    @Test
    void aFixedLossScaleIsReportedRepeatedAndChangesNoBitInFp32() throws IOException {
        CommandRun scaled = train("scaled", "4", "--loss-scale", "1024");
        assertEquals("of the loss: fixed at 1024", scaled.line("scaling"));
        assertTrue(scaled.line("repeat").contains(" --loss-scale 1024"), scaled::toString);
        CommandRun plain = train("plain", "4", "--loss-scale", "none");
        assertFalse(plain.out().contains("of the loss") || plain.out().contains("--loss-scale"), plain::toString);
        assertArrayEquals(weights("plain"), weights("scaled"));
        CommandRun.of("train", "--resume", "--loss-scale", "dynamic", "--out", folder.resolve("scaled").toString())
                .failed(2, "--loss-scale is dynamic; the run to be resumed has 1024");
        CommandRun.of(arguments("wrong", "4", "--loss-scale", "1000"))
                .failed(2, "--loss-scale is 1000; dynamic, none or a power of two such as 1024 expected");
    }

    @Test
    void samplesCanBeDrawnFromTheWeights() throws IOException {
        train("sampled", "5");
        String file = folder.resolve("sampled").resolve(RunLimits.WEIGHTS).toString();
        String[] command = {"sample", "--weights", file, "--backend", "reference", "--count", "2", "--prompt", "gate "};
        CommandRun once = CommandRun.of(command).succeeded();
        assertTrue(once.out().contains("gate "), once::toString);
        assertEquals(once.out(), CommandRun.of(command).out(), "the same seed drew other samples");
    }

    private CommandRun train(String name, String steps, String... more) throws IOException {
        return CommandRun.of(arguments(name, steps, more)).succeeded();
    }

    private List<String> arguments(String name, String steps, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("train", "--text", text().toString()));
        if (!steps.isEmpty()) {
            arguments.addAll(List.of("--steps", steps));
        }
        arguments.addAll(SMALL);
        arguments.addAll(List.of("--out", folder.resolve(name).toString()));
        arguments.addAll(List.of(more));
        return arguments;
    }

    private Path text() throws IOException {
        return SampleText.write(folder);
    }

    private byte[] weights(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve(RunLimits.WEIGHTS));
    }
}
