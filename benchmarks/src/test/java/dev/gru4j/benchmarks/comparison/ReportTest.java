package dev.gru4j.benchmarks.comparison;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.comparison.Measurement.Outcome;
import dev.gru4j.benchmarks.comparison.ReportPlots.Letter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Statistics, and what is written of them. */
class ReportTest {
    /** 2·3·(T B I H) = 2·10·2·3·8·(4+8) = 11,520 FLOP. */
    private static final GruShape SHAPE = new GruShape(10, 2, 4, 8);

    private static ComparisonReport run() {
        return Samples.run(
                Samples.report(
                        Samples.cell(SHAPE, Mode.INFERENCE, 1), Samples.measured("onednn", 3.0, 2.0, 4.0),
                        Samples.measured("gru4j-simd", 1.0, 2.0, 1.0), Samples.measured("torch", 9.0),
                        Measurement.without("ort", Outcome.REFUSED, "cannot, \"really\"\nnot")),
                Samples.report(
                        Samples.cell(SHAPE, Mode.TRAINING, 1), Samples.measured("onednn", 12.0),
                        Samples.measured("gru4j-simd", 1.0), Measurement.without("ort", Outcome.FAILED, "died")));
    }

    @Test
    void mediansAndMeans() {
        assertEquals(2, Statistics.median(List.of(9.0, 1.0, 2.0)));
        assertEquals(2.5, Statistics.median(List.of(9.0, 1.0, 2.0, 3.0)));
        assertTrue(Double.isNaN(Statistics.median(List.of())));
        assertEquals(6, Statistics.geometricMean(List.of(4.0, 9.0)), 1e-12);
        assertTrue(Double.isNaN(Statistics.geometricMean(List.of())));
        assertEquals(1, Statistics.min(List.of(2.0, 1.0)));
        assertEquals(2, Statistics.max(List.of(2.0, 1.0)));
    }

    @Test
    void busyTimeIsAllButIdleAndWaiting() {
        assertEquals(
                Duration.ofMillis(10 * (1 + 2 + 3 + 6 + 7 + 8)),
                ProcessorUse.parse("cpu  1 2 3 400 500 6 7 8 9 10"));
        // 1.2 s busy, 1 s ours, 0.02 s forgiven, within 2 s.
        assertEquals(0.09, ProcessorUse.share(Duration.ofMillis(1200), Duration.ofSeconds(1), 2), 1e-9);
        assertEquals(0, ProcessorUse.share(Duration.ofSeconds(1), Duration.ofSeconds(1), 2));
    }

    @Test
    void threadsOfTheJitCompilersAreToldFromOthers() {
        String line = "812 (C2 CompilerThre) S 1 2 3 4 5 6 7 8 9 10 1100 23 14 15";
        assertEquals(1123, ProcessorUse.compilerTicks(line));
        assertEquals(0, ProcessorUse.compilerTicks(line.replace("C2 CompilerThre", "main) (C1")));
    }

    @Test
    void workersArePinnedToTheLastProcessorsUnlessTheyNeedAll() {
        assertEquals(List.of(0, 1, 2, 5), Processors.parse("0-2,5"));
        assertEquals("2,5", Processors.last(2, List.of(0, 1, 2, 5)));
        assertEquals("", Processors.last(4, List.of(0, 1, 2, 5)));
    }

    /** By hand, at 100 FLOP/ns, 50 bytes/ns, 4 and 2 activations/ns. */
    @Test
    void theFloorHasProductsWeightsAndActivations() {
        Cell inference = Samples.cell(SHAPE, Mode.INFERENCE, 1);
        // A step reads 768 bytes in 15.36 ns, which takes longer than its 768 FLOP.
        double forward = 2 * 10 * 2 * 24 * 4 / 100.0 + 10 * 15.36;
        double gates = 10 * 2 * 8 * (2 / 4.0 + 1 / 2.0);
        assertEquals((forward + gates) / 1e3, Samples.conditions(false).floor(inference), 1e-12);
        // Backward: another recurrent product a step; the other products take as long as twice the projection, and dW_hh.
        double backward = 2 * 2 * 10 * 2 * 24 * 4 / 100.0 + 10 * 15.36 + 2 * 10 * 2 * 24 * 8 / 100.0;
        assertEquals(
                (forward + backward + gates) / 1e3,
                Samples.conditions(false).floor(Samples.cell(SHAPE, Mode.TRAINING, 1)), 1e-12);
        assertEquals(3 * 8 * 8 * 4 / 2, Conditions.weightBytes(Samples.cell(SHAPE, Mode.TRAINING, 2)));
    }

    @Test
    void ratiosAreThoseToTheBestPeer() {
        ComparisonReport run = run();
        assertEquals(List.of("gru4j-simd", "onednn", "torch"), run.measured());
        assertEquals(3, run.cells().getFirst().ratio("gru4j-simd").orElseThrow());
        assertEquals(6, run.meanRatio(cell -> true), 1e-12);
        assertEquals(12, run.meanRatio(cell -> cell.mode() == Mode.TRAINING), 1e-12);
        assertEquals(
                Set.of(
                        "inference, one thread", "training, one thread", "all inference", "all training", "over all"),
                new ReportTables(run).means().keySet());
    }

    @Test
    void theTerminalShowsARowForEachCellAndEveryReasonOnce() {
        String text = new ReportTables(run()).text().replaceAll(" +", " ");
        assertTrue(text.contains("10,2,4,8 reset-after 1.0 11.5 11.5% 35.2% onednn 3.00"), text);
        assertTrue(text.contains("6.00 times as fast as the best peer, geometric mean, over all"), text);
        assertTrue(text.contains("ort: cannot, \"really\" not (T10"), text);
        assertTrue(text.contains("ort: died (T10 B2 I4 H8 training reset-after, 1 thread)"), text);
    }

