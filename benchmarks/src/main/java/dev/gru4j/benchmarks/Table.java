package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs peak, simd and reference with JMH and prints one table: GFLOP/s and share of the peak of the same
 * run, for one thread. FLOP are those of the products, 2·T·B·3H·(I + H) forward and three times that with
 * backward; times are medians.
 *
 * <p>{@code java -cp benchmarks.jar dev.gru4j.benchmarks.Table [SHAPES]}, SHAPES being a {@code .shapes}
 * file; without it, the shape of the goals. The reference runs on the first shape only, once: it takes a
 * minute there.
 */
public final class Table {
    private static final String GOAL_SHAPE = "64,64,256,512";

    private Table() {}

    public static void main(String[] args) throws IOException, RunnerException {
        if (args.length > 1) {
            throw new IllegalArgumentException(args.length + " arguments; at most a .shapes file expected");
        }
        List<String> shapes = args.length == 0 ? List.of(GOAL_SHAPE) : Shape.read(Path.of(args[0]));
        double peak = PeakBenchmark.FLOP / nanos(run(select(PeakBenchmark.class)).iterator().next());
        Map<String, Map<String, Double>> simd = gru("simd", shapes, false);
        Map<String, Map<String, Double>> reference = gru("reference", shapes.subList(0, 1), true);
        // The processor may clock lower once it is warm: the lower peak of before and after would flatter.
        peak = Math.max(peak, PeakBenchmark.FLOP / nanos(run(select(PeakBenchmark.class)).iterator().next()));
        print(peak, shapes, simd, reference);
    }

    private static ChainedOptionsBuilder select(Class<?> benchmark) {
        return new OptionsBuilder().include(benchmark.getName() + "\\.");
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        return new Runner(options.build()).run();
    }

    /** Shape → benchmark → nanoseconds. */
    private static Map<String, Map<String, Double>> gru(String backend, List<String> shapes, boolean once)
            throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(GruBenchmark.class.getName() + "\\.(inference|trainingForward|backward|training)$")
                .param("backend", backend)
                .param("shape", shapes.toArray(String[]::new));
        if (once) {
            options.mode(Mode.SingleShotTime).warmupIterations(0).measurementIterations(1);
        } else {
            options.measurementTime(TimeValue.seconds(2));
        }
        Map<String, Map<String, Double>> table = new TreeMap<>();
        for (RunResult result : run(options)) {
            String name = result.getParams().getBenchmark();
            table.computeIfAbsent(result.getParams().getParam("shape"), s -> new TreeMap<>())
                    .put(name.substring(name.lastIndexOf('.') + 1), nanos(result));
        }
        return table;
    }

    private static double nanos(RunResult result) {
        double median = result.getPrimaryResult().getStatistics().getPercentile(50);
        return switch (result.getPrimaryResult().getScoreUnit()) {
            case "ns/op" -> median;
            case "us/op" -> median * 1e3;
            default -> throw new IllegalStateException(
                    "score in " + result.getPrimaryResult().getScoreUnit() + "; ns/op or us/op expected");
        };
    }

    private static void print(
            double peak, List<String> shapes, Map<String, Map<String, Double>> simd,
            Map<String, Map<String, Double>> reference) {
        List<String> lines = new ArrayList<>();
        lines.add("machine  " + Machine.description());
        lines.add(String.format(Locale.ROOT, "peak     %.1f GFLOP/s, one thread, measured in this run", peak));
        lines.add("");
        lines.add(String.format(
                Locale.ROOT, "%-22s %-16s %12s %10s %10s %8s %13s", "shape", "simd, one thread", "us/sequence",
                "us/step", "GFLOP/s", "of peak", "x reference"));
        for (String text : shapes) {
            GruShape shape = Shape.parse(text);
            Map<String, Double> times = simd.getOrDefault(text, Map.of());
            Map<String, Double> slow = reference.getOrDefault(text, Map.of());
            line(lines, shape, "inference", 1, peak, times, slow);
            line(lines, shape, "trainingForward", 1, peak, times, slow);
            line(lines, shape, "backward", 2, peak, times, slow);
            line(lines, shape, "training", 3, peak, times, slow);
        }
        System.out.println();
        lines.forEach(System.out::println);
    }

    private static void line(
            List<String> lines, GruShape shape, String benchmark, int products, double peak, Map<String, Double> times,
            Map<String, Double> slow) {
        double nanos = times.getOrDefault(benchmark, Double.NaN);
        double rate = products * Shape.forwardFlop(shape) / nanos;
        double reference = slow.getOrDefault(benchmark, Double.NaN);
        lines.add(String.format(
                Locale.ROOT, "%-22s %-16s %12.1f %10.2f %10.1f %7.1f%% %13s", shape, benchmark, nanos / 1e3,
                nanos / 1e3 / Math.max(1, shape.T()), rate, 100 * rate / peak,
                Double.isNaN(reference) ? "-" : String.format(Locale.ROOT, "%.0f", reference / nanos)));
    }
}
