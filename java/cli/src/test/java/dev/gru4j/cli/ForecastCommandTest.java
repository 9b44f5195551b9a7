package dev.gru4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ForecastCommandTest {
    private static final List<String> SMALL = List.of("--hidden", "12", "--batch", "8", "--backend", "reference");

    @TempDir
    private Path folder;

    /** A season of 8 on a rising line, with noise. */
    private Path series(int values) throws IOException {
        Random random = new Random(5);
        StringBuilder text = new StringBuilder("day,\"load, MW\"\n");
        for (int t = 0; t < values; t++) {
            double value = 0.1 * t + 5 * Math.sin(2 * Math.PI * t / 8) + 0.5 * random.nextGaussian();
            text.append(String.format(Locale.ROOT, "%d,%.3f%n", t, value));
        }
        return Files.writeString(folder.resolve("series.csv"), text);
    }

    @Test
    void aSeasonOnATrendIsForecastBetterThanByTheBaselines() throws IOException {
        CommandRun run = forecast("run", "500").succeeded();
        double persistence = run.number("persistence");
        double seasonal = run.number("seasonal naive");
        double ours = run.number("GRU");
        assertTrue(ours < seasonal && seasonal < persistence, () -> ours + " " + seasonal + " " + persistence);
        assertTrue(run.line("series").endsWith("season 8"), run::toString);
    }

    @Test
    void asManyValuesAsTheHorizonAreForecastAndDrawn() throws IOException {
        CommandRun run = forecast("run", "2").succeeded();
        String[] next = run.out()
                .substring(run.out().indexOf("The next 6 values:"))
                .lines()
                .skip(1)
                .takeWhile(line -> !line.isBlank())
                .toArray(String[]::new);
        assertEquals(6, next.length, run::toString);
        assertNotNull(ImageIO.read(folder.resolve("run/forecast.png").toFile()), "forecast.png is no image");
    }

    @Test
    void thePrintedCommandRepeatsTheRunBitForBit() throws IOException {
        CommandRun first = forecast("first", "5").succeeded();
        // The quoted column name is the one word with a blank in it.
        List<String> command = new ArrayList<>(Arrays.asList(first.line("repeat")
                .replace("./gru4j ", "")
                .replace("'load, MW'", "COLUMN")
                .split(" ")));
        command.replaceAll(word -> word.equals("COLUMN") ? "load, MW" : word);
        command.addAll(List.of("--out", folder.resolve("second").toString()));
        CommandRun.of(command).succeeded();
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("first/weights.safetensors")),
                Files.readAllBytes(folder.resolve("second/weights.safetensors")));
    }

    @Test
    void aSeriesTooShortForItsHorizonIsAnError() throws IOException {
        CommandRun.of("forecast", "--csv", series(20).toString(), "--column", "day", "--horizon", "6")
                .failed(1, "has 20 values in column 'day'; at least 30 expected for a horizon of 6");
    }

    @Test
    void aConstantColumnIsAnError() throws IOException {
        Path file = Files.writeString(folder.resolve("flat.csv"), "a\n" + "1\n".repeat(100));
        CommandRun.of("forecast", "--csv", file.toString(), "--column", "a", "--horizon", "2")
                .failed(1, "column 'a' is constant");
    }

    @Test
    void anUnknownColumnListsTheKnownOnes() throws IOException {
        CommandRun.of("forecast", "--csv", series(100).toString(), "--column", "load", "--horizon", "2")
                .failed(1, "no column 'load'; its columns are day, load, MW");
    }

    @Test
    void theShortestSeriesAllowedCanBeForecast() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "forecast", "--csv", series(30).toString(), "--column", "load, MW", "--horizon", "6", "--steps", "2",
                "--out", folder.toString()));
        arguments.addAll(SMALL);
        CommandRun.of(arguments).succeeded();
    }

    private CommandRun forecast(String name, String steps) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "forecast", "--csv", series(400).toString(), "--column", "load, MW", "--horizon", "6", "--steps",
                steps));
        arguments.addAll(SMALL);
        arguments.addAll(List.of("--out", folder.resolve(name).toString()));
        return CommandRun.of(arguments);
    }
}
