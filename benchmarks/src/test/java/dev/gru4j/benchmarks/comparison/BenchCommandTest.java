package dev.gru4j.benchmarks.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int bench(String... arguments) {
        out.reset();
        err.reset();
        return BenchCommand.run(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8),
                false, Samples.PACE, arguments);
    }

    private void isRefused(String message, String... arguments) {
        assertEquals(2, bench(arguments), () -> err.toString(StandardCharsets.UTF_8));
        List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
        assertTrue(lines.getFirst().startsWith("gru4j: ") && lines.getFirst().contains(message), lines::toString);
        assertEquals("Try './gru4j bench --help'.", lines.getLast());
    }

    @Test
    void argumentsThatMakeNoSenseSayWhatWasFoundAndWhatWasExpected() {
        isRefused("unknown backend 'cdua'; known: simd, reference, cuda, cuda-resident", "--backends", "cdua");
        isRefused("unknown peer 'tensorfow'; known: honest, dying, hanging", "--peers", "tensorfow");
        isRefused("unknown peer 'gru4j-simd'", "--peers=gru4j-simd");
        isRefused("mode is 'training-step'; inference or training expected", "--mode", "training-step");
        isRefused("variant is 'reset'; reset-after or reset-before expected", "--variant", "reset");
        isRefused("threads is '0'; 1 or more expected", "--threads", "1,0");
        isRefused("precision is 'fp8'; fp32, tf32, 3xtf32, bf16 or fp16 expected", "--precision", "fp8");
        isRefused("shape is '5,3,7'; TxBxIxH expected", "--shapes", "5,3,7");
        isRefused("shapes is 'cup'; T,B,I,H, a file of such lines, or one of ", "--shapes", "cup");
        isRefused("minutes is 0.0; more than 0 expected", "--minutes", "0");
        isRefused("minutes is NaN", "--minutes", "NaN");
        isRefused("compare is 'cpu,tpu'; cpu,gpu expected", "--compare", "cpu,tpu");
        isRefused("--shape", "--shape", "5,3,7,9");
    }

    @Test
    void namesOfShapeFilesAreOffered() {
        isRefused("crossover, deepbench", "--shapes", "cup");
    }

    @Test
    void aSmallRunFromTheCommandToItsFiles(@TempDir Path folder) throws IOException {
        Path shapes = folder.resolve("some.shapes");
        Files.writeString(shapes, "4 3 5 8 # one\n");
        assertEquals(
                0,
                bench(
                        "--backends", "simd,reference", "--shapes", shapes.toString(), "--threads", "1", "--variant",
                        "reset-before", "--minutes", "0.05", "--out", folder.resolve("out").toString()),
                () -> err.toString(StandardCharsets.UTF_8));
        String text = out.toString(StandardCharsets.UTF_8).replaceAll(" +", " ");
        assertTrue(text.contains("inference, one thread") && text.contains("4,3,5,8 reset-before"), text);
        ComparisonReport report = ReportFiles.read(folder.resolve("out").resolve(ReportFiles.JSON));
        assertEquals(List.of("gru4j-simd", "gru4j-reference"), report.measured());
        assertEquals(2, report.cells().size(), report::toString);
        assertTrue(report.machine().getOrDefault("command", "").startsWith("./gru4j bench --backends simd,reference "));
        for (String file : List.of(
                "results.csv", "table.md", "bars-inference-reset-before-1-thread-fp32.png",
                "bars-training-reset-before-1-thread-fp32.png")) {
            assertTrue(Files.size(folder.resolve("out").resolve(file)) > 0, file);
        }
    }
}
