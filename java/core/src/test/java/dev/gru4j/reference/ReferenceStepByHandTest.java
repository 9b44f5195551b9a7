package dev.gru4j.reference;

import dev.gru4j.GruSpec;
import dev.gru4j.GruVariant;
import org.junit.jupiter.api.Test;

/**
 * One step, T = B = I = H = 1, worked by hand. Three values make it easy:
 *
 * <pre>
 *   σ(ln 3) = 3/4    σ(−ln 3) = 1/4    tanh(ln 2) = (4 − 1)/(4 + 1) = 3/5
 *
 *   x = 2, h0 = 1/2      r      z      n
 *   W_ih                 1     −1     −1
 *   W_hh                −2      4      2
 *   b_ih              ln 3  −ln 3     (chosen below so that n = 3/5)
 *   b_hh                −1      0      3
 *
 *   r = σ(1·2 + ln 3 − 2/2 − 1) = σ(ln 3)  = 3/4
 *   z = σ(−1·2 − ln 3 + 4/2 + 0) = σ(−ln 3) = 1/4
 *   h' = (1 − 1/4)·3/5 + 1/4·1/2 = 0.45 + 0.125 = 0.575
 *
 *   dh = 8: dy brings 5, dhT brings 3
 *   dnPre = 8·(1 − 1/4)·(1 − 9/25) = 6·0.64 = 3.84
 *   dzPre = 8·(1/2 − 3/5)·1/4·(1 − 1/4) = −0.8·0.1875 = −0.15
 * </pre>
 */
final class ReferenceStepByHandTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferenceStepByHandTest.class);

    /** A few ULP of the largest number here, 16. */
    private static final double BOUND = 4 * Math.ulp(16.0);

    private static final double LN2 = Math.log(2);
    private static final double LN3 = Math.log(3);

    /**
     * <pre>
     *   gh_n = 2·1/2 + 3 = 4     gx_n = −1·2 + b_in     n = tanh(gx_n + 3/4·4) = 3/5 with b_in = ln 2 − 1
     *
     *   drPre  = 3.84·4·3/4·(1 − 3/4) = 15.36·0.1875 = 2.88
     *   dgx    = [2.88, −0.15, 3.84]    dgh = [2.88, −0.15, 3.84·3/4] = [2.88, −0.15, 2.88]
     *   dW_ih  = dgx·2  = [5.76, −0.3, 7.68]       db_ih = dgx
     *   dW_hh  = dgh/2  = [1.44, −0.075, 1.44]     db_hh = dgh
     *   dx     = 2.88·1 − 0.15·(−1) + 3.84·(−1)    = −0.81
     *   dh0    = 8·1/4 + 2.88·(−2) − 0.15·4 + 2.88·2 = 1.4
     * </pre>
     */
    @Test
    void aResetAfterStepEqualsTheOneWorkedByHand() {
        Step step = new Step(GruVariant.RESET_AFTER, LN2 - 1);
        CHECK.within("reserve r, z, n, gh_n", of(0.75, 0.25, 0.6, 4), step.forward.reserve(0, 0), BOUND);
        CHECK.within("y", of(0.575), step.forward.y(), BOUND);
        CHECK.within("hT", of(0.575), step.forward.hT(), BOUND);
        CHECK.within("dx", of(-0.81), step.gradients.dx(), BOUND);
        CHECK.within("dh0", of(1.4), step.gradients.dh0(), BOUND);
        CHECK.within(
                "dW_ih, dW_hh, db_ih, db_hh",
                of(5.76, -0.3, 7.68, 1.44, -0.075, 1.44, 2.88, -0.15, 3.84, 2.88, -0.15, 2.88),
                step.gradients.dParameters(),
                BOUND);
    }

    /**
     * <pre>
     *   r·h = 3/8    gh_n = 2·3/8 + 3 = 3.75    n = tanh(−2 + b_in + 3.75) = 3/5 with b_in = ln 2 − 1.75
     *
     *   drh    = 3.84·2 = 7.68
     *   drPre  = 7.68·1/2·3/4·(1 − 3/4) = 3.84·0.1875 = 0.72
     *   dgx    = dgh = [0.72, −0.15, 3.84]
     *   dW_ih  = dgx·2 = [1.44, −0.3, 7.68]                       db_ih = dgx
     *   dW_hh  = [0.72/2, −0.15/2, 3.84·3/8] = [0.36, −0.075, 1.44]   db_hh = dgx
     *   dx     = 0.72·1 − 0.15·(−1) + 3.84·(−1)                   = −2.97
     *   dh0    = 8·1/4 + 7.68·3/4 + 0.72·(−2) − 0.15·4             = 5.72
     * </pre>
     */
    @Test
    void aResetBeforeStepEqualsTheOneWorkedByHand() {
        Step step = new Step(GruVariant.RESET_BEFORE, LN2 - 1.75);
        CHECK.within("reserve r, z, n", of(0.75, 0.25, 0.6), step.forward.reserve(0, 0), BOUND);
        CHECK.within("y", of(0.575), step.forward.y(), BOUND);
        CHECK.within("hT", of(0.575), step.forward.hT(), BOUND);
        CHECK.within("dx", of(-2.97), step.gradients.dx(), BOUND);
        CHECK.within("dh0", of(5.72), step.gradients.dh0(), BOUND);
        CHECK.within(
                "dW_ih, dW_hh, db_ih, db_hh",
                of(1.44, -0.3, 7.68, 0.36, -0.075, 1.44, 0.72, -0.15, 3.84, 0.72, -0.15, 3.84),
                step.gradients.dParameters(),
                BOUND);
    }

    /** The step of the class comment. */
    private static final class Step {
        final ReferenceNetwork.Forward forward;
        final ReferenceNetwork.Gradients gradients;

        Step(GruVariant variant, double candidateBias) {
            GruSpec spec = GruSpec.of(1, 1).withVariant(variant);
            double[] parameters = of(1, -1, -1, -2, 4, 2, LN3, -LN3, candidateBias, -1, 0, 3);
            ReferenceNetwork network = new ReferenceNetwork(spec, Precision.DOUBLE, parameters);
            forward = network.forward(1, 1, of(2), of(0.5), null, null);
            gradients = network.backward(forward, of(5), of(3));
        }
    }

    private static double[] of(double... values) {
        return values;
    }
}
