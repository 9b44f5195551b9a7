package dev.gru4j.reference;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;

/** Forward through one layer in one direction, the whole sequence: row by row, step by step. */
final class ReferenceForward {
    /** What the forward of one layer and direction leaves behind; all zero in padding. */
    static final class Trace {
        /** Reserve: r, z, n, gh_n (T,B,4H) of reset-after; r, z, n (T,B,3H) of reset-before. */
        final double[] gates;

        /** All states (T,B,H), each at its time index. */
        final double[] states;

        Trace(double[] gates, double[] states) {
            this.gates = gates;
            this.states = states;
        }
    }

    private ReferenceForward() {}

    /**
     * Runs the sequence.
     *
     * @param x (T,B,I), not read in padding
     * @param h0 (B,H)
     */
    static Trace run(
            Precision p, GruVariant variant, ReferenceWeights w, ReferenceSequence s, double[] x, double[] h0) {
        int H = h0.length / s.B();
        int I = w.weightIh.length / (Gates.COUNT * H);
        int width = variant.reserveGates() * H;
        Trace trace = new Trace(new double[s.T() * s.B() * width], new double[s.T() * s.B() * H]);
        double[] gx = new double[Gates.COUNT * H];
        for (int b = 0; b < s.B(); b++) {
            double[] h = ReferenceSequence.row(h0, b, H);
            for (int step = 0; step < s.length(b); step++) {
                int at = s.position(b, step);
                double[] gates = new double[width];
                double[] xRow = ReferenceSequence.row(x, at, I);
                ReferenceProjection.forward(p, w.weightIh, w.biasIh, 0, Gates.COUNT * H, xRow, gx);
                switch (variant) {
                    case RESET_AFTER -> stepResetAfter(p, w, gx, h, gates);
                    case RESET_BEFORE -> stepResetBefore(p, w, gx, h, gates);
                }
                ReferenceSequence.setRow(trace.gates, at, gates);
                ReferenceSequence.setRow(trace.states, at, h);
            }
        }
        return trace;
    }

    /** One step of one row; h (H) is the state before it and then the one after it. */
    private static void stepResetAfter(Precision p, ReferenceWeights w, double[] gx, double[] h, double[] gates) {
        double[] gh = new double[gx.length];
        ReferenceProjection.forward(p, w.weightHh, w.biasHh, 0, Gates.COUNT * h.length, h, gh);
        ReferenceCell.forwardResetAfter(p, gx, gh, h, h, gates);
    }

    /** As {@link #stepResetAfter}; the candidate's rows of W_hh meet r ⊙ h, so they wait for r. */
    private static void stepResetBefore(Precision p, ReferenceWeights w, double[] gx, double[] h, double[] gates) {
        int H = h.length;
        double[] gh = new double[gx.length];
        double[] rh = new double[H];
        ReferenceProjection.forward(p, w.weightHh, w.biasHh, Gates.RESET * H, Gates.CANDIDATE * H, h, gh);
        ReferenceCell.forwardResetBeforeGates(p, gx, gh, h, gates, rh);
        ReferenceProjection.forward(p, w.weightHh, w.biasHh, Gates.CANDIDATE * H, Gates.COUNT * H, rh, gh);
        ReferenceCell.forwardResetBeforeCandidate(p, gx, gh, h, h, gates);
    }
}
