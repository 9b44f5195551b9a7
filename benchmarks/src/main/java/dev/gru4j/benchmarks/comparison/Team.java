package dev.gru4j.benchmarks.comparison;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The workers of one number of threads: one for each contender, and one that measures the machine. */
final class Team implements AutoCloseable {
    /** A contender whose process was lost that often is not started again. */
    private static final int MOST_STARTS = 3;

    private final List<Contender> contenders;
    private final int threads;
    private final List<String> jvmOptions;
    private final String cores;
    private final Path folder;
    private final Pace pace;
    private final Map<String, WorkerProcess> workers = new HashMap<>();
    private final Map<String, Integer> starts = new HashMap<>();
    private final Map<String, String> descriptions = new LinkedHashMap<>();
    private final Map<String, String> unavailable = new LinkedHashMap<>();

    /** Processor time of processes that have ended. */
    private Duration ended = Duration.ZERO;

    /**
     * Starts nothing yet.
     *
     * @param cores that the workers may use, as taskset takes them, or empty
     * @param folder for what the workers print
     */
    Team(List<Contender> contenders, int threads, List<String> jvmOptions, String cores, Path folder, Pace pace) {
        this.contenders = List.copyOf(contenders);
        this.threads = threads;
        this.jvmOptions = List.copyOf(jvmOptions);
        this.cores = cores;
        this.folder = folder;
        this.pace = pace;
    }

    int threads() {
        return threads;
    }

    List<String> names() {
        return contenders.stream().map(Contender::name).toList();
    }

    /** What each contender that could start says of itself. */
    Map<String, String> descriptions() {
        return descriptions;
    }

    /** Why each of the others cannot run here. */
    Map<String, String> unavailable() {
        return unavailable;
    }

    /** One question to a contender's worker, which is started if need be. */
    Reply ask(String contender, Request request, double seconds)
            throws WorkerLostException, InterruptedException, IOException {
        WorkerProcess worker = workers.get(contender);
        if (worker == null || !worker.isAlive()) {
            worker = start(contender);
        }
        try {
            return worker.ask(request, seconds);
        } catch (WorkerLostException e) {
            ended = ended.plus(worker.cpu());
            workers.remove(contender);
            worker.close();
            throw e;
        }
    }

    Reply askMachine(Request request, double seconds) throws WorkerLostException, InterruptedException, IOException {
        return ask(Worker.MACHINE, request, seconds);
    }

    private WorkerProcess start(String contender) throws WorkerLostException, InterruptedException, IOException {
        if (starts.merge(contender, 1, Integer::sum) > MOST_STARTS) {
            throw new WorkerLostException("its process was lost " + MOST_STARTS + " times and is not started again");
        }
        Map<String, String> environment = new HashMap<>();
        for (String name : List.of("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")) {
            environment.put(name, String.valueOf(threads));
        }
        List<String> options = jvmOptions;
        for (Contender known : contenders) {
            if (known.name().equals(contender)) {
                environment.putAll(known.environment(threads));
                options = Stream.concat(options.stream(), known.jvmOptions().stream()).toList();
            }
        }
        WorkerProcess worker = new WorkerProcess(
                contender, options, environment, cores, folder.resolve(contender + "-" + threads + ".log"));
        workers.put(contender, worker);
        try {
            Reply hello = worker.ask(Request.hello(), pace.start());
            (hello.ok() ? descriptions : unavailable).put(contender, hello.text());
        } catch (WorkerLostException e) {
            workers.remove(contender);
            worker.close();
            throw e;
        }
        return worker;
    }

    /** Starts the worker of every contender; those that cannot run here end again and are {@link #unavailable}. */
    void startAll() throws InterruptedException, IOException {
        for (String name : names()) {
            try {
                start(name);
            } catch (WorkerLostException e) {
                unavailable.put(name, String.valueOf(e.getMessage()));
            }
            if (unavailable.containsKey(name)) {
                WorkerProcess worker = workers.remove(name);
                if (worker != null) {
                    worker.close();
                }
            }
        }
        warmUpMachine();
    }

    /** Twice, so that the loops are compiled when they first count. */
    private void warmUpMachine() throws InterruptedException, IOException {
        try {
            for (int i = 0; i < 2; i++) {
                askMachine(Request.peak(threads, pace.machineWarmUp()), pace.patience());
                askMachine(Request.machine(threads, pace.machineWarmUp(), 1 << 20), pace.patience());
            }
        } catch (WorkerLostException e) {
            throw new IllegalStateException("the machine's rates cannot be measured: " + e.getMessage(), e);
        }
        descriptions.remove(Worker.MACHINE);
    }

    /** Processor time of this process and of all workers, ended ones included. */
    Duration cpu() {
        Duration sum = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).plus(ended);
        for (WorkerProcess worker : workers.values()) {
            sum = sum.plus(worker.cpu());
        }
        return sum;
    }

    @Override
    public void close() {
        workers.values().forEach(WorkerProcess::close);
        workers.clear();
    }
}
