package dev.gru4j.benchmarks.comparison;

import dev.gru4j.GruShape;
import org.jspecify.annotations.Nullable;

/**
 * What the machine did while a cell was measured, all threads of the cell together.
 *
 * @param peak GFLOP/s of fused multiply-adds, median of one turn in each round
 * @param sigmoid elements/ns of the simd backend
 * @param tanh elements/ns of the simd backend
 * @param read GB/s of reading as many bytes again and again as a thread's part of the recurrent weights has
 * @param rounds that count
 * @param repeated rounds that were measured again, because other processes used the processors
 * @param others largest share of one processor that others used in a round that counts
 * @param disturbed whether that was noticeable in too many rounds, so that the disturbed ones had to count
 * @param gigahertz clock frequency, where the machine tells
 */
public record Conditions(
        double peak,
        double sigmoid,
        double tanh,
        double read,
        int rounds,
        int repeated,
        double others,
        boolean disturbed,
        @Nullable Double gigahertz) {
    /**
     * Microseconds that a call cannot be faster than, by the rates of this machine: the products that take all steps at
     * once at the peak; the recurrent product of a step either at the peak or as fast as its weights can be read,
     * whichever takes longer; two σ and one tanh for each unit, row and step. Backward's own gate arithmetic has no
     * activations and is not counted.
     */
    public double floor(Cell cell) {
        GruShape shape = cell.shape();
        double weights = 3.0 * shape.H() * shape.H();
        double recurrentFlop = 2 * shape.B() * weights;
        double step = Math.max(recurrentFlop / peak, Float.BYTES * weights / read);
        // Forward has one recurrent product a step, backward another one.
        int products = cell.mode() == Mode.TRAINING ? 2 : 1;
        double rest = cell.flop() - products * shape.T() * recurrentFlop;
        double units = (double) shape.T() * shape.B() * shape.H();
        return (rest / peak + products * shape.T() * step + units * (2 / sigmoid + 1 / tanh)) / 1e3;
    }

    /** Bytes of the recurrent weights that each thread reads in a step. */
    static long weightBytes(Cell cell) {
        long H = cell.shape().H();
        return Math.ceilDiv(3 * H * H * Float.BYTES, cell.threads());
    }
}
