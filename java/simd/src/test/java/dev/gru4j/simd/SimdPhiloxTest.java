package dev.gru4j.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gru4j.GruSpec;
import dev.gru4j.Philox;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Dropout scales drawn in vectors are the scalar generator's, bit for bit. */
class SimdPhiloxTest {
    @TestFactory
    Stream<DynamicTest> scalesAreThoseOfTheScalarGenerator() {
        return Widths.kernels().stream().map(kernels -> DynamicTest.dynamicTest(Widths.name(kernels), () -> {
            SplittableRandom random = new SplittableRandom(11);
            for (int i = 0; i < 40; i++) {
                check(
                        kernels, i % 2 == 0 ? 0.5f : random.nextFloat(), random.nextLong(), random.nextLong(),
                        random.nextInt(GruSpec.MAX_LAYERS), random.nextInt(1 << 20), random.nextInt(1 << 20),
                        1 + random.nextInt(100));
            }
        }));
    }

    private static void check(
            SimdKernels kernels, float p, long seed, long iteration, int layer, int t, int row, int n) {
        float[] expected = new float[n];
        Philox.dropoutScales(p, seed, iteration, layer, t, row, expected);
        float[] found = new float[SimdGeometry.roundUp(n, 2 * kernels.lanes)];
        kernels.dropoutScales(p, seed, iteration, layer, t, row, found, n, new int[4]);
        for (int i = 0; i < n; i++) {
            assertEquals(
                    expected[i], found[i],
                    Widths.name(kernels) + ": p " + p + ", seed " + seed + ", iteration " + iteration + ", layer "
                            + layer
                            + ", t " + t + ", row " + row + ", feature " + i);
        }
    }
}
