package dev.gru4j.benchmarks.comparison;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A process that runs one contender: {@code Worker NAME}. Reads {@link Request}s from standard input and answers each by
 * one {@link Reply} on file descriptor 3, which the driver has made of standard output: whatever libraries print goes to
 * standard error. Ends with its input.
 */
public final class Worker implements AutoCloseable {
    /** Contender that measures the machine and runs no layer. */
    static final String MACHINE = "machine";

    /** How long warming up, and how long waiting for threads that spin, look at the process before they judge it. */
    private static final double WATCH_SECONDS = 0.06;

    /** Where a call takes longer than this, the checked calls have been most of the warming up. */
    private static final double LONG_CALL_SECONDS = 0.25;

    private static final double MOST_SETTLING_SECONDS = 0.6;
    private static final long SETTLING_MILLIS = 4;

    /** A process whose threads used less of a processor than this is idle. */
    private static final double IDLE = 0.2;

    private final @Nullable Contender contender;
    private final Map<Integer, Lane> lanes = new HashMap<>();
    private final Map<String, Problem> problems = new HashMap<>();
    private final OperatingSystemMXBean process =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final @Nullable CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();

    /** A cell ready to run, and what it has to give. */
    private record Lane(Cell cell, Prepared prepared, Expectation expectation) {}

