package dev.gru4j.simd;

/**
 * How H hidden units are laid out for one width: padded to a multiple of the lanes and cut into gate
 * panels of {@link SimdShape#unitVectors} vectors of units each, the last one possibly narrower. A row
 * of gates is, panel by panel, r|z|n of the panel's units: 3·{@link #padded} floats.
 *
 * <p>Padded units have weights and biases of 0: their state stays 0 and nothing reads it.
 */
final class SimdGeometry {
    final int H;
    final int lanes;

    /** H rounded up to a multiple of the lanes. */
    final int padded;

    /** Units of a full gate panel. */
    final int unit;

    /** Number of gate panels. */
    final int panels;

    /** Units of a full general panel. */
    final int general;

    /** 0 … H−1: the rows of one gate's weights. */
    final int[] rows;

    /** Number of general panels across the units. */
    final int generalPanels;

    SimdGeometry(int H, SimdKernels kernels) {
        this.H = H;
        this.lanes = kernels.lanes;
        this.padded = roundUp(H, lanes);
        this.unit = lanes * kernels.shape.unitVectors();
        this.panels = (padded + unit - 1) / unit;
        this.general = lanes * kernels.shape.generalVectors();
        this.rows = new int[H];
        java.util.Arrays.setAll(rows, j -> j);
        this.generalPanels = (padded + general - 1) / general;
    }

    /** Units of gate panel p. */
    int units(int p) {
        return Math.min(unit, padded - p * unit);
    }

    /** How many of gate panels {@code p} … {@code end − 1} from p on are as wide as p: all but a narrow last one. */
    int alikePanels(int p, int end) {
        return Math.max(1, Math.min(end, padded / unit) - p);
    }

    /** Units of general panel q. */
    int generalUnits(int q) {
        return Math.min(general, padded - q * general);
    }

    /** First gate panel of general panel q: a general panel is one to three whole gate panels. */
    int gatePanel(int q) {
        return Math.min(panels, q * (general / unit));
    }

    /** Units from {@code unit} on, before general panel q1, that lie in gate panels of the same width. */
    int alikeUnits(int unit, int q1) {
        int end = Math.min(padded, q1 * general);
        int whole = (end - unit) / this.unit * this.unit;
        return whole > 0 ? whole : end - unit;
    }

    static int roundUp(int n, int multiple) {
        return Math.ceilDiv(n, multiple) * multiple;
    }
}
