package dev.gru4j.reference;

import dev.gru4j.Gates;
import dev.gru4j.GruVariant;

/**
 * Backward through one layer in one direction, the whole sequence: the steps of {@link
 * ReferenceForward} in the opposite order.
 */
final class ReferenceBackward {
    /** Gradients of one layer and direction. */
    static final class Result {
        /** (T,B,I), 0 in padding. */
        final double[] dx;

        /** (B,H). */
        final double[] dh0;

        final ReferenceWeights dw;

        Result(double[] dx, double[] dh0, ReferenceWeights dw) {
            this.dx = dx;
            this.dh0 = dh0;
            this.dw = dw;
        }
    }

    private ReferenceBackward() {}

    /**
     * Runs the sequence backward.
     *
     * @param x (T,B,I), h0 (B,H) and trace as in the forward
     * @param dy (T,B,H), arriving at the states; not read in padding
     * @param dhT (B,H), arriving at each row's state after its last valid step; for length 0 that is h0
     */
    static Result run(
            Precision p,
            GruVariant variant,
            ReferenceWeights w,
            ReferenceSequence s,
            double[] x,
            double[] h0,
            ReferenceForward.Trace trace,
            double[] dy,
            double[] dhT) {
        int H = h0.length / s.B();
        int I = w.weightIh.length / (Gates.COUNT * H);
        Result result = new Result(new double[s.T() * s.B() * I], new double[h0.length], w.zerosLike());
        double[] dh = new double[H];
        double[] dgx = new double[Gates.COUNT * H];
        for (int b = 0; b < s.B(); b++) {
            double[] dhNext = ReferenceSequence.row(dhT, b, H);
            for (int step = s.length(b) - 1; step >= 0; step--) {
                int at = s.position(b, step);
                double[] gates = ReferenceSequence.row(trace.gates, at, variant.reserveGates() * H);
                double[] hPrev = s.hPrev(b, step, h0, trace.states, H);
                for (int j = 0; j < H; j++) {
                    dh[j] = p.round(dy[at * H + j] + dhNext[j]);
                }
                // From here on dhNext is the gradient that the step before this one receives.
                switch (variant) {
                    case RESET_AFTER -> stepResetAfter(p, w, result.dw, gates, hPrev, dh, dgx, dhNext);
                    case RESET_BEFORE -> stepResetBefore(p, w, result.dw, gates, hPrev, dh, dgx, dhNext);
                }
                double[] xRow = ReferenceSequence.row(x, at, I);
                double[] dxRow = new double[I];
                ReferenceProjection.backwardInput(p, w.weightIh, 0, Gates.COUNT * H, dgx, dxRow);
                ReferenceProjection.backwardParameters(
                        p, 0, Gates.COUNT * H, dgx, xRow, result.dw.weightIh, result.dw.biasIh);
                ReferenceSequence.setRow(result.dx, at, dxRow);
            }
            ReferenceSequence.setRow(result.dh0, b, dhNext);
        }
        return result;
    }

    /** One step of one row: dgx (3H) and dhPrev (H) out, the gradients of W_hh and b_hh added to dw. */
    private static void stepResetAfter(
            Precision p,
            ReferenceWeights w,
            ReferenceWeights dw,
            double[] gates,
            double[] hPrev,
            double[] dh,
            double[] dgx,
            double[] dhPrev) {
        int H = hPrev.length;
        double[] dgh = new double[dgx.length];
        ReferenceCell.backwardResetAfter(p, gates, hPrev, dh, dgx, dgh, dhPrev);
        ReferenceProjection.backwardInput(p, w.weightHh, 0, Gates.COUNT * H, dgh, dhPrev);
        ReferenceProjection.backwardParameters(p, 0, Gates.COUNT * H, dgh, hPrev, dw.weightHh, dw.biasHh);
    }

    /** As {@link #stepResetAfter}; here dgh = dgx, and the candidate's rows of W_hh met r ⊙ hPrev. */
    private static void stepResetBefore(
            Precision p,
            ReferenceWeights w,
            ReferenceWeights dw,
            double[] gates,
            double[] hPrev,
            double[] dh,
            double[] dgx,
            double[] dhPrev) {
        int H = hPrev.length;
        double[] drh = new double[H];
        ReferenceCell.backwardResetBeforeCandidate(p, gates, hPrev, dh, dgx, dhPrev);
        ReferenceProjection.backwardInput(p, w.weightHh, Gates.CANDIDATE * H, Gates.COUNT * H, dgx, drh);
        ReferenceCell.backwardResetBeforeReset(p, gates, hPrev, drh, dgx, dhPrev);
        ReferenceProjection.backwardInput(p, w.weightHh, Gates.RESET * H, Gates.CANDIDATE * H, dgx, dhPrev);

        double[] rh = new double[H];
        for (int j = 0; j < H; j++) {
            rh[j] = p.round(gates[Gates.RESET * H + j] * hPrev[j]);
        }
        ReferenceProjection.backwardParameters(
                p, Gates.RESET * H, Gates.CANDIDATE * H, dgx, hPrev, dw.weightHh, dw.biasHh);
        ReferenceProjection.backwardParameters(
                p, Gates.CANDIDATE * H, Gates.COUNT * H, dgx, rh, dw.weightHh, dw.biasHh);
    }
}
