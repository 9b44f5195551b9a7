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
 * backward; times are medians, and once the fastest decile, which other load on the machine disturbs less.
 *
 * <p>{@code java -cp benchmarks.jar dev.gru4j.benchmarks.Table [SHAPES]}, SHAPES being a {@code .shapes}
 * file; without it, the shape of the goals. The reference takes minutes for such a shape, so it runs the
 * first one over two steps, once, and times are compared per step.
 */
public final class Table {
    private static final String GOAL_SHAPE = "64,64,256,512";

    private static final int REFERENCE_STEPS = 2;

    private Table() {}

    public static void main(String[] args) throws IOException, RunnerException {
        if (args.length > 1) {
            throw new IllegalArgumentException(args.length + " arguments; at most a .shapes file expected");
        }
        List<String> shapes = args.length == 0 ? List.of(GOAL_SHAPE) : Shape.read(Path.of(args[0]));
        double peak = PeakBenchmark.FLOP / nanos(run(select(PeakBenchmark.class)).iterator().next());
        Map<String, Map<String, RunResult>> simd = gru("simd", shapes, false);
        GruShape first = Shape.parse(shapes.getFirst());
        String shortened = Math.min(REFERENCE_STEPS, first.T()) + "," + first.B() + "," + first.I() + "," + first.H();
        Map<String, RunResult> reference =
                gru("reference", List.of(shortened), true).getOrDefault(shortened, Map.of());
        // The higher of before and after: a peak measured in a slow moment would flatter the shares.
        peak = Math.max(peak, PeakBenchmark.FLOP / nanos(run(select(PeakBenchmark.class)).iterator().next()));
        print(peak, shapes, simd, reference);
    }

    private static ChainedOptionsBuilder select(Class<?> benchmark) {
        return new OptionsBuilder().include(benchmark.getName() + "\\.");
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        return new Runner(options.build()).run();
    }

    /** Shape → benchmark → result. */
    private static Map<String, Map<String, RunResult>> gru(String backend, List<String> shapes, boolean once)
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
        Map<String, Map<String, RunResult>> table = new TreeMap<>();
        for (RunResult result : run(options)) {
            String name = result.getParams().getBenchmark();
            table.computeIfAbsent(result.getParams().getParam("shape"), s -> new TreeMap<>())
                    .put(name.substring(name.lastIndexOf('.') + 1), result);
        }
        return table;
    }

    private static double nanos(RunResult result) {
        return nanos(result, 50);
    }

    private static double nanos(RunResult result, double percentile) {
        double time = result.getPrimaryResult().getStatistics().getPercentile(percentile);
        return switch (result.getPrimaryResult().getScoreUnit()) {
            case "ns/op" -> time;
            case "us/op" -> time * 1e3;
            default -> throw new IllegalStateException(
                    "score in " + result.getPrimaryResult().getScoreUnit() + "; ns/op or us/op expected");
        };
    }

    private static void print(
            double peak, List<String> shapes, Map<String, Map<String, RunResult>> simd,
            Map<String, RunResult> reference) {
        List<String> lines = new ArrayList<>();
        lines.add("machine  " + Machine.description());
        lines.add(String.format(Locale.ROOT, "peak     %.1f GFLOP/s, one thread, measured in this run", peak));
        lines.add("");
        lines.add(String.format(
                Locale.ROOT, "%-22s %-16s %12s %10s %10s %8s %10s %13s", "shape", "simd, one thread",
                "us/sequence", "us/step", "GFLOP/s", "of peak", "p10", "x reference"));
        for (String text : shapes) {
            GruShape shape = Shape.parse(text);
            Map<String, RunResult> times = simd.getOrDefault(text, Map.of());
            Map<String, RunResult> slow = text.equals(shapes.getFirst()) ? reference : Map.of();
            line(lines, shape, "inference", 1, peak, times, slow);
            line(lines, shape, "trainingForward", 1, peak, times, slow);
            line(lines, shape, "backward", 2, peak, times, slow);
            line(lines, shape, "training", 3, peak, times, slow);
        }
        System.out.println();
        lines.forEach(System.out::println);
    }

    private static void line(
            List<String> lines, GruShape shape, String benchmark, int products, double peak,
            Map<String, RunResult> times, Map<String, RunResult> slow) {
        RunResult result = times.get(benchmark);
        if (result == null) {
            throw new IllegalStateException("JMH returned no result for " + benchmark + " of " + shape);
        }
        double nanos = nanos(result);
        double flop = products * Shape.forwardFlop(shape);
        double perStep = nanos / Math.max(1, shape.T());
        RunResult reference = slow.get(benchmark);
        String ratio = reference == null
                ? "-"
                : String.format(
                        Locale.ROOT, "%.0f", nanos(reference) / Math.min(REFERENCE_STEPS, shape.T()) / perStep);
        lines.add(String.format(
                Locale.ROOT, "%-22s %-16s %12.1f %10.2f %10.1f %7.1f%% %9.1f%% %13s", shape, benchmark, nanos / 1e3,
                perStep / 1e3, flop / nanos, 100 * flop / nanos / peak, 100 * flop / nanos(result, 10) / peak, ratio));
    }
}
