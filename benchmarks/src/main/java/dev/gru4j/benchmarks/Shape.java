package dev.gru4j.benchmarks;

import dev.gru4j.GruShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Shapes as benchmarks name them: {@code T,B,I,H} in tables, {@code TxBxIxH} on JMH's command line, where a comma parts the
 * values of a parameter.
 */
public final class Shape {
    private Shape() {}

    /**
     * The shape that a parameter names.
     *
     * @throws IllegalArgumentException if the text is not four numbers
     */
    public static GruShape parse(String text) {
        String[] parts = text.split("[,x]", -1);
        if (parts.length != 4) {
            throw new IllegalArgumentException("shape is '" + text + "'; TxBxIxH expected, as in 64x64x256x512");
        }
        return new GruShape(
                Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]),
                Integer.parseInt(parts[3]));
    }

    /** The parameters that a {@code .shapes} file lists: four numbers a line, then {@code #} and the reason. */
    public static List<String> read(Path file) throws IOException {
        List<String> shapes = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            String numbers = line.replaceFirst("#.*", "").strip();
            if (!numbers.isEmpty()) {
                shapes.add(String.join(",", numbers.split("\\s+", -1)));
                parse(shapes.getLast());
            }
        }
        return shapes;
    }

    /** FLOP of one forward, the products only: 2·T·B·3H·(I + H); backward has twice as many. */
    public static double forwardFlop(GruShape shape) {
        return 2.0 * shape.T() * shape.B() * 3 * shape.H() * (shape.I() + shape.H());
    }
}
