import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Writes the products of a single row: tiles of panels × vectors × parts, which read every weight once and so are
 * bound by the memory that holds the weights, not by multiply-adds.
 *
 * <p>A panel is a stream of its own in memory. Several narrow streams side by side come out of the L2 cache up to 1.6
 * times faster than a single one, which is why a tile takes several panels at once. Twelve accumulators also hide the
 * latency of a multiply-add, for which eight would do.
 */
final class RowTiles {
    /** Panels × vectors × parts, of weights in fp32 and of pairs in bf16 alike. */
    private static final int[][] TILES = {
        {6, 2, 1}, {4, 2, 1}, {3, 2, 1}, {2, 2, 1}, {1, 2, 1}, {3, 2, 2}, {2, 2, 2}, {1, 2, 2}, {2, 2, 3}, {1, 2, 3},
        {6, 1, 1}, {4, 1, 1}, {3, 1, 1}, {2, 1, 1}, {1, 1, 1}, {3, 1, 2}, {2, 1, 2}, {1, 1, 2}, {2, 1, 3}, {1, 1, 3},
        {4, 3, 1}, {2, 3, 1}, {1, 3, 1}, {2, 3, 2}, {1, 3, 2}, {1, 3, 3},
    };

    /** Of the largest tile. */
    private static final int MOST_PANELS = 6;

    private RowTiles() {}

    /** All tiles and the choice among them. */
    static String text(int lanes) {
        return choice("tile", "row")
                + Arrays.stream(TILES).map(t -> tile(t[0], t[1], t[2], lanes)).collect(Collectors.joining())
                + choice("pairTile", "pair")
                + Arrays.stream(TILES).map(t -> pairTile(t[0], t[1], t[2], lanes)).collect(Collectors.joining());
    }

    /** A method that runs the largest tile of no more than so many panels and returns its panels. */
    private static String choice(String name, String tile) {
        List<String> lines = new ArrayList<>();
        lines.add("/** Runs the largest tile of up to {@code panels} panels; returns how many it took. */");
        lines.add("private static int " + name + "(");
        lines.add(
                "        int vectors, int panels, int parts, float[] a, int ao, MemorySegment w, long wo, long stride,");
        lines.add("        int K, float[] init, int io, float[] c, int co) {");
        lines.add("    switch (1000 * vectors + 100 * parts + Math.min(panels, " + MOST_PANELS + ")) {");
        for (int vectors = 1; vectors <= 3; vectors++) {
            for (int parts = 1; parts <= 3; parts++) {
                int v = vectors;
                int g = parts;
                for (int panels = MOST_PANELS; panels >= 1; panels--) {
                    int most = panels;
                    int taken = Arrays.stream(TILES)
                            .filter(t -> t[1] == v && t[2] == g && t[0] <= most)
                            .mapToInt(t -> t[0])
                            .max()
                            .orElseThrow();
                    lines.add("        case " + (1000 * v + 100 * g + panels) + " -> {");
                    lines.add("            " + tile + taken + "x" + v + "x" + g
                            + "(a, ao, w, wo, stride, K, init, io, c, co);");
                    lines.add("            return " + taken + ";");
                    lines.add("        }");
                }
            }
        }
        lines.add("        default -> throw new IllegalArgumentException(");
        lines.add("                \"no tile has \" + vectors + \" vectors in \" + parts + \" parts\");");
        lines.add("    }");
        lines.add("}");
        lines.add("");
        return joined(lines);
    }

    /** c[p,:] = init[p,:] + (Σ_k of part 0 + Σ_k of part 1 + …), each part a chain of its own. */
    private static String tile(int panels, int vectors, int parts, int lanes) {
        int rowBytes = Float.BYTES * vectors * lanes;
        List<String> lines = new ArrayList<>();
        lines.add("private static void row" + panels + "x" + vectors + "x" + parts + "(");
        lines.add("        float[] a, int ao, MemorySegment w, long wo, long stride, int K,");
        lines.add("        float[] init, int io, float[] c, int co) {");
        for (int g = 1; g < parts; g++) {
            lines.add("    final int a" + g + " = ao + " + g + " * K;");
        }
        lines.addAll(starts(panels, vectors, parts, g -> g * rowBytes + "L * K"));
        lines.add("    for (int k = 0; k < K; k++) {");
        lines.add("        long o = (long) k * " + rowBytes + ";");
        for (int g = 0; g < parts; g++) {
            lines.add("        FloatVector x" + g + " = FloatVector.broadcast(SPECIES, a[" + (g == 0 ? "ao" : "a" + g)
                    + " + k]);");
        }
        for (int p = 0; p < panels; p++) {
            for (int g = 0; g < parts; g++) {
                for (int v = 0; v < vectors; v++) {
                    String sum = "c" + p + v + g;
                    lines.add("        " + sum + " = x" + g + ".fma(FloatVector.fromMemorySegment(SPECIES, w, w" + p + g
                            + " + o" + (v == 0 ? "" : " + " + Float.BYTES * v * lanes) + ", NATIVE), " + sum + ");");
                }
            }
        }
        lines.add("    }");
        lines.addAll(ends(panels, vectors, parts, lanes));
        lines.add("}");
        lines.add("");
        return joined(lines);
    }