    @Test
    void theFileHasEveryContender() {
        String text = new ReportTables(run()).markdown();
        assertTrue(text.startsWith("# Comparison on Some Processor\n"), text);
        assertTrue(
                text.contains(
                        "| 10, 2, 4, 8 | reset-after | 1.0 | 1.0 – 2.0 | 11.5 | 11.5 % | "),
                text);
        assertTrue(text.contains("| 10, 2, 4, 8 | reset-after | 100 | 11.5 | 3.8 | 1.3 |"), text);
        assertTrue(text.contains("| over all | 6.00 |"), text);
    }

    @Test
    void aRowThatOthersDisturbedSaysSo() {
        ComparisonReport run = Samples.run(
                new CellReport(
                        Samples.cell(Mode.INFERENCE), List.of(Samples.measured("gru4j-simd", 1.0)),
                        Samples.conditions(true)));
        assertTrue(new ReportTables(run).text().contains("disturbed"));
        assertTrue(new ReportTables(run).markdown().contains("(disturbed)"));
    }

    @Test
    void whatIsWrittenIsReadAgain(@TempDir Path folder) throws IOException {
        ComparisonReport run = run();
        ReportFiles.write(folder, run);
        assertEquals(run, ReportFiles.read(folder.resolve(ReportFiles.JSON)));
        List<String> lines = Files.readAllLines(folder.resolve(ReportFiles.CSV));
        assertEquals(1 + 7, lines.size());
        assertTrue(
                lines.get(2).startsWith("10,2,4,8,reset-after,inference,1,fp32,gru4j-simd,default,measured,1.0000,"));
        assertTrue(lines.get(4).endsWith(",\"cannot, \"\"really\"\" not\""), lines.get(4));
        assertEquals(lines.getFirst().split(",", -1).length, lines.get(1).split(",", -1).length);
    }

    @Test
    void theReadmeGetsItsTablesFromTheResultsAndKeepsTheRest(@TempDir Path folder) throws IOException {
        ReportFiles.write(folder, run());
        String before = "a\n<!-- table results.json -->\nold\n<!-- end of table -->\nb $1\n";
        String after = ReadmeTables.filled(before, folder.resolve("README.md"));
        assertEquals(after, ReadmeTables.filled(after, folder.resolve("README.md")));
        assertEquals(
                """
                a
                <!-- table results.json -->

                | T, B, I, H | inference, 1 thread | training, 1 thread |
                | --- | --- | --- |
                | 10, 2, 4, 8 | 12, 12 %, **3.00 ×** onednn | 35, 35 %, **12.00 ×** onednn |
                | geometric mean, both variants | 3.00 × | 12.00 × |

                <!-- end of table -->
                b $1
                """,
                after);
    }

    private static ComparisonReport overH(double... gpu) {
        CellReport[] cells = new CellReport[gpu.length];
        for (int i = 0; i < gpu.length; i++) {
            int H = 64 << i;
            cells[i] = Samples.report(
                    Samples.cell(new GruShape(8, 4, H, H), Mode.INFERENCE, 2), Samples.measured("gru4j-simd", 10.0),
                    Samples.measured("gru4j-cuda", gpu[i]));
        }
        return Samples.run(cells);
    }

    @Test
    void theGpuPaysFromWhereItStaysAhead() {
        assertEquals("from H = 128 (5.0 times at 256)",
                Crossover.from(Letter.H, overH(40, 10, 2).cells(), Crossover.GPU));
        // Half-way on both logarithmic axes.
        assertEquals("from H = 91 (2.0 times at 128)", Crossover.from(Letter.H, overH(20, 5).cells(), Crossover.GPU));
        assertEquals(
                "not up to H = 128 (0.50 times)", Crossover.from(Letter.H, overH(5, 20).cells(), Crossover.GPU));
        assertEquals(
                "everywhere, H = 64 to 128 (4.0 times at 128)",
                Crossover.from(Letter.H, overH(5, 2.5).cells(), Crossover.GPU));
        assertEquals("not measured", Crossover.from(Letter.H, overH(5, 2).cells(), Crossover.RESIDENT));
        String table = new Crossover(overH(40, 10, 2)).table();
        assertTrue(
                table.contains(
                        "| H | T8 B4 I=H | inference reset-after | from H = 128 (5.0 times at 256) | not measured |"),
                table);
    }

    @Test
    void anEmulatorIsNotTakenForAGpu() {
        ComparisonReport real = overH(40, 10);
        ComparisonReport emulated = new ComparisonReport(
                real.machine(), Map.of("gru4j-cuda", "cuda: emulated sm_90"), Map.of(), 1, real.cells(), List.of());
        assertEquals("", new Crossover(real).note());
        assertTrue(new Crossover(emulated).table().startsWith("EMULATOR, not a GPU"));
        new ReportPlots(emulated, new Crossover(emulated).note()).charts().values()
                .forEach(chart -> assertTrue(chart.getTitle().endsWith("(EMULATOR, not a GPU)"), chart.getTitle()));
    }

    @Test
    void barsForEveryGroupAndCurvesWhereOneLetterChanges() {
        assertEquals(
                Set.of(
                        "bars-inference-reset-after-2-threads-fp32.png",
                        "scaling-H-t8-b4-i-h-inference-reset-after-2-threads-fp32.png"),
                new ReportPlots(overH(40, 10, 2), "").charts().keySet());
        assertEquals(
                Set.of(
                        "bars-inference-reset-after-1-thread-fp32.png", "bars-training-reset-after-1-thread-fp32.png"),
                new ReportPlots(run(), "").charts().keySet());
    }
}
