package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import dev.gru4j.GruVariant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The driver: measures cell after cell, those of one number of threads together, since these share their workers. */
final class Comparison {
    /** Calls of a contender in a cell that cannot be left out: checked, warmed up, in the least number of rounds. */
    private static final int LEAST_CALLS = 8;

    /** What a contender takes in a cell beside its calls, seconds. */
    private static final double OVERHEAD = 0.8;

    /** GFLOP/s of an average contender on one thread. */
    private static final double GUESS = 150;

    private final List<Contender> contenders;
    private final List<String> jvmOptions;
    private final Pace pace;
    private final Listener listener;
    private final BooleanSupplier stopped;
    private final Map<String, String> descriptions = new LinkedHashMap<>();
    private final Map<String, String> unavailable = new LinkedHashMap<>();
    private final List<CellReport> reports = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();

    /** Hears how it gets on. */
    interface Listener {
        /** Something takes a while. */
        void begins(String what);

        /** A cell is done. */
        void measured(CellReport report, int cells, int of);
    }

    Comparison(
            List<Contender> contenders, List<String> jvmOptions, Pace pace, Listener listener,
            BooleanSupplier stopped) {
        this.contenders = contenders;
        this.jvmOptions = jvmOptions;
        this.pace = pace;
        this.listener = listener;
        this.stopped = stopped;
    }

    /** Measures the cells in about so many minutes; what does not fit is {@link #leftOut}. */
    void run(List<Cell> cells, double minutes) throws InterruptedException, IOException {
        long end = System.nanoTime() + (long) (60e9 * minutes);
        Path folder = Files.createTempDirectory("gru4j-bench");
        try {
            Map<Integer, List<Cell>> byThreads =
                    cells.stream().collect(Collectors.groupingBy(Cell::threads, TreeMap::new, Collectors.toList()));
            List<Cell> left = new ArrayList<>(byThreads.values().stream().flatMap(List::stream).toList());
            for (Map.Entry<Integer, List<Cell>> group : byThreads.entrySet()) {
                if (System.nanoTime() > end) {
                    group.getValue().forEach(this::leaveOut);
                    continue;
                }
                String cores = Processors.coresFor(group.getKey());
                listener.begins("starting the contenders for " + threads(group.getKey()));
                try (Team team = new Team(contenders, group.getKey(), jvmOptions, cores, folder, pace)) {
                    team.startAll();
                    descriptions.putAll(team.descriptions());
                    unavailable.putAll(team.unavailable());
                    for (Cell cell : group.getValue()) {
                        if (stopped.getAsBoolean()) {
                            return;
                        }
                        measure(team, cell, left, end, folder, cells.size());
                        left.removeFirst();
                    }
                }
            }
        } finally {
            remove(folder);
        }
    }

    private static String threads(int threads) {
        return threads == 1 ? "one thread" : threads + " threads";
    }

    private void measure(Team team, Cell cell, List<Cell> left, long end, Path folder, int all)
            throws InterruptedException, IOException {
        double seconds = (end - System.nanoTime()) / 1e9;
        if (seconds <= 0) {
            leaveOut(cell);
            return;
        }
        listener.begins(cell.toString());
        double least = left.stream().mapToDouble(this::leastSeconds).sum();
        double share = leastSeconds(cell) + Math.max(0, seconds - least) / left.size();
        try {
            new CellRun(team, cell, expectation(folder, cell.shape(), cell.variant()), pace, stopped)
                    .run(Math.min(share, seconds))
                    .ifPresent(report -> {
                        reports.add(report);
                        listener.measured(report, reports.size(), all);
                    });
        } catch (WorkerLostException e) {
            leftOut.add(cell + ": the machine's rates could not be measured, " + e.getMessage());
        }
    }

    private void leaveOut(Cell cell) {
        leftOut.add(cell + ": the time was used up");
    }

    private double leastSeconds(Cell cell) {
        double call = cell.flop() / (1e9 * GUESS * cell.threads());
        return contenders.size() * (OVERHEAD + LEAST_CALLS * call);
    }

    /** The reference's results for a shape, computed once, while nothing is timed. */
    private static Path expectation(Path folder, GruShape shape, GruVariant variant) throws IOException {
        Path file = folder.resolve(shape.toString().replace(' ', '-') + "-" + variant + ".safetensors");
        if (!Files.exists(file)) {
            Expectation.of(Problem.of(shape), variant).write(file);
        }
        return file;
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        Files.delete(folder);
    }

    /** What was measured, in the order of measuring. */
    List<CellReport> reports() {
        return reports;
    }

    /** Cells that were not measured, and why. */
    List<String> leftOut() {
        return leftOut;
    }

    /** What each contender says of itself. */
    Map<String, String> descriptions() {
        return descriptions;
    }

    /** Contenders that cannot run here, and why. */
    Map<String, String> unavailable() {
        return unavailable;
    }
}
