package dev.gru4j.reference;

import static dev.gru4j.reference.KernelMemory.doubles;
import static dev.gru4j.reference.KernelMemory.floats;
import static dev.gru4j.reference.KernelMemory.zeros;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gru4j.backend.FloatMemory;
import dev.gru4j.backend.TrainingKernels;
import dev.gru4j.backend.TrainingKernels.Adam;
import org.junit.jupiter.api.Test;

/** Norm, clipping, SGD and Adam against steps worked by hand. */
final class ReferenceOptimizerKernelsTest {
    private static final TensorAssert CHECK = new TensorAssert(ReferenceOptimizerKernelsTest.class);
    private static final TrainingKernels KERNELS = new ReferenceTrainingKernels(Precision.FLOAT);

    /** A few roundings of a number below 2. */
    private static final double BOUND = 4 * Math.ulp(1f);

    @Test
    void squaredNormSumsOnlyTheFirstN() {
        FloatMemory result = zeros(1);
        KERNELS.squaredNorm(floats(3f, -4f, 100f), 2, result);
        CHECK.sameBits("squared norm", new double[] {25}, doubles(result));
    }

    /** (3, −4) has norm 5; clipped to 2.5 it is (1.5, −2). */
    @Test
    void aLongGradientIsScaledToTheMaximalNorm() {
        FloatMemory gradient = floats(3f, -4f);
        KERNELS.clipByNorm(gradient, 2, floats(25f), 2.5f);
        CHECK.sameBits("gradient", new double[] {1.5, -2}, doubles(gradient));
    }

    @Test
    void aShortGradientIsLeftAlone() {
        FloatMemory gradient = floats(3f, -4f);
        KERNELS.clipByNorm(gradient, 2, floats(25f), 5f);
        CHECK.sameBits("gradient", new double[] {3, -4}, doubles(gradient));
        assertThrows(
                IllegalArgumentException.class, () -> KERNELS.clipByNorm(gradient, 2, floats(25f), 0f));
    }

    /** 1 − 0.5·2 = 0. */
    @Test
    void plainSgdStepsAgainstTheGradient() {
        FloatMemory parameters = floats(1f);
        KERNELS.sgd(parameters, floats(2f), null, 1, 0.5f, 0.75f);
        CHECK.sameBits("parameters", new double[] {0}, doubles(parameters));
    }

    /** Velocities 2 and 0.75·2 + 2 = 3.5; parameters 8 − 0.5·2 = 7 and 7 − 0.5·3.5 = 5.25. */
    @Test
    void momentumCarriesTheVelocityOn() {
        FloatMemory parameters = floats(8f);
        FloatMemory velocity = zeros(1);
        KERNELS.sgd(parameters, floats(2f), velocity, 1, 0.5f, 0.75f);
        CHECK.sameBits("parameters after 1", new double[] {7}, doubles(parameters));
        KERNELS.sgd(parameters, floats(2f), velocity, 1, 0.5f, 0.75f);
        CHECK.sameBits("velocity after 2", new double[] {3.5}, doubles(velocity));
        CHECK.sameBits("parameters after 2", new double[] {5.25}, doubles(parameters));
    }

    /**
     * β1 = 1/2, β2 = 3/4, α = 1/8, ε = 0, gradients 2 and then −2:
     *
     * <pre>
     *   step 1   m = 1     v = 1      m̂ = 1/(1/2) = 2            v̂ = 1/(1/4) = 4
     *            p = 1 − 1/8·2/2 = 0.875
     *   step 2   m = 1/2 − 1 = −1/2   v = 3/4 + 1 = 7/4          m̂ = −1/2/(3/4) = −2/3   v̂ = 7/4/(7/16) = 4
     *            p = 0.875 + 1/8·(2/3)/2 = 0.875 + 1/24
     * </pre>
     */
    @Test
    void twoAdamStepsEqualTheOnesWorkedByHand() {
        FloatMemory parameters = floats(1f);
        FloatMemory m = zeros(1);
        FloatMemory v = zeros(1);
        KERNELS.adam(parameters, floats(2f), m, v, 1, new Adam(0.125f, 0.5f, 0.75f, 0, 0, 1));
        CHECK.within("m after 1", 0, 1, doubles(m)[0], BOUND);
        CHECK.within("v after 1", 0, 1, doubles(v)[0], BOUND);
        CHECK.within("parameters after 1", 0, 0.875, doubles(parameters)[0], BOUND);
        KERNELS.adam(parameters, floats(-2f), m, v, 1, new Adam(0.125f, 0.5f, 0.75f, 0, 0, 2));
        CHECK.within("m after 2", 0, -0.5, doubles(m)[0], BOUND);
        CHECK.within("v after 2", 0, 1.75, doubles(v)[0], BOUND);
        CHECK.within("parameters after 2", 0, 0.875 + 1 / 24.0, doubles(parameters)[0], BOUND);
    }

    /** The first step again with λ = 2: 1 − 1/8·2·1 = 0.75 first, then the same 1/8 off. Moments do not see λ. */
    @Test
    void weightDecayOfAdamIsDecoupledFromTheGradient() {
        FloatMemory parameters = floats(1f);
        FloatMemory m = zeros(1);
        FloatMemory v = zeros(1);
        KERNELS.adam(parameters, floats(2f), m, v, 1, new Adam(0.125f, 0.5f, 0.75f, 0, 2, 1));
        CHECK.within("m", 0, 1, doubles(m)[0], BOUND);
        CHECK.within("v", 0, 1, doubles(v)[0], BOUND);
        CHECK.within("parameters", 0, 0.625, doubles(parameters)[0], BOUND);
    }

    /** ε stands beside the root, outside the bias correction: 1/8·2/(2 + 2) = 1/16. */
    @Test
    void epsilonOfAdamIsAddedToTheCorrectedRoot() {
        FloatMemory parameters = floats(1f);
        KERNELS.adam(parameters, floats(2f), zeros(1), zeros(1), 1, new Adam(0.125f, 0.5f, 0.75f, 2, 0, 1));
        CHECK.within("parameters", 0, 1 - 1 / 16.0, doubles(parameters)[0], BOUND);
    }

    @Test
    void stepsCountFromOne() {
        assertEquals(
                "step is 0; 1 for the first step expected",
                assertThrows(IllegalArgumentException.class, () -> new Adam(1, 0, 0, 0, 0, 0))
                        .getMessage());
    }
}
