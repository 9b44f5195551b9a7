package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruVariant;
import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.benchmarks.Machine;
import dev.gru4j.benchmarks.Shape;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One call of {@link dev.gru4j.Gru} or {@link dev.gru4j.GruTraining}, as the comparison makes it. At 1x1x1x1 nearly all
 * of it is what a call costs besides arithmetic: checks, locks, handing work to threads. With {@code -prof gc} it shows
 * what a call allocates.
 */
@State(Scope.Thread)
@BenchmarkMode(org.openjdk.jmh.annotations.Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LayerBenchmark {
    /** Which backend computes. */
    @Param("simd")
    public String backend = "";

    /** TxBxIxH. */
    @Param({"1x1x1x1", "64x64x256x512"})
    public String shape = "";

    /** {@code inference} or {@code training}. */
    @Param({"inference", "training"})
    public String mode = "";

    /** Threads of one call. */
    @Param({"1", "2"})
    public int threads;

    private @Nullable Prepared prepared;

    /** Makes the layer, checks it against the reference and says what will be measured. */
    @Setup(Level.Trial)
    public void prepare() {
        Cell cell = new Cell(
                Shape.parse(shape), GruVariant.RESET_AFTER, Mode.of(mode), threads, ProductPrecision.FP32);
        Contender contender = List.of(
                new Gru4jContender.Simd(), new Gru4jContender.Reference(), new Gru4jContender.Cuda())
                .stream()
                .filter(c -> c.name().equals(CellReport.OWN + backend))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "backend is '" + backend + "'; simd, reference or cuda expected"));
        Problem problem = Problem.of(cell.shape());
        Expectation expectation = Expectation.of(problem, cell.variant());
        Problem some = problem.withLossAt(expectation.steps(), expectation.rows());
        System.out.println();
        System.out.println("machine  " + Machine.description());
        System.out.println("backend  " + contender.description());
        try (Prepared checked = contender.prepare(cell, "default", some)) {
            checked.run();
            System.out.println("checked  " + expectation.check(cell, checked.results(), true));
        }
        prepared = contender.prepare(cell, "default", problem);
    }

    /** One call. */
    @Benchmark
    public void call() {
        open().run();
    }

    private Prepared open() {
        Prepared open = prepared;
        if (open == null) {
            throw new IllegalStateException("nothing was prepared");
        }
        return open;
    }

    /** Frees the layer. */
    @TearDown(Level.Trial)
    public void close() {
        open().close();
    }
}
