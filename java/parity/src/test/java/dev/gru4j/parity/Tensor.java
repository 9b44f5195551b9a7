package dev.gru4j.parity;

import dev.gru4j.Gates;
import java.util.List;
import java.util.StringJoiner;

/**
 * Name and axes of a compared tensor, so that a miss can say where it is.
 *
 * @param name y, hT, dx, …, or PyTorch's name of the parameter whose gradient it is
 * @param axes outermost first, rightmost fastest
 */
record Tensor(String name, List<Axis> axes) {
    /** The axis of the gate blocks; its index is printed as a letter. */
    private static final String GATE = "gate";

    private static final List<String> GATE_LETTERS = List.of("r", "z", "n");

    /** One axis: its index letter and its size. */
    record Axis(String letter, int size) {}

    Tensor {
        axes = List.copyOf(axes);
    }

    /** Time-major (T,B,width), its last index called {@code letter}. */
    static Tensor sequence(String name, int T, int B, String letter, int width) {
        return new Tensor(name, List.of(new Axis("t", T), new Axis("b", B), new Axis(letter, width)));
    }

    /** (L·D,B,H); s counts states, direction fastest. */
    static Tensor states(String name, int states, int B, int H) {
        return new Tensor(name, List.of(new Axis("s", states), new Axis("b", B), new Axis("j", H)));
    }

    /** (3H,columns) as (gate, unit, column). */
    static Tensor gates(String name, int H, int columns) {
        return new Tensor(name, List.of(new Axis(GATE, Gates.COUNT), new Axis("j", H), new Axis("k", columns)));
    }

    /** (rows,columns) with index letters of the caller. */
    static Tensor matrix(String name, String row, int rows, String column, int columns) {
        return new Tensor(name, List.of(new Axis(row, rows), new Axis(column, columns)));
    }

    /** (n). */
    static Tensor vector(String name, String letter, int n) {
        return new Tensor(name, List.of(new Axis(letter, n)));
    }

    int length() {
        return axes.stream().mapToInt(Axis::size).reduce(1, Math::multiplyExact);
    }

    /** {@code (t=3, b=1, j=7)}. */
    String index(int flat) {
        int[] index = new int[axes.size()];
        int rest = flat;
        for (int a = axes.size() - 1; a >= 0; a--) {
            index[a] = rest % axes.get(a).size();
            rest /= axes.get(a).size();
        }
        StringJoiner text = new StringJoiner(", ", "(", ")");
        for (int a = 0; a < index.length; a++) {
            String letter = axes.get(a).letter();
            text.add(letter + "=" + (letter.equals(GATE) ? GATE_LETTERS.get(index[a]) : index[a]));
        }
        return text.toString();
    }

    /** Whether an element of a (T,B,…) tensor lies at or beyond its row's length; false for other tensors. */
    boolean isPadding(int flat, int[] lengths) {
        if (!axes.getFirst().letter().equals("t")) {
            return false;
        }
        int position = flat / axes.getLast().size();
        return position / lengths.length >= lengths[position % lengths.length];
    }
}
