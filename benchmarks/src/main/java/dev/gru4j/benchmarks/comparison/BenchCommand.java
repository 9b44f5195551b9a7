package dev.gru4j.benchmarks.comparison;

import dev.gru4j.backend.Availability;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code gru4j bench}: measures backends and peers against one another. */
@Command(
        name = "gru4j bench",
        description = "Measures gru4j, and with --peers other libraries, on the same layers, weights and data.",
        mixinStandardHelpOptions = true,
        usageHelpAutoWidth = true,
        footer = {"", "-Dname=value anywhere on the line reaches the JVM that measures gru4j."})
public final class BenchCommand implements Callable<Integer> {
    private static final int FAILURE = 1;
    private static final int USAGE = 2;
    private static final int INTERRUPTED = 130;
    private static final String ALL = "all";

    private final PrintStream out;
    private final PrintStream err;
    private final boolean interactive;
    private final String line;
    private final Pace pace;

    @Mixin
    private final BenchOptions what = new BenchOptions();

    @Option(
            names = "--backends",
            split = ",",
            paramLabel = "NAME",
            description = "Of gru4j: simd, reference, cuda. Default: simd.")
    private List<String> backends = List.of("simd");

    @Option(
            names = "--peers",
            split = ",",
            arity = "0..1",
            fallbackValue = ALL,
            paramLabel = "NAME",
            description = "Other libraries too: these, or without names all. The first time downloads them.")
    private List<String> peers = List.of();

    @Option(
            names = "--compare",
            split = ",",
            paramLabel = "cpu,gpu",
            description = "Where the GPU starts to pay, over B, H and T, with and without copies over the bus.")
    private List<String> compare = List.of();

    @Option(
            names = "--minutes",
            paramLabel = "N",
            description = "About how long all may take; slices are cut to fit. Default: ${DEFAULT-VALUE}.")
    private double minutes = 18;

    @Option(names = "--out", paramLabel = "FOLDER", description = "Write tables, numbers and plots there.")
    private @Nullable Path folder;

    BenchCommand(PrintStream out, PrintStream err, boolean interactive, String line, Pace pace) {
        this.out = out;
        this.err = err;
        this.interactive = interactive;
        this.line = line;
        this.pace = pace;
    }

    /** Runs the command and ends the process. */
    public static void main(String[] arguments) {
        System.setProperty("java.awt.headless", "true"); // plots go to files, on servers too
        boolean interactive = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        System.exit(run(System.out, System.err, interactive, Pace.DEFAULT, arguments));
    }

    /** Runs the command and returns the exit status: 0, 1 for a failure, 2 for arguments that make no sense. */
    static int run(PrintStream out, PrintStream err, boolean interactive, Pace pace, String... arguments) {
        String line = "./gru4j bench " + String.join(" ", arguments);
        return new CommandLine(new BenchCommand(out, err, interactive, line.strip(), pace))
                .setOut(new PrintWriter(out, true, out.charset()))
                .setParameterExceptionHandler((e, _) -> usage(err, e))
                .setExecutionExceptionHandler((e, _, _) -> e instanceof IllegalArgumentException
                        ? usage(err, e)
                        : failure(err, e))
                .execute(arguments);
    }

    private static int usage(PrintStream err, Exception e) {
        err.println("gru4j: " + e.getMessage());
        err.println("Try './gru4j bench --help'.");
        return USAGE;
    }