    Worker(@Nullable Contender contender) {
        this.contender = contender;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            throw new IllegalArgumentException(args.length + " arguments; the contender's name expected");
        }
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream replies = new PrintStream(new FileOutputStream("/dev/fd/3"), true, StandardCharsets.UTF_8);
        try (Worker worker = new Worker(args[0].equals(MACHINE) ? null : contender(args[0]))) {
            worker.serve(requests, replies);
        }
        // Libraries may have left threads behind.
        System.exit(0);
    }

    private static Contender contender(String name) {
        return ServiceLoader.load(Contender.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(c -> c.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no contender '" + name + "' on the class path"));
    }

    private void serve(BufferedReader requests, PrintStream replies) throws IOException {
        ObjectMapper json = new ObjectMapper();
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            replies.println(json.writeValueAsString(answer(json.readValue(line, Request.class))));
        }
    }

    /** A contender may fail in any way that Java knows: its cells are then lost, not the process. */
    Reply answer(Request request) {
        try {
            return switch (request.command()) {
                case HELLO -> hello();
                case CONFIGURATIONS -> configurations(cell(request));
                case PREPARE -> prepare(request);
                case SLICE -> slice(lane(request).prepared(), request.seconds());
                case FINISH -> finish(request.lane());
                case DROP -> drop(request.lane());
                case PEAK -> MachineRates.peak(request.threads(), request.seconds());
                case MACHINE -> MachineRates.machine(request.threads(), request.seconds(), request.bytes());
            };
        } catch (Exception | LinkageError | AssertionError | OutOfMemoryError e) {
            return Reply.text(false, String.valueOf(e instanceof IllegalStateException ? e.getMessage() : e));
        }
    }

    private Reply hello() {
        if (contender == null) {
            return Reply.text(true, "the machine");
        }
        return contender.unavailable().map(why -> Reply.text(false, why))
                .orElseGet(() -> Reply.text(true, contender.description()));
    }

    private Contender contender() {
        return Objects.requireNonNull(contender, "a worker that measures the machine runs no cells");
    }

    private static Cell cell(Request request) {
        return Objects.requireNonNull(request.cell(), "a request without its cell");
    }

    private Reply configurations(Cell cell) {
        return contender().refuses(cell).map(why -> Reply.text(false, why))
                .orElseGet(() -> Reply.names(contender().configurations(cell)));
    }

    /** Checks on the problem with its loss at some steps and rows, then makes the whole problem ready. */
    private Reply prepare(Request request) throws IOException {
        Cell cell = cell(request);
        String configuration = Objects.requireNonNull(request.configuration(), "a request without its configuration");
        String file = Objects.requireNonNull(request.file(), "a request without its file");
        Expectation expectation = Expectation.read(Path.of(file));
        Problem problem = problem(cell);
        String checked;
        double second;
        Problem some = problem.withLossAt(expectation.steps(), expectation.rows());
        try (Prepared prepared = contender().prepare(cell, configuration, some)) {
            // Twice: gradients must not be added to those of the call before.
            prepared.run();
            long start = System.nanoTime();
            prepared.run();
            second = (System.nanoTime() - start) / 1e9;
            checked = expectation.check(cell, prepared.results(), true);
        }
        Prepared prepared = contender().prepare(cell, configuration, problem);
        lanes.put(request.lane(), new Lane(cell, prepared, expectation));
        double call = warmUp(prepared, second, request.seconds());
        settle();
        return Reply.slice(checked, 1, call);
    }

    /** The problem of a shape; of the latest one only, since a large one holds hundreds of megabytes. */
    private Problem problem(Cell cell) {
        String name = cell.shape().toString();
        if (!problems.containsKey(name)) {
            problems.clear();
        }
        return problems.computeIfAbsent(name, _ -> Problem.of(cell.shape()));
    }

    /**
     * Runs until the JIT compiler has nothing left to do and calls have stopped becoming faster, but no longer than
     * that many seconds. On a single processor the compiler takes its time from the calls, which are then steady and
     * too slow: so its threads have to be at rest.
     *
     * @param before seconds of the latest call
     * @return seconds of a call at the end
     */
    private double warmUp(Prepared prepared, double before, double seconds) {
        long start = System.nanoTime();
        double best = before;
        int quiet = before > LONG_CALL_SECONDS ? 1 : 0;
        double call;
        do {
            long compiled = compiler == null ? 0 : compiler.getTotalCompilationTime();
            Duration compiling = ProcessorUse.ofCompiler();
            Reply watched = slice(prepared, WATCH_SECONDS);
            call = watched.seconds() / watched.calls();
            boolean isQuiet = (compiler == null || compiler.getTotalCompilationTime() == compiled)
                    && ProcessorUse.ofCompiler().equals(compiling)
                    && call <= 1.05 * best && call >= 0.95 * best;
            quiet = isQuiet ? quiet + 1 : 0;
            best = Math.min(best, call);
        } while (quiet < 2 && System.nanoTime() - start < 1e9 * seconds);
        return call;
    }

    private static Reply timed(Prepared prepared, double seconds) {
        long start = System.nanoTime();
        long calls = 0;
        long elapsed;
        do {
            prepared.run();
            calls++;
            elapsed = System.nanoTime() - start;
        } while (elapsed < 1e9 * seconds);
        return Reply.slice("", calls, elapsed / 1e9);
    }

    private Reply slice(Prepared prepared, double seconds) {
        Reply reply = timed(prepared, seconds);
        settle();
        return reply;
    }

    /** Waits until threads that spin for more work have gone to sleep: it is another contender's turn. */
    private void settle() {
        long start = System.nanoTime();
        try {
            double used;
            do {
                long cpu = process.getProcessCpuTime();
                long before = System.nanoTime();
                Thread.sleep(SETTLING_MILLIS);
                used = (double) (process.getProcessCpuTime() - cpu) / (System.nanoTime() - before);
            } while (used > IDLE && System.nanoTime() - start < 1e9 * MOST_SETTLING_SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Lane lane(Request request) {
        return Objects.requireNonNull(
                lanes.get(request.lane()),
                () -> "lane " + request.lane() + " was never prepared; there are "
                        + lanes.keySet().stream().map(String::valueOf).collect(Collectors.joining(", ")));
    }

    /** The states, and what else does not depend on where the loss is, must be those that were checked before. */
    private Reply finish(int number) {
        Lane lane = Objects.requireNonNull(lanes.remove(number), "a lane that was never prepared");
        try (Prepared prepared = lane.prepared()) {
            return Reply.text(true, lane.expectation().check(lane.cell(), prepared.results(), false));
        }
    }

    private Reply drop(int number) {
        Lane lane = lanes.remove(number);
        if (lane != null) {
            lane.prepared().close();
        }
        return Reply.text(true, "");
    }

    @Override
    public void close() {
        lanes.values().forEach(lane -> lane.prepared().close());
        lanes.clear();
        if (contender != null) {
            contender.close();
        }
    }
}
