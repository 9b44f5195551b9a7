package dev.gru4j.benchmarks;

import dev.gru4j.Gru;
import dev.gru4j.GruGradients;
import dev.gru4j.GruInput;
import dev.gru4j.GruOutput;
import dev.gru4j.GruShape;
import dev.gru4j.GruSpec;
import dev.gru4j.GruWeights;
import dev.gru4j.backend.BackendOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * How long a new JVM takes until the simd backend runs at its steady rate: starts fresh JVMs with the options of
 * this one, lets each repeat one call through the public API, and prints for each, and as the median, the seconds
 * from the start of the process to
 *
 * <ul>
 *   <li>the end of the first call, and
 *   <li>the first window of {@value #WINDOW_MS} ms from which on, for {@value #STAYS_MS} ms, every window's median
 *       call runs at 90 % of the steady rate or more. Steady is the median call of the last second.
 * </ul>
 *
 * <p>Arguments: {@code inference|training [T,B,I,H [threads [JVMs]]]}; by default 16,64,128,128, one thread per
 * processor and 7 JVMs.
 */
public final class ColdStart {
    private static final int WINDOW_MS = 25;
    private static final int STAYS_MS = 500;
    private static final double SHARE = 0.9;

    /** What a child runs, from the start of its process. */
    private static final Duration RUN = Duration.ofSeconds(6);

    private ColdStart() {}

    /** Seconds from the start of the process. */
    private record Times(double first, double steady, double microseconds) {
        String line() {
            return String.format(
                    Locale.ROOT, "first result %.2f s, 90 %% of the steady rate %.2f s, steady call %.0f us", first,
                    steady,
                    microseconds);
        }
    }

    /** See the class. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        boolean isChild = arguments[0].equals("child");
        String[] own = isChild ? Arrays.copyOfRange(arguments, 1, arguments.length) : arguments;
        String mode = own[0];
        if (!mode.equals("inference") && !mode.equals("training")) {
            throw new IllegalArgumentException("'" + mode + "' is no mode; inference or training expected");
        }
        String shape = own.length > 1 ? own[1] : "16,64,128,128";
        String threads = own.length > 2 ? own[2] : "0";
        if (isChild) {
            child(mode, Shape.parse(shape), Integer.parseInt(threads));
            return;
        }
        int launches = own.length > 3 ? Integer.parseInt(own[3]) : 7;
        List<Times> all = new ArrayList<>();
        System.out.println("cold start of " + mode + " at " + shape + " with " + threads + " threads (0: all), "
                + Machine.description());
        for (int i = 0; i < launches; i++) {
            Times times = launch(mode, shape, threads);
            System.out.println("  " + times.line());
            all.add(times);
        }
        System.out.println("median: " + new Times(
                median(all.stream().mapToDouble(Times::first).toArray()),
                median(all.stream().mapToDouble(Times::steady).toArray()),
                median(all.stream().mapToDouble(Times::microseconds).toArray()))
                .line());
    }

    private static double median(double... values) {
        return Measures.quantile(0.5, Measures.sorted(values));
    }

    private static Times launch(String mode, String shape, String threads) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        for (String option : System.getProperty("gru4j.coldstart.jvm", "").split(" ", -1)) {
            if (!option.isEmpty()) {
                command.add(option);
            }
        }
        command.addAll(List.of(
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), ColdStart.class.getName(), "child", mode, shape,
                threads));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (BufferedReader output = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = output.readLine();
            if (line == null) {
                throw new IllegalStateException(
                        "a JVM ended with status " + process.waitFor() + " and no result: "
                                + String.join(" ", command));
            }
            String[] fields = line.split(" ", -1);
            return new Times(
                    Double.parseDouble(fields[0]), Double.parseDouble(fields[1]), Double.parseDouble(fields[2]));
        } finally {
            process.destroy();
            process.waitFor();
        }
    }

    private static void child(String mode, GruShape shape, int threads) {
        Instant started = ProcessHandle.current().info().startInstant().orElseThrow();
        long origin = System.nanoTime() - Duration.between(started, Instant.now()).toNanos();
        GruSpec spec = GruSpec.of(shape.I(), shape.H());
        try (Gru gru = Gru.builder(spec).backend("simd").options(new BackendOptions(threads, 0)).build()) {
            SplittableRandom random = new SplittableRandom(1);
            float[] x = new float[shape.T() * shape.B() * shape.I()];
            for (int i = 0; i < x.length; i++) {
                x[i] = random.nextInt() * 0x1p-31f;
            }
            GruInput input = new GruInput(x, shape.T(), shape.B());
            GruOutput output = GruOutput.of(spec, shape.T(), shape.B());
            if (mode.equals("inference")) {
                report(origin, () -> gru.forward(input, output));
            } else {
                GruGradients gradients = GruGradients.of(spec, shape.T(), shape.B());
                GruWeights weights = gru.weights();
                try (var training = gru.training()) {
                    report(origin, () -> {
                        gru.setWeights(weights);
                        training.forward(input, 0, output);
                        training.backward(output.y(), null, gradients);
                    });
                }
            }
        }
    }

    /** Runs the call until the time is over and prints seconds to the first result, seconds to steady, µs a call. */
    private static void report(long origin, Runnable call) {
        long[] ends = new long[1 << 20];
        int calls = 0;
        double[] durations = new double[ends.length];
        long last = System.nanoTime();
        while (last - origin < RUN.toNanos() && calls < ends.length) {
            call.run();
            long now = System.nanoTime();
            ends[calls] = now - origin;
            durations[calls++] = now - last;
            last = now;
        }
        int tail = firstAfter(ends, calls, RUN.toNanos() - 1_000_000_000L);
        double steady = Measures.quantile(0.5, Measures.sorted(Arrays.copyOfRange(durations, tail, calls)));
        System.out.printf(
                Locale.ROOT, "%f %f %f%n", ends[0] / 1e9, steadySince(ends, durations, calls, steady / SHARE) / 1e9,
                steady / 1e3);
    }

    /** End of the last window that was too slow, before a stretch of windows none of which is. */
    private static long steadySince(long[] ends, double[] durations, int calls, double slowest) {
        long window = WINDOW_MS * 1_000_000L;
        long since = 0;
        for (long from = 0; from < ends[calls - 1] && from - since < STAYS_MS * 1_000_000L; from += window) {
            int begin = firstAfter(ends, calls, from);
            // A call that is still running when the window ends is what the window shows.
            int end = Math.max(begin + 1, firstAfter(ends, calls, from + window));
            double[] found = Arrays.copyOfRange(durations, begin, Math.min(end, calls));
            if (Measures.quantile(0.5, Measures.sorted(found)) > slowest) {
                since = from + window;
            }
        }
        return since;
    }

    /** Index of the first call that ended after a time. */
    private static int firstAfter(long[] ends, int calls, long time) {
        int i = Arrays.binarySearch(ends, 0, calls, time);
        return Math.min(calls - 1, i < 0 ? -i - 1 : i);
    }
}