    private static int failure(PrintStream err, Exception e) {
        err.println("gru4j: " + (e instanceof IllegalStateException ? e.getMessage() : e));
        return FAILURE;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        boolean comparesDevices = !compare.isEmpty();
        if (comparesDevices && !compare.equals(List.of("cpu", "gpu"))) {
            throw new IllegalArgumentException(
                    "compare is '" + String.join(",", compare) + "'; cpu,gpu expected");
        }
        if (!(minutes > 0)) {
            throw new IllegalArgumentException("minutes is " + minutes + "; more than 0 expected");
        }
        List<Contender> contenders = contenders(comparesDevices);
        List<Cell> cells = what.cells(home().resolve("benchmarks/shapes"), comparesDevices);
        Map<String, String> machine = MachineFacts.of(home(), line);
        long start = System.nanoTime();
        try (BenchInterruption interruption = new BenchInterruption()) {
            Comparison comparison;
            try (BenchProgress progress = new BenchProgress(err, interactive, cells.size())) {
                comparison = new Comparison(contenders, workerOptions(), pace, progress, interruption);
                comparison.run(cells, minutes);
            }
            ComparisonReport report = new ComparisonReport(
                    machine, comparison.descriptions(), comparison.unavailable(),
                    (System.nanoTime() - start) / 60e9, comparison.reports(), comparison.leftOut());
            tell(report, comparesDevices);
            return interruption.getAsBoolean() ? INTERRUPTED : report.measured().isEmpty() ? FAILURE : 0;
        }
    }

    private void tell(ComparisonReport report, boolean comparesDevices) throws IOException {
        ReportTables tables = new ReportTables(report);
        Crossover crossover = new Crossover(report);
        out.print(tables.text());
        String devices = comparesDevices ? "\n## Where the GPU starts to pay\n\n" + crossover.table() : "";
        out.print(devices);
        if (folder != null) {
            ReportFiles.write(folder, report);
            Files.writeString(folder.resolve("table.md"), tables.markdown() + devices);
            String why = new ReportPlots(report, crossover.note()).write(folder);
            if (!why.isEmpty()) {
                err.println(why);
            }
            out.println("written  " + folder);
        }
    }

    /** Where shapes are, and whose commit is measured: the launcher says it. */
    private static Path home() {
        String home = System.getProperty("gru4j.home", "");
        if (!home.isEmpty()) {
            return Path.of(home);
        }
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("benchmarks/shapes")) || here.getParent() == null
                ? here
                : here.getParent();
    }

    /** What the launcher or the user gave this JVM for gru4j: the workers get it too. */
    private static List<String> workerOptions() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("-Dgru4j.") || option.startsWith("-XX:"))
                .toList();
    }

    private List<Contender> contenders(boolean comparesDevices) {
        Map<String, Contender> known = new LinkedHashMap<>();
        ServiceLoader.load(Contender.class).forEach(c -> known.put(c.name(), c));
        List<Contender> result = new ArrayList<>();
        for (String backend : comparesDevices ? List.of("simd", "cuda", "cuda-resident") : backends) {
            result.add(chosen(known, "backend", CellReport.OWN, backend));
            requireAvailable(backend.equals("cuda-resident") ? "cuda" : backend);
        }
        List<String> others = known.keySet().stream().filter(name -> !name.startsWith(CellReport.OWN)).toList();
        if (!peers.isEmpty() && others.isEmpty()) {
            throw new IllegalStateException(
                    "--peers: no peers on the class path; ./gru4j bench --peers builds benchmarks/peers");
        }
        for (String peer : peers.equals(List.of(ALL)) ? others : peers) {
            result.add(chosen(known, "peer", "", peer));
        }
        return result;
    }

    private static Contender chosen(Map<String, Contender> known, String what, String prefix, String name) {
        Contender contender = known.get(prefix + name);
        boolean own = !prefix.isEmpty();
        if (contender == null || (!own && name.startsWith(CellReport.OWN))) {
            throw new IllegalArgumentException(
                    "unknown " + what + " '" + name + "'; known: "
                            + known.keySet().stream()
                                    .filter(n -> n.startsWith(CellReport.OWN) == own)
                                    .map(n -> n.substring(prefix.length()))
                                    .collect(Collectors.joining(", ")));
        }
        return contender;
    }

    /** Whom the user names must run; the reason now, and not after the others were measured. */
    private static void requireAvailable(String backend) {
        Availability availability = Backends.named(backend).availability(BackendOptions.DEFAULT);
        if (!availability.isAvailable()) {
            throw new IllegalStateException(
                    "backend '" + backend + "' was requested but is unavailable: " + availability);
        }
    }
}
