package dev.gru4j.benchmarks.peers.openblas;

import dev.gru4j.GruShape;
import dev.gru4j.benchmarks.Machine;
import dev.gru4j.benchmarks.Shape;
import dev.gru4j.benchmarks.peers.NativeLibraries;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * GFLOP/s of OpenBLAS's sgemm on the matrix products of GRU layers: {@code ProductTimes SECONDS T,B,I,H…}. No cell, no
 * biases and no packed weights, so no GRU: what a GRU made of these products could reach at most.
 */
public final class ProductTimes {
    private static final int ROW_MAJOR = openblas_nolapack.CblasRowMajor;
    private static final int PLAIN = openblas_nolapack.CblasNoTrans;
    private static final int TRANSPOSED = openblas_nolapack.CblasTrans;

    private ProductTimes() {}

    /**
     * C (m,n) = A·B, k the length of the sums; row-major.
     *
     * @param name column of the table
     * @param transposeA A is held as (k,m)
     * @param transposeB B is held as (n,k)
     * @param calls of a GRU: 1 or T
     */
    record Product(String name, int m, int n, int k, boolean transposeA, boolean transposeB, int calls) {
        double flop() {
            return 2.0 * m * n * k * calls;
        }
    }

    public static void main(String[] args) {
        if (args.length < 2) {
            throw new IllegalArgumentException(args.length + " arguments; seconds a product, then T,B,I,H… expected");
        }
        try {
            double seconds = Double.parseDouble(args[0]);
            System.out.println(Machine.description() + "; OpenBLAS sgemm, GFLOP/s (products alone: no GRU)");
            boolean begun = false;
            for (String shape : List.of(args).subList(1, args.length)) {
                List<Product> products = products(Shape.parse(shape));
                if (!begun) {
                    System.out.println(row("T,B,I,H", products.stream().map(Product::name).toList()));
                    begun = true;
                }
                System.out.println(row(shape, products.stream().map(p -> rate(p, seconds)).toList()));
            }
        } catch (LinkageError e) {
            System.err.println("OpenBLAS: " + NativeLibraries.reason(e));
            System.exit(1);
        }
    }

    /** Those of forward, then those of backward. */
    static List<Product> products(GruShape s) {
        int all = Math.multiplyExact(s.T(), s.B());
        int gates = 3 * s.H();
        return List.of(
                new Product("projection", all, gates, s.I(), false, true, 1),
                new Product("recurrent", s.B(), gates, s.H(), false, true, s.T()),
                new Product("dh", s.B(), s.H(), gates, false, false, s.T()),
                new Product("dx", all, s.I(), gates, false, false, 1),
                new Product("dWeightIh", gates, s.I(), all, true, false, 1),
                new Product("dWeightHh", gates, s.H(), all, true, false, 1));
    }

    private static String row(String first, List<String> cells) {
        StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-18s", first));
        cells.forEach(cell -> row.append(String.format(Locale.ROOT, "%12s", cell)));
        return row.toString();
    }

    /** The median over the given time, which at least three calls fill. */
    private static String rate(Product p, double seconds) {
        try (PointerScope _ = new PointerScope()) {
            FloatPointer a = operand((long) p.m() * p.k());
            FloatPointer b = operand((long) p.k() * p.n());
            FloatPointer c = new FloatPointer((long) p.m() * p.n());
            List<Long> nanos = new ArrayList<>();
            long end = System.nanoTime() + (long) (seconds * 1e9);
            while (nanos.size() < 3 || System.nanoTime() < end) {
                long begin = System.nanoTime();
                for (int i = 0; i < p.calls(); i++) {
                    multiply(p, a, b, c);
                }
                nanos.add(System.nanoTime() - begin);
            }
            Collections.sort(nanos);
            return String.format(Locale.ROOT, "%.1f", p.flop() / nanos.get(nanos.size() / 2));
        }
    }

    /** Values of about 1, none of them denormal. */
    private static FloatPointer operand(long length) {
        FloatPointer operand = new FloatPointer(length);
        for (long i = 0; i < length; i++) {
            operand.put(i, 0.5f + (i % 1021) / 1021f);
        }
        return operand;
    }

    static void multiply(Product p, FloatPointer a, FloatPointer b, FloatPointer c) {
        openblas_nolapack.cblas_sgemm(
                ROW_MAJOR, p.transposeA() ? TRANSPOSED : PLAIN, p.transposeB() ? TRANSPOSED : PLAIN, p.m(), p.n(),
                p.k(), 1, a, p.transposeA() ? p.m() : p.k(), b, p.transposeB() ? p.k() : p.n(), 0, c, p.n());
    }
}
