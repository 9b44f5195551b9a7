package dev.gru4j.benchmarks;

import java.util.concurrent.TimeUnit;
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
 * Whole sequences through one reset-after layer with two biases: time per sequence, that is per call of
 * T steps on B rows. The state checks the plan against the reference before anything is timed.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class GruBenchmark {
    /** Which backend computes. */
    @Param({"simd", "reference"})
    public String backend = "";

    /** T,B,I,H. */
    @Param("64x64x256x512")
    public String shape = "";

    /** Threads of one call. */
    @Param("1")
    public int threads;

    /** Width of the vectors in bits; 0: the widest. */
    @Param("0")
    public int bits;

    private GruProblem inference = GruProblem.NONE;
    private GruProblem training = GruProblem.NONE;

    /** Makes both plans, checks them and says what will be measured. */
    @Setup(Level.Trial)
    public void prepare() {
        inference = GruProblem.inference(backend, Shape.parse(shape), threads, bits);
        training = GruProblem.training(backend, Shape.parse(shape), threads, bits);
        System.out.println();
        System.out.println("machine  " + Machine.description());
        System.out.println("backend  " + inference.backendDescription());
        System.out.println("plan     " + training.planDescription());
        System.out.println("checked  " + inference.verify());
        System.out.println("checked  " + training.verify());
    }

    /** Frees the plans. */
    @TearDown(Level.Trial)
    public void close() {
        inference.close();
        training.close();
    }

    /** Forward of an inference plan. */
    @Benchmark
    public void inference() {
        inference.forward();
    }

    /** Forward of a training plan, which keeps the reserve. */
    @Benchmark
    public void trainingForward() {
        training.forward();
    }

    /** Backward: dx, dh0 and the gradients of all parameters. */
    @Benchmark
    public void backward() {
        training.backward();
    }

    /** Forward and backward. */
    @Benchmark
    public void training() {
        training.forward();
        training.backward();
    }

    /** New parameters into the form that the kernels read: once per training step. */
    @Benchmark
    public void loadParameters() {
        training.loadParameters();
    }
}
