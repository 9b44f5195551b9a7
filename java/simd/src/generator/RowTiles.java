import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Writes the products of a single row: tiles of panels × vectors × parts, which read every weight once and so are
 * bound by the memory that holds the weights, not by multiply-adds.
 *
 * <p>A panel is a stream of its own in memory. Several short streams side by side come out of the L2 cache up to 1.6
 * times faster than a single one, which is why panels are narrow here and why a tile takes up to six at once. Twelve
 * accumulators also hide the latency of a multiply-add, for which eight would do.
 */
final class RowTiles {
    /** Panels × vectors × parts: panels of 2 vectors, then of 1. */
    private static final int[][] TILES = {
        {6, 2, 1}, {4, 2, 1}, {3, 2, 1}, {2, 2, 1}, {1, 2, 1}, {3, 2, 2}, {2, 2, 2}, {1, 2, 2}, {2, 2, 3}, {1, 2, 3},
        {6, 1, 1}, {4, 1, 1}, {3, 1, 1}, {2, 1, 1}, {1, 1, 1}, {3, 1, 2}, {2, 1, 2}, {1, 1, 2}, {2, 1, 3}, {1, 1, 3},
    };

    private RowTiles() {}

    static String text(int lanes) {
        StringBuilder out = new StringBuilder();
        for (int[] tile : TILES) {
            out.append(tile(tile[0], tile[1], tile[2], lanes));
        }
        return out.toString();
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
        for (int p = 0; p < panels; p++) {
            for (int g = 0; g < parts; g++) {
                lines.add(
                        "    final long w" + p + g + " = wo + " + p + " * stride + " + (long) g * rowBytes + "L * K;");
                for (int v = 0; v < vectors; v++) {
                    lines.add("    FloatVector c" + p + v + g + " = FloatVector.zero(SPECIES);");
                }
            }
        }
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
        lines.add("}");
        lines.add("");
        return lines.stream().map(l -> l.isEmpty() ? "\n" : "    " + l + "\n").collect(Collectors.joining());
    }
}