    /** The same of weights in bf16: rows k and k + 1 of a panel lie in the halves of its ints, K is rounded up to even. */
    private static String pairTile(int panels, int vectors, int parts, int lanes) {
        int rowBytes = Integer.BYTES * vectors * lanes;
        List<String> lines = new ArrayList<>();
        lines.add("private static void pair" + panels + "x" + vectors + "x" + parts + "(");
        lines.add("        float[] a, int ao, MemorySegment w, long wo, long stride, int K,");
        lines.add("        float[] init, int io, float[] c, int co) {");
        lines.add("    final IntVector high = IntVector.broadcast(INTS, 0xffff_0000);");
        lines.add("    final int pairs = (K + 1) / 2;");
        for (int g = 1; g < parts; g++) {
            lines.add("    final int a" + g + " = ao + " + g + " * K;");
        }
        lines.addAll(starts(panels, vectors, parts, g -> g * rowBytes + "L * pairs"));
        lines.add("    for (int k = 0; k < pairs; k++) {");
        lines.add("        long o = (long) k * " + rowBytes + ";");
        for (int g = 0; g < parts; g++) {
            String at = (g == 0 ? "ao" : "a" + g) + " + 2 * k";
            lines.add("        FloatVector x" + g + " = FloatVector.broadcast(SPECIES, a[" + at + "]);");
            lines.add("        FloatVector y" + g + " = FloatVector.broadcast(SPECIES, a[" + at + " + 1]);");
        }
        for (int p = 0; p < panels; p++) {
            for (int g = 0; g < parts; g++) {
                for (int v = 0; v < vectors; v++) {
                    String sum = "c" + p + v + g;
                    String pair = "b" + p + v + g;
                    lines.add("        IntVector " + pair + " = IntVector.fromMemorySegment(INTS, w, w" + p + g + " + o"
                            + (v == 0 ? "" : " + " + Integer.BYTES * v * lanes) + ", NATIVE);");
                    lines.add("        " + sum + " = x" + g + ".fma(" + pair
                            + ".lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), " + sum + ");");
                    lines.add(
                            "        " + sum + " = y" + g + ".fma(" + pair + ".and(high).reinterpretAsFloats(), " + sum
                                    + ");");
                }
            }
        }
        lines.add("    }");
        lines.addAll(ends(panels, vectors, parts, lanes));
        lines.add("}");
        lines.add("");
        return joined(lines);
    }

    /** Where every part of every panel starts, and its sums. */
    private static List<String> starts(
            int panels, int vectors, int parts, IntFunction<String> partOffset) {
        List<String> lines = new ArrayList<>();
        for (int p = 0; p < panels; p++) {
            for (int g = 0; g < parts; g++) {
                lines.add("    final long w" + p + g + " = wo"
                        + (p == 0 ? "" : " + " + p + " * stride")
                        + (g == 0 ? "" : " + " + partOffset.apply(g)) + ";");
                for (int v = 0; v < vectors; v++) {
                    lines.add("    FloatVector c" + p + v + g + " = FloatVector.zero(SPECIES);");
                }
            }
        }
        return lines;
    }

    /** The parts are added in their order, then the start. */
    private static List<String> ends(int panels, int vectors, int parts, int lanes) {
        List<String> lines = new ArrayList<>();
        for (int p = 0; p < panels; p++) {
            for (int v = 0; v < vectors; v++) {
                StringBuilder sum = new StringBuilder("c" + p + v + "0");
                for (int g = 1; g < parts; g++) {
                    sum.append(".add(c").append(p).append(v).append(g).append(")");
                }
                int at = (p * vectors + v) * lanes;
                lines.add("    " + sum + ".add(FloatVector.fromArray(SPECIES, init, io + " + at + "))");
                lines.add("            .intoArray(c, co + " + at + ");");
            }
        }
        return lines;
    }

    private static String joined(List<String> lines) {
        return lines.stream().map(l -> l.isEmpty() ? "\n" : "    " + l + "\n").collect(Collectors.joining());
    }
}
