package dev.gru4j.benchmarks;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.cuda.CudaTimer;
import org.jspecify.annotations.Nullable;

/**
 * The clock of single calls on one backend. On cuda it is the device's: an event before and one after each call, which
 * finds the device idle, so that the CPU's enqueueing is in the time as far as the device waits for it. On the CPU it is
 * the wall clock.
 */
final class CallTimer implements AutoCloseable {
    /** Of one warm-up and one measurement on a device: there are hundreds of them in a run. */
    private static final double DEVICE_SECONDS = 0.05;

    /** The same on the CPU, where the JIT compiler has to see the loops first. */
    private static final double CPU_SECONDS = 0.3;

    /** No fewer and no more calls than these. */
    private static final int MIN_CALLS = 3;
    private static final int MAX_CALLS = 100;

    private final GruBackend backend;
    private final @Nullable CudaTimer onDevice;

    private CallTimer(GruBackend backend, @Nullable CudaTimer onDevice) {
        this.backend = backend;
        this.onDevice = onDevice;
    }

    static CallTimer of(GruBackend backend) {
        return new CallTimer(backend, backend.name().equals("cuda") ? CudaTimer.of(backend) : null);
    }

    /** A time of the emulator says nothing about a GPU and must not be taken for one. */
    boolean isEmulated() {
        return backend.description().contains("emulated");
    }

    /** Microseconds of single calls, sorted. On the emulator as few as show that it works. */
    double[] sample(Runnable call) {
        double seconds = isEmulated() ? 0 : onDevice != null ? DEVICE_SECONDS : CPU_SECONDS;
        long start = System.nanoTime();
        // Until buffers are known and the JIT compiler has seen what it needs; the last one tells how many calls fit.
        one(call);
        double once;
        do {
            once = one(call);
        } while (System.nanoTime() - start < 1e9 * seconds);
        int calls = (int) Math.clamp(1e6 * seconds / once, MIN_CALLS, MAX_CALLS);
        double[] times = new double[calls];
        for (int i = 0; i < calls; i++) {
            times[i] = one(call);
        }
        return Measures.sorted(times);
    }

    private double one(Runnable call) {
        if (onDevice != null) {
            onDevice.start();
            call.run();
            onDevice.stop();
            return onDevice.microseconds();
        }
        long start = System.nanoTime();
        call.run();
        backend.synchronize();
        return (System.nanoTime() - start) / 1e3;
    }

    /** Prints the price of one launch from Java: of the smallest kernel there is, enqueued a thousand times in a row. */
    static void launches(GruBackend backend) {
        int launches = 1000;
        try (FloatMemory one = backend.allocate(1);
                FloatMemory two = backend.allocate(1);
                CudaTimer timer = CudaTimer.of(backend)) {
            Runnable launch = () -> backend.trainingKernels().sgd(one, two, null, 1, 0, 0);
            double[] enqueue = new double[5];
            double[] device = new double[5];
            for (int i = -2; i < device.length; i++) {
                backend.synchronize();
                timer.start();
                long start = System.nanoTime();
                for (int k = 0; k < launches; k++) {
                    launch.run();
                }
                double host = (System.nanoTime() - start) / 1e3 / launches;
                timer.stop();
                double onDevice = timer.microseconds() / launches;
                if (i >= 0) {
                    enqueue[i] = host;
                    device[i] = onDevice;
                }
            }
            fact("launch from Java, enqueueing", Measures.quantile(0.5, Measures.sorted(enqueue)));
            fact("launch from Java, on the device", Measures.quantile(0.5, Measures.sorted(device)));
        }
    }

    private static void fact(String name, double microseconds) {
        Measures.print("kind", "fact", "name", name, "value", Measures.number(microseconds), "unit", "us");
    }

    @Override
    public void close() {
        if (onDevice != null) {
            onDevice.close();
        }
    }
}
