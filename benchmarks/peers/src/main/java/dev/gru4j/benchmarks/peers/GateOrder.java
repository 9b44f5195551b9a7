package dev.gru4j.benchmarks.peers;

import static dev.gru4j.Gates.CANDIDATE;
import static dev.gru4j.Gates.RESET;
import static dev.gru4j.Gates.UPDATE;

/** The order of the gates in a library's weights, and the way there and back from ours: reset, update, candidate. */
public enum GateOrder {
    /** PyTorch, and ours. */
    RESET_UPDATE_CANDIDATE(RESET, UPDATE, CANDIDATE),

    /** oneDNN's u, r, o and ONNX's z, r, h. */
    UPDATE_RESET_CANDIDATE(UPDATE, RESET, CANDIDATE);

    @SuppressWarnings("ImmutableEnumChecker") // Written once, by the constructor.
    private final int[] gates;

    GateOrder(int... gates) {
        this.gates = gates;
    }

    /**
     * Blocks of gates in this order.
     *
     * @param ours (3H,columns) in our order
     * @return (3H,columns) in this order
     */
    public float[] fromOurs(float[] ours) {
        float[] theirs = new float[ours.length];
        int block = ours.length / gates.length;
        for (int i = 0; i < gates.length; i++) {
            System.arraycopy(ours, gates[i] * block, theirs, i * block, block);
        }
        return theirs;
    }

    /** The way back from {@link #fromOurs}. */
    public float[] toOurs(float[] theirs) {
        float[] ours = new float[theirs.length];
        int block = theirs.length / gates.length;
        for (int i = 0; i < gates.length; i++) {
            System.arraycopy(theirs, i * block, ours, gates[i] * block, block);
        }
        return ours;
    }

    /**
     * The transpose, row-major.
     *
     * @param matrix (rows, matrix.length / rows)
     * @return (matrix.length / rows, rows)
     */
    public static float[] transpose(float[] matrix, int rows) {
        int columns = matrix.length / rows;
        float[] transposed = new float[matrix.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                transposed[c * rows + r] = matrix[r * columns + c];
            }
        }
        return transposed;
    }
}
