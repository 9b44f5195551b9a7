package dev.gru4j.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gru4j.backend.ProductPrecision;
import dev.gru4j.cuda.CudaProduct.Form;
import dev.gru4j.reference.Precision;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The choices of {@link CudaProduct} that small networks do not reach: large tiles, and splits of k. */
class CudaProductTest {
    /** Every so many elements are computed again in double. */
    private static final int STRIDE = 101;

    private CudaSession session;

    @SuppressWarnings("NullAway.Init") // Set before each test.
    CudaProductTest() {}

    @BeforeEach
    void open() {
        Emulator.assumeBuilt();
        session = Emulator.session(ProductPrecision.FP32);
    }

    @AfterEach
    void close() {
        if (session != null) { // not where the emulator is missing
            session.close();
        }
    }

    static Stream<Arguments> products() {
        return Stream.of(
                // One past a tile of 128 on each axis, 17·9 tiles; an odd k.
                Arguments.of(Form.NT, 2049, 1025, 5, false, true),
                Arguments.of(Form.NN, 1025, 2049, 3, false, true),
                Arguments.of(Form.TN, 2049, 1025, 7, true, true),
                // 16 tiles of 128 and eight splits of k; the last split is shorter.
                Arguments.of(Form.TN, 65, 1930, 2050, true, true),
                // Small tiles: the same, split because there are few of them.
                Arguments.of(Form.TN, 33, 31, 2049, false, false),
                Arguments.of(Form.TN, 6, 11, 803, true, false),
                // A reduction of one, and results of one row or column.
                Arguments.of(Form.NT, 1, 37, 1, true, false),
                Arguments.of(Form.NN, 37, 1, 300, true, false));
    }

    @ParameterizedTest
    @MethodSource("products")
    void everyTileAndSplitGivesTheProduct(Form form, int m, int n, int k, boolean accumulate, boolean isLarge) {
        check(ProductPrecision.FP32, form, m, n, k, accumulate, isLarge);
    }

    static Stream<Arguments> reduced() {
        return Stream.of(ProductPrecision.TF32, ProductPrecision.TF32X3, ProductPrecision.BF16, ProductPrecision.FP16)
                .flatMap(precision -> Stream.of(
                        // One past a tile of 128 on each axis; one past a chunk of 16.
                        Arguments.of(precision, Form.NT, 2049, 1025, 17, true, true),
                        // Small tiles in splits: as many chunks for each of eight warps, and some left over.
                        Arguments.of(precision, Form.TN, 33, 31, 803, false, false),
                        Arguments.of(precision, Form.NN, 37, 1, 300, true, false)));
    }

    /** What is compared with is made of rounded operands, so one that is not rounded, or twice, shows. */
    @ParameterizedTest
    @MethodSource("reduced")
    void aReducedPrecisionRoundsOperandsAndNothingElse(
            ProductPrecision precision, Form form, int m, int n, int k, boolean accumulate, boolean isLarge) {
        session.close();
        session = Emulator.session(precision);
        check(precision, form, m, n, k, accumulate, isLarge);
    }

    private void check(
            ProductPrecision precision, Form form, int m, int n, int k, boolean accumulate, boolean isLarge) {
        assertEquals(isLarge, CudaProduct.isLarge(m, n, CudaProduct.splitLimit(k)), "large tiles");
        float[] a = random(m * k, 1);
        float[] b = random(n * k, 2);
        float[] c = random(m * n, 3);
        boolean isReduced = precision != ProductPrecision.FP32;
        float[] found = run(form, m, n, k, accumulate, a, b, c);
        for (int at = 0; at < found.length; at += STRIDE) {
            int i = at / n;
            int j = at % n;
            double expected = accumulate ? c[at] : 0;
            double size = Math.abs(expected);
            for (int p = 0; p < k; p++) {
                float left = a[form == Form.TN ? p * m + i : i * k + p];
                float right = b[form == Form.NT ? j * k + p : p * n + j];
                double term = isReduced ? Precision.of(precision).product(left, right) : (double) left * right;
                expected += term;
                size += Math.abs(term);
            }
            // A sum of k+1 terms in any order errs by at most k·ε·Σ|term|, to first order; tensor cores truncate.
            double bound = (k + 1) * (isReduced ? 0x1p-23 : 0x1p-24) * size;
            double difference = Math.abs(found[at] - expected);
            String what = precision + " " + form + " m" + m + " n" + n + " k" + k + " at (" + i + "," + j
                    + "): expected " + expected
                    + ", found " + found[at] + ", difference " + difference + ", bound " + bound;
            assertTrue(difference <= bound, what);
        }
        assertEquals(0, firstDifference(found, run(form, m, n, k, accumulate, a, b, c)), "differing bits of two runs");
    }

    private float[] run(Form form, int m, int n, int k, boolean accumulate, float[] a, float[] b, float[] c) {
        long aAddress = upload(a);
        long bAddress = upload(b);
        long cAddress = upload(c);
        long partial = session.allocate(CudaFloatMemory.bytes("floats", CudaProduct.partialFloats(m, n, k)));
        session.enter();
        try {
            new CudaProduct(session)
                    .of(form, m, n, k)
                    .a(aAddress, form == Form.TN ? m : k)
                    .b(bAddress, form == Form.NT ? k : n)
                    .into(cAddress, n)
                    .accumulate(accumulate)
                    .splitInto(partial)
                    .run();
        } finally {
            session.leave();
        }
        float[] result = new float[c.length];
        session.download(MemorySegment.ofArray(result), cAddress);
        for (long address : new long[] {aAddress, bAddress, cAddress, partial}) {
            session.free(address);
        }
        return result;
    }

    private long upload(float[] values) {
        long address = session.allocate(CudaFloatMemory.bytes("floats", values.length));
        session.upload(address, MemorySegment.ofArray(values));
        return address;
    }

    private static int firstDifference(float[] one, float[] two) {
        for (int k = 0; k < one.length; k++) {
            if (Float.floatToRawIntBits(one[k]) != Float.floatToRawIntBits(two[k])) {
                return k + 1;
            }
        }
        return 0;
    }

    private static float[] random(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[length];
        for (int k = 0; k < length; k++) {
            values[k] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
