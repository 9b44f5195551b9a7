package dev.gru4j.benchmarks.comparison;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The driver's end of a {@link Worker}. */
final class WorkerProcess implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Ctrl-C at a terminal reaches every process there: workers leave it to the driver, who closes their input. */
    private static final String SHELL = "trap '' INT; exec \"$@\" 3>&1 1>&2";

    private static final int ERROR_LINES = 3;
    private static final long GOODBYE_SECONDS = 2;

    private final Process process;
    private final Path errors;
    private final BufferedWriter requests;
    private final LinkedBlockingQueue<Optional<String>> replies = new LinkedBlockingQueue<>();

    /**
     * Starts a worker.
     *
     * @param contender its name
     * @param jvmOptions beside those that find the classes
     * @param environment variables beside the driver's own
     * @param cores list of processors as taskset takes it, or empty: any
     * @param errors receives what the process prints
     */
    WorkerProcess(
            String contender, List<String> jvmOptions, Map<String, String> environment, String cores, Path errors)
            throws IOException {
        this.errors = errors;
        List<String> command = new ArrayList<>(List.of("sh", "-c", SHELL, "sh"));
        if (!cores.isEmpty()) {
            command.addAll(List.of("taskset", "-c", cores));
        }
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                        System.getProperty("java.class.path")));
        command.addAll(jvmOptions);
        command.addAll(List.of(Worker.class.getName(), contender));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().putAll(environment);
        process = builder.start();
        requests = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        Thread reader = new Thread(this::read, "gru4j-bench-" + contender);
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                replies.add(Optional.of(line));
            }
        } catch (IOException e) {
            // The process has ended, which the next line says.
        }
        replies.add(Optional.empty());
    }

    /**
     * One question and its answer.
     *
     * @throws WorkerLostException if the process died or has not answered in time; it is gone then
     */
    Reply ask(Request request, double seconds) throws WorkerLostException, InterruptedException {
        try {
            requests.write(JSON.writeValueAsString(request));
            requests.newLine();
            requests.flush();
        } catch (IOException e) {
            throw lost("died before " + describe(request));
        }
        Optional<String> line = replies.poll((long) (1000 * seconds), TimeUnit.MILLISECONDS);
        if (line == null) {
            throw lost(
                    String.format(Locale.ROOT, "did not answer within %.0f s during %s", seconds, describe(request)));
        }
        if (line.isEmpty()) {
            throw lost("died during " + describe(request));
        }
        try {
            return JSON.readValue(line.get(), Reply.class);
        } catch (JsonProcessingException e) {
            throw lost("answered '" + line.get() + "' during " + describe(request));
        }
    }

    private static String describe(Request request) {
        return request.command().name().toLowerCase(Locale.ROOT);
    }

    private WorkerLostException lost(String what) throws WorkerLostException {
        StringBuilder text = new StringBuilder("its process ").append(what);
        try {
            // One that died has its status at once; one that hangs has none.
            if (process.waitFor(GOODBYE_SECONDS / 2, TimeUnit.SECONDS)) {
                text.append(", exit status ").append(process.exitValue());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        List<String> said = lastErrors();
        return new WorkerLostException(said.isEmpty() ? text.toString() : text + ": " + String.join(" / ", said));
    }

    private List<String> lastErrors() {
        try (var lines = Files.lines(errors)) {
            List<String> all = lines.filter(l -> !l.isBlank() && !l.contains("incubator module")).toList();
            return all.subList(Math.max(0, all.size() - ERROR_LINES), all.size());
        } catch (IOException | UncheckedIOException e) {
            // It printed nothing, or not text: the message does without.
            return List.of();
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Processor time of the process so far. */
    Duration cpu() {
        return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Ends the process: politely by the end of its input, then by force. */
    @Override
    public void close() {
        try {
            requests.close();
        } catch (IOException e) {
            // It is dead already.
        }
        try {
            process.waitFor(GOODBYE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
    }
}
