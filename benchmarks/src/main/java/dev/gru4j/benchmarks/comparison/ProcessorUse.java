package dev.gru4j.benchmarks.comparison;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Who used the processors: time that was not idle on the whole machine against that of our own processes. A neighbour on
 * the host shows as stolen time, where the hypervisor tells.
 */
final class ProcessorUse {
    private static final Path STAT = Path.of("/proc/stat");

    /** {@code /proc} counts in these, whatever the kernel's own clock. */
    private static final Duration TICK = Duration.ofMillis(10);

    /** user, nice, system, idle, iowait, irq, softirq, steal. */
    private static final int COLUMNS = 8;
    private static final int IDLE = 3;
    private static final int IOWAIT = 4;

    private static final Path THREADS = Path.of("/proc/self/task");

    /** How Linux knows the threads "C1 CompilerThread0" and "C2 CompilerThread0": 15 letters are all it keeps. */
    private static final String COMPILER = " CompilerThre";

    /** Column of the user time of a thread, behind its name; the system time follows. */
    private static final int USER = 11;

    private ProcessorUse() {}

    /** Processor time of all processes since the machine's start; absent where {@code /proc/stat} is not. */
    static Optional<Duration> ofMachine() {
        if (!Files.isReadable(STAT)) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse(Files.readAllLines(STAT).getFirst()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Busy time in the line {@code cpu  user nice system idle iowait irq softirq steal …}. */
    static Duration parse(String line) {
        String[] columns = line.strip().split("\\s+", -1);
        long ticks = 0;
        for (int i = 0; i < Math.min(COLUMNS, columns.length - 1); i++) {
            if (i != IDLE && i != IOWAIT) {
                ticks += Long.parseLong(columns[i + 1]);
            }
        }
        return TICK.multipliedBy(ticks);
    }

    /**
     * Processor time of this JVM's JIT compilers so far, compilations under way included; zero where {@code /proc} is
     * not.
     */
    static Duration ofCompiler() {
        long ticks = 0;
        try (Stream<Path> threads = Files.list(THREADS)) {
            for (Path thread : threads.toList()) {
                ticks += compilerTicks(thread.resolve("stat"));
            }
        } catch (IOException e) {
            return Duration.ZERO;
        }
        return TICK.multipliedBy(ticks);
    }

    private static long compilerTicks(Path stat) {
        try {
            return compilerTicks(Files.readString(stat));
        } catch (IOException e) {
            // The thread has ended meanwhile.
            return 0;
        }
    }

    /** User and system time of a thread's line {@code id (name) state …}; 0 if it is none of the compilers'. */
    static long compilerTicks(String line) {
        int name = line.lastIndexOf(')');
        if (!line.substring(0, name + 1).contains(COMPILER)) {
            return 0;
        }
        String[] columns = line.substring(name + 1).strip().split("\\s+", -1);
        return Long.parseLong(columns[USER]) + Long.parseLong(columns[USER + 1]);
    }

    /**
     * Share of one processor that others used meanwhile. Two ticks of each account are forgiven, since an account may be
     * behind by one at either end.
     */
    static double share(Duration machine, Duration own, double seconds) {
        double others = machine.minus(own).minus(TICK.multipliedBy(2)).toNanos() / 1e9;
        return Math.max(0, others / seconds);
    }

    /** Clock frequency of the first processor in GHz, where the kernel tells the present one. */
    static Optional<Double> gigahertz() {
        try {
            String kilohertz = Files.readString(Path.of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"));
            return Optional.of(Double.parseDouble(kilohertz.strip()) / 1e6);
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }
}
