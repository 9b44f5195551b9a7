package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import dev.gru4j.backend.BackendOptions;
import dev.gru4j.backend.Backends;
import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.GruBackend;
import dev.gru4j.backend.TrainingKernels;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The parts of a GRU one at a time, through the public kernels: the input projection as a dense forward
 * of T·B rows from I to 3H, the weight gradient as a dense backward, the recurrent loop as a GRU with one
 * input feature, and the optimizer step.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StageBenchmark {
    /** Which backend computes. */
    @Param("simd")
    public String backend = "";

    /** T,B,I,H. */
    @Param("64x64x256x512")
    public String shape = "";

    /** Threads of one call. */
    @Param("1")
    public int threads;

    private @Nullable GruBackend opened;
    private int n;
    private int in;
    private int out;
    private FloatMemory[] memories = {};
    private GruProblem recurrent = GruProblem.NONE;

    /** Makes the inputs; the recurrent loop is checked against the reference. */
    @Setup(Level.Trial)
    public void prepare() {
        GruShape s = Shape.parse(shape);
        GruBackend made = Backends.open(backend, new BackendOptions(threads, 0));
        opened = made;
        n = s.T() * s.B();
        in = s.I();
        out = 3 * s.H();
        long weights = (long) in * out;
        long[] lengths = {(long) n * in, weights, out, (long) n * out, (long) n * in, weights, out, weights, weights};
        memories = new FloatMemory[lengths.length];
        Random random = new Random(42);
        for (int i = 0; i < lengths.length; i++) {
            memories[i] = made.allocate(lengths[i]);
            float[] values = new float[Math.toIntExact(lengths[i])];
            for (int j = 0; j < values.length; j++) {
                values[j] = random.nextFloat() - 0.5f;
            }
            memories[i].upload(values);
        }
        // Adam's second moment is a sum of squares.
        memories[8].fill(0.1f);
        recurrent = GruProblem.training(backend, new GruShape(s.T(), s.B(), 1, s.H()), threads, 0);
        System.out.println();
        System.out.println("machine  " + Machine.description());
        System.out.println("backend  " + made.description());
        System.out.println("checked  " + recurrent.verify());
    }

    /** Frees everything. */
    @TearDown(Level.Trial)
    public void close() {
        recurrent.close();
        for (FloatMemory memory : memories) {
            memory.close();
        }
        if (opened != null) {
            opened.close();
        }
    }

    private TrainingKernels kernels() {
        if (opened == null) {
            throw new IllegalStateException("no backend was opened");
        }
        return opened.trainingKernels();
    }

    /** (T·B,I)·(I,3H) plus bias, packing the weights included: 2·T·B·I·3H FLOP. */
    @Benchmark
    public void projection() {
        kernels().denseForward(memories[0], memories[1], memories[2], n, in, out, memories[3]);
    }

    /** Gradients of input, weights and bias of {@link #projection}: 4·T·B·I·3H FLOP. */
    @Benchmark
    public void projectionBackward() {
        kernels().denseBackward(
                memories[0], memories[1], memories[3], n, in, out, memories[4], memories[5], memories[6], false);
    }

    /** T steps of recurrent product and cell: 2·T·B·3H·H FLOP. */
    @Benchmark
    public void recurrentForward() {
        recurrent.forward();
    }

    /** The way back, with the weight gradients: 4·T·B·3H·H FLOP. */
    @Benchmark
    public void recurrentBackward() {
        recurrent.backward();
    }

    /** One Adam step on 3H·I parameters: reads 16 bytes and writes 12 for each. */
    @Benchmark
    public void adam() {
        TrainingKernels.Adam options = new TrainingKernels.Adam(1e-4f, 0.9f, 0.999f, 1e-8f, 0f, 1);
        kernels().adam(memories[1], memories[5], memories[7], memories[8], (long) in * out, options);
    }
}
