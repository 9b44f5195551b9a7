package dev.gru4j.reference;

import dev.gru4j.Gates;

/**
 * The pointwise part of one step, for one batch row: forward and backward of both variants. All
 * arguments are arrays of one row:
 *
 * <pre>
 *   gx      (3H)  input projection W_ih·x + b_ih of this step, gate order r, z, n
 *   gh      (3H)  recurrent projection W_hh·hPrev + b_hh, same order
 *   hPrev   (H)   state entering the step
 *   hNext   (H)   state leaving the step; may be hPrev itself
 *   gates   (4H)  reserve of reset-after: r, z, n, gh_n;  (3H) of reset-before: r, z, n
 *   d…            gradient of the loss with respect to …
 * </pre>
 *
 * Unit j of every output depends on unit j of the inputs alone.
 */
final class ReferenceCell {
    private ReferenceCell() {}

    /**
     * Forward, reset-after.
     *
     * <pre>
     *   r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    n = tanh(gx_n + r ⊙ gh_n)    hNext = (1 − z) ⊙ n + z ⊙ hPrev
     *
     *   gx, gh, hPrev in;  hNext out;  gates (4H) out
     * </pre>
     */
    static void forwardResetAfter(
            Precision p, double[] gx, double[] gh, double[] hPrev, double[] hNext, double[] gates) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double ghN = gh[Gates.CANDIDATE * H + j];
            double r = gate(p, Gates.RESET, gx, gh, H, j);
            double z = gate(p, Gates.UPDATE, gx, gh, H, j);
            double n = ReferenceActivations.tanh(p, p.round(gx[Gates.CANDIDATE * H + j] + p.round(r * ghN)));
            hNext[j] = blend(p, z, n, hPrev[j]);
            gates[Gates.RESET * H + j] = r;
            gates[Gates.UPDATE * H + j] = z;
            gates[Gates.CANDIDATE * H + j] = n;
            gates[Gates.RECURRENT_CANDIDATE * H + j] = ghN;
        }
    }

    /**
     * Forward, reset-before, first half: everything that can be known before the product with W_hn.
     *
     * <pre>
     *   r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    rh = r ⊙ hPrev
     *
     *   gx, gh (blocks r and z), hPrev in;  gates (blocks r and z) out;  rh (H) out
     * </pre>
     */
    static void forwardResetBeforeGates(
            Precision p, double[] gx, double[] gh, double[] hPrev, double[] gates, double[] rh) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double r = gate(p, Gates.RESET, gx, gh, H, j);
            double z = gate(p, Gates.UPDATE, gx, gh, H, j);
            rh[j] = p.round(r * hPrev[j]);
            gates[Gates.RESET * H + j] = r;
            gates[Gates.UPDATE * H + j] = z;
        }
    }

    /**
     * Forward, reset-before, second half, when gh_n = W_hn·rh + b_hn is known.
     *
     * <pre>
     *   n = tanh(gx_n + gh_n)    hNext = (1 − z) ⊙ n + z ⊙ hPrev
     *
     *   gx, gh (block n), hPrev, gates (block z) in;  hNext out;  gates (block n) out
     * </pre>
     */
    static void forwardResetBeforeCandidate(
            Precision p, double[] gx, double[] gh, double[] hPrev, double[] hNext, double[] gates) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double z = gates[Gates.UPDATE * H + j];
            double n = ReferenceActivations.tanh(
                    p, p.round(gx[Gates.CANDIDATE * H + j] + gh[Gates.CANDIDATE * H + j]));
            hNext[j] = blend(p, z, n, hPrev[j]);
            gates[Gates.CANDIDATE * H + j] = n;
        }
    }

    /**
     * Backward, reset-after.
     *
     * <pre>
     *   dn = dh ⊙ (1 − z)        dnPre = dn ⊙ (1 − n²)
     *   dz = dh ⊙ (hPrev − n)    dzPre = dz ⊙ z ⊙ (1 − z)
     *   dr = dnPre ⊙ gh_n        drPre = dr ⊙ r ⊙ (1 − r)
     *   dgx = [drPre, dzPre, dnPre]    dgh = [drPre, dzPre, dnPre ⊙ r]    dhPrev = dh ⊙ z
     *
     *   gates (4H), hPrev in;  dh (H) in, arriving at hNext;  dgx, dgh (3H) out
     *   dhPrev (H) out, still without the part that goes through W_hh: dgh · W_hh
     * </pre>
     */
    static void backwardResetAfter(
            Precision p, double[] gates, double[] hPrev, double[] dh, double[] dgx, double[] dgh, double[] dhPrev) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double r = gates[Gates.RESET * H + j];
            double z = gates[Gates.UPDATE * H + j];
            double n = gates[Gates.CANDIDATE * H + j];
            double ghN = gates[Gates.RECURRENT_CANDIDATE * H + j];
            double dn = p.round(dh[j] * p.round(1 - z));
            double dnPre = tanhBackward(p, dn, n);
            double dz = p.round(dh[j] * p.round(hPrev[j] - n));
            double dzPre = sigmoidBackward(p, dz, z);
            double dr = p.round(dnPre * ghN);
            double drPre = sigmoidBackward(p, dr, r);
            dgx[Gates.RESET * H + j] = drPre;
            dgx[Gates.UPDATE * H + j] = dzPre;
            dgx[Gates.CANDIDATE * H + j] = dnPre;
            dgh[Gates.RESET * H + j] = drPre;
            dgh[Gates.UPDATE * H + j] = dzPre;
            dgh[Gates.CANDIDATE * H + j] = p.round(dnPre * r);
            dhPrev[j] = p.round(dh[j] * z);
        }
    }

    /**
     * Backward, reset-before, first half: back to the product with W_hn.
     *
     * <pre>
     *   dn = dh ⊙ (1 − z)        dnPre = dn ⊙ (1 − n²)
     *   dz = dh ⊙ (hPrev − n)    dzPre = dz ⊙ z ⊙ (1 − z)    dhPrev = dh ⊙ z
     *
     *   gates (3H), hPrev, dh in;  dg (3H), blocks z and n, out: the gradient of gx and of gh
     *   dhPrev (H) out, still without the parts through r ⊙ hPrev and through W_h[r,z]
     * </pre>
     */
    static void backwardResetBeforeCandidate(
            Precision p, double[] gates, double[] hPrev, double[] dh, double[] dg, double[] dhPrev) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double z = gates[Gates.UPDATE * H + j];
            double n = gates[Gates.CANDIDATE * H + j];
            double dn = p.round(dh[j] * p.round(1 - z));
            double dz = p.round(dh[j] * p.round(hPrev[j] - n));
            dg[Gates.UPDATE * H + j] = sigmoidBackward(p, dz, z);
            dg[Gates.CANDIDATE * H + j] = tanhBackward(p, dn, n);
            dhPrev[j] = p.round(dh[j] * z);
        }
    }

    /**
     * Backward, reset-before, second half, when drh = dnPre · W_hn is known.
     *
     * <pre>
     *   dr = drh ⊙ hPrev    drPre = dr ⊙ r ⊙ (1 − r)    dhPrev += drh ⊙ r
     *
     *   gates (3H), hPrev, drh (H) in;  dg (3H), block r, out
     *   dhPrev (H) in and out, still without [drPre, dzPre] · W_h[r,z]
     * </pre>
     */
    static void backwardResetBeforeReset(
            Precision p, double[] gates, double[] hPrev, double[] drh, double[] dg, double[] dhPrev) {
        int H = hPrev.length;
        for (int j = 0; j < H; j++) {
            double r = gates[Gates.RESET * H + j];
            double dr = p.round(drh[j] * hPrev[j]);
            dg[Gates.RESET * H + j] = sigmoidBackward(p, dr, r);
            dhPrev[j] = p.round(dhPrev[j] + p.round(drh[j] * r));
        }
    }

    /** σ(gx_g + gh_g) of unit j. */
    private static double gate(Precision p, int g, double[] gx, double[] gh, int H, int j) {
        return ReferenceActivations.sigmoid(p, p.round(gx[g * H + j] + gh[g * H + j]));
    }

    /** (1 − z)·n + z·h: of the algebraically equal forms the one that is exact both at z = 0 and at z = 1. */
    private static double blend(Precision p, double z, double n, double h) {
        return p.round(p.round(p.round(1 - z) * n) + p.round(z * h));
    }

    /** Gradient at the argument of s = σ(a), from s: ds·s·(1 − s). */
    private static double sigmoidBackward(Precision p, double ds, double s) {
        return p.round(p.round(ds * s) * p.round(1 - s));
    }

    /** Gradient at the argument of n = tanh(a), from n: dn·(1 − n²). */
    private static double tanhBackward(Precision p, double dn, double n) {
        return p.round(dn * p.round(1 - p.round(n * n)));
    }
}
